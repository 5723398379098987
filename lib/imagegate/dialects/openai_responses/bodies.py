"""Fields of OpenAI's Responses API that have an effect here.

Contract: docs/protocols/openai-responses.md#requests.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from imagegate.dialects.cleaning import allow_empty
from imagegate.dialects.parsing import Line, Metadata, Prompt

_MOST_ITEMS = 1000


class ToolBody(BaseModel):
    """What the tool image_generation has beside the options of the Images API, which are read as those are."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    model: Annotated[Line, Field(max_length=200)] | None = None
    action: Literal["auto", "generate", "edit"] | None = None
    input_image_mask: dict[str, Any] | None = None


class ResponsesBody(BaseModel):
    """The body of POST /v1/responses. The options of the picture are in the tool, or beside `input`."""

    model_config = ConfigDict(extra="ignore", json_schema_extra=allow_empty, defer_build=True)

    input: Prompt | Annotated[list[dict[str, Any]], Field(min_length=1, max_length=_MOST_ITEMS)] = Field(
        description="The prompt, or messages of which the user's last ones are the prompt. A part `input_image` is an "
        "input picture."
    )
    model: Annotated[Line, Field(max_length=200)] | None = Field(
        None, description="The model that makes the picture. A language model's name is accepted beside the tool."
    )
    tools: Annotated[list[dict[str, Any]], Field(max_length=128)] | None = Field(
        None,
        description="`image_generation` with the options of the picture.",
        examples=[[{"type": "image_generation"}]],
    )
    tool_choice: str | dict[str, Any] | None = None
    instructions: str | None = Field(None, description="Only with `expand`.")
    background: bool | None = Field(None, description="Answer at once; GET the response until it has ended.")
    stream: bool | None = None
    store: bool | None = Field(
        None, description="`false`: neither the prompt nor the response can be read after the operation has ended."
    )
    previous_response_id: Annotated[Line, Field(max_length=100)] | None = Field(
        None, description="The response whose pictures are to be edited."
    )
    metadata: Metadata | None = None
