"""Bodies of OpenAI's Images API in the OpenAPI document."""

from typing import Annotated, Literal

from pydantic import Field

from imagegate.web.openapi_parts import Schema, UsageSchema


class DatumSchema(Schema):
    """A picture: its URL, or its bytes in base64."""

    url: str | None = None
    b64_json: str | None = None
    revised_prompt: str | None = None
    single_colour: bool | None = Field(None, description="All of its pixels have the same colour.")


class ImagesSchema(Schema):
    """OpenAI's ImagesResponse, with imagegate's extensions."""

    created: int
    data: Annotated[list[DatumSchema], Field(min_length=1)]
    output_format: str
    size: str
    model: str
    provider: str | None
    operation_id: str
    seed: int | None
    background: str | None = None
    not_honoured: list[str] | None = None
    provider_reason: str | None = Field(None, description="Why this provider made it and none before it.")
    safety_identifier: str | None = None
    usage: UsageSchema | None = None


class ErrorSchema(Schema):
    """OpenAI's error."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIErrorSchema(Schema):
    """OpenAI's error body."""

    error: ErrorSchema
    operation_id: str | None = None


class ModelSchema(Schema):
    """A model that requests can name."""

    id: str
    alias_of: str | None = Field(description="The model that this name stands for; null for a model's own name.")
    object: Literal["model"]
    created: int
    owned_by: str
    description: str
    aliases: list[str]
    providers: list[str]


class ModelsSchema(Schema):
    """The models that requests can name."""

    object: Literal["list"]
    data: list[ModelSchema]
