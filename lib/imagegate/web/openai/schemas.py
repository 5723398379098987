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


class SizesSchema(Schema):
    """The sides of pictures, in pixels; a request for another size gets the nearest one."""

    side_minimum: int
    side_maximum: int
    side_step: int | None = None
    any_ratio: bool | None = None


class CapabilitiesSchema(Schema):
    """What at least one of the model's providers takes."""

    n_maximum: int
    sizes: SizesSchema
    output_formats: list[str]
    prompt_characters: int
    seed: bool
    guidance: bool
    negative_prompt: bool
    quality: bool
    style: bool
    background: bool
    moderation: bool
    complexity: bool
    input_fidelity: bool
    frame_count: bool
    frame_duration_ms: bool
    svg: bool
    prompt_rewriter: bool
    steps_maximum: int | None
    input_images: int
    edits: bool
    masks: bool
    variations: bool
    partial_images: int = Field(description="The most partial pictures of one picture; 0 where none are made.")


class TargetSchema(Schema):
    """One provider of a model, and what it takes."""

    provider: str
    model: str
    price_usd: float | None
    megapixel_usd: float = Field(description="For each megapixel that a picture begins after its first.")
    available: bool
    missing_secrets: list[str] = Field(description="Credentials of which one has to be set; empty if it is available.")
    expected_seconds: float | None = Field(description="Median of its jobs so far; null if it is not available.")
    slow_seconds: float | None = Field(description="One job in twenty takes longer.")
    sizes: SizesSchema
    prompt_characters: int
    fields: list[str]
    seed_maximum: int | None
    steps_maximum: int | None
    input_images: int
    masks: bool
    variations: bool


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
    available: bool = Field(description="Whether one of its providers has the credentials that it needs.")
    capabilities: CapabilitiesSchema
    targets: list[TargetSchema] = Field(description="The providers, in the order in which they are tried.")


class ModelsSchema(Schema):
    """The models that requests can name."""

    object: Literal["list"]
    data: list[ModelSchema]
