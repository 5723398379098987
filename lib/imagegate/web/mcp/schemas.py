"""Bodies of the endpoint in the OpenAPI document; the protocol's own schema says what methods take and give."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from imagegate.web.openapi_parts import Schema

Identity = Annotated[str | int, Field(description="Of the request, repeated in the answer.")]


class McpBody(BaseModel):
    """A request or, without `id`, a notification."""

    model_config = ConfigDict(extra="allow")

    jsonrpc: Literal["2.0"]
    id: Identity = ""
    method: Annotated[str, Field(min_length=1, examples=["tools/call"])]
    params: dict[str, Any] = {}


class McpErrorDetail(Schema):
    """What is wrong."""

    code: int = Field(description="JSON-RPC's or the protocol's; the HTTP status where no message was read.")
    message: str
    data: dict[str, Any] | None = None


class McpError(Schema):
    """An error of JSON-RPC."""

    jsonrpc: Literal["2.0"]
    id: Identity | None = None
    error: McpErrorDetail
