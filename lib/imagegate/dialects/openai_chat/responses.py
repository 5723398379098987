"""Answers of OpenAI's Chat Completions API with pictures as OpenRouter has them.

Contract: docs/protocols/openai-responses.md#chat-completions.
"""

from collections.abc import Mapping
from typing import Any

from imagegate.dialects.dialect import RenderContext
from imagegate.dialects.openai import responses as openai_responses
from imagegate.dialects.response import ApiResponse, failure_of, ignored_fields, to_event_stream
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.picture import Picture


def render_ended(operation: Operation, context: RenderContext) -> ApiResponse:
    """The completion, or the failure as an HTTP error: nothing of a stream has been sent yet. Raises Gone."""
    if failure := failure_of(operation):
        return openai_responses.render_failure_as_json(failure, operation)
    messages = [_message(operation, picture, context) for picture in operation.pictures]
    if "stream" in operation.reply:
        return _stream(operation, messages)
    choices = [
        {"index": at, "message": message, "logprobs": None, "finish_reason": "stop"}
        for at, message in enumerate(messages)
    ]
    body = {**_head(operation, "chat.completion"), "choices": choices, "usage": _usage(operation)}
    return ApiResponse(200, {**body, **_extras(operation)})


def _message(operation: Operation, picture: Picture, context: RenderContext) -> dict[str, Any]:
    """A picture as a message; its link is for front ends that show only text."""
    link = f"{context.public_url}{context.picture_link(operation, picture.slot)}"
    content = f"![picture]({link})" if "markdown" in operation.reply else ""
    url = f"data:{picture.content_type};base64,{context.read_base64(operation, picture)}"
    image = {"type": "image_url", "image_url": {"url": url}, "index": 0}
    return {"role": "assistant", "content": content, "refusal": None, "images": [image]}


def _stream(operation: Operation, messages: list[dict[str, Any]]) -> ApiResponse:
    """The chunks."""
    head, chunks = _head(operation, "chat.completion.chunk"), list[dict[str, Any]]()
    for at, message in enumerate(messages):
        deltas: list[Mapping[str, Any]] = [
            {"role": "assistant", "content": message["content"]},
            {"images": message["images"]},
        ]
        chunks += [{**head, "choices": [_choice(at, delta)]} for delta in deltas]
        chunks.append({**head, "choices": [_choice(at, {}, "stop")], **_extras(operation)})
    if "include_usage" in operation.reply:
        chunks.append({**head, "choices": [], "usage": _usage(operation)})
    return to_event_stream(("", data) for data in (*chunks, "[DONE]"))


def _choice(index: int, delta: Mapping[str, Any], reason: str | None = None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": reason}


def _head(operation: Operation, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{operation.id}",
        "object": kind,
        "created": int(operation.created_at),
        "model": operation.model,
    }


def _extras(operation: Operation) -> dict[str, Any]:
    """imagegate's extensions."""
    return {
        "provider": operation.provider,
        "operation_id": operation.id,
        "not_honoured": sorted(ignored_fields(operation)),
    }


def _usage(operation: Operation) -> dict[str, Any]:
    """The tokens of the pictures; 0 where the upstream counts none."""
    tokens = operation.usage
    return {
        "prompt_tokens": tokens.input_tokens if tokens else 0,
        "completion_tokens": tokens.output_tokens if tokens else 0,
        "total_tokens": tokens.total_tokens if tokens else 0,
        "prompt_tokens_details": {
            "text_tokens": tokens.input_text_tokens if tokens else 0,
            "image_tokens": tokens.input_image_tokens if tokens else 0,
        },
    }
