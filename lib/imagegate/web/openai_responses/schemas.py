"""Bodies of OpenAI's Responses API in the OpenAPI document."""

from typing import Any, Literal

from pydantic import Field

from imagegate.web.openapi_parts import Schema, UsageSchema


class ToolUsageSchema(Schema):
    """Tokens of the pictures, where the upstream counts them."""

    image_gen: UsageSchema
    web_search: dict[str, int]


class ResponseErrorSchema(Schema):
    """Why a response failed."""

    code: str
    message: str


class ResponseSchema(Schema):
    """OpenAI's Response, with imagegate's extensions."""

    id: str
    object: Literal["response"]
    created_at: int
    status: Literal["queued", "in_progress", "completed", "failed", "cancelled"]
    background: bool
    completed_at: int | None
    error: ResponseErrorSchema | None
    incomplete_details: None
    instructions: None
    max_output_tokens: None
    metadata: dict[str, str]
    model: str = Field(description="The model that makes the picture.")
    output: list[dict[str, Any]] = Field(description="`image_generation_call` for each picture, and a message.")
    parallel_tool_calls: bool
    previous_response_id: str | None
    reasoning: None
    safety_identifier: str | None
    store: bool
    temperature: None
    text: dict[str, Any]
    tool_choice: str | dict[str, str]
    tools: list[dict[str, Any]]
    top_p: None
    truncation: str
    usage: dict[str, Any] | None = Field(description="Of a language model, which there is none of: zeros.")
    user: None
    tool_usage: ToolUsageSchema | None = None
    operation_id: str
    provider: str | None
    not_honoured: list[str]
