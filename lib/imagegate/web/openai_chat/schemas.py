"""Bodies of OpenAI's Chat Completions API in the OpenAPI document."""

from typing import Any, Literal

from pydantic import Field

from imagegate.web.openapi_parts import Schema


class ChatImageUrlSchema(Schema):
    """The picture as a data URL."""

    url: str


class ChatImageSchema(Schema):
    """A picture, as OpenRouter has it."""

    type: Literal["image_url"]
    image_url: ChatImageUrlSchema
    index: int


class ChatMessageSchema(Schema):
    """The answer."""

    role: Literal["assistant"]
    content: str = Field(description="A link to the picture in Markdown, or empty.")
    refusal: None
    images: list[ChatImageSchema]


class ChatChoiceSchema(Schema):
    """One of `n` pictures."""

    index: int
    message: ChatMessageSchema
    logprobs: None
    finish_reason: Literal["stop"]


class ChatSchema(Schema):
    """OpenAI's ChatCompletion, with OpenRouter's pictures and imagegate's extensions."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ChatChoiceSchema]
    usage: dict[str, Any] = Field(description="The tokens of the pictures; 0 where the upstream counts none.")
    provider: str | None
    operation_id: str
    not_honoured: list[str]
