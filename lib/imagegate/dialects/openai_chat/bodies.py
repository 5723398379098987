"""Fields of OpenAI's Chat Completions API, and of OpenRouter's, that have an effect here.

Contract: docs/protocols/openai-responses.md#chat-completions.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from imagegate.dialects.cleaning import allow_empty
from imagegate.dialects.parsing import Line, Metadata

_MOST_MESSAGES = 1000


class ChatBody(BaseModel):
    """The body of POST /v1/chat/completions. The options of the picture stand beside `messages`."""

    model_config = ConfigDict(extra="ignore", json_schema_extra=allow_empty, defer_build=True)

    messages: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=_MOST_MESSAGES)] = Field(
        description="The user's last messages are the prompt; a part `image_url` is an input picture."
    )
    model: Annotated[Line, Field(max_length=200)] | None = Field(None, description="The model that makes the picture.")
    modalities: Annotated[list[str], Field(max_length=10)] | None = Field(
        None, description="With `image`, if it is there.", examples=[["image", "text"]]
    )
    markdown: bool | None = Field(
        None,
        description="Whether `content` links to the pictures in Markdown, for front ends that show only text. By "
        "default it does unless `modalities` are sent (imagegate's extension).",
    )
    image_config: dict[str, Any] | None = Field(None, description="OpenRouter's `aspect_ratio` and `image_size`.")
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    metadata: Metadata | None = None
