"""Answers of OpenAI's Responses API. Contract: docs/protocols/openai-responses.md#answers."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from imagegate.dialects.dialect import RenderContext
from imagegate.dialects.openai import responses as openai_responses
from imagegate.dialects.openai.parts import format_of
from imagegate.dialects.openai_responses import ids
from imagegate.dialects.openai_responses.events import last_sent, render_events
from imagegate.dialects.openai_responses.events import render_partial as render_events_of_partial
from imagegate.dialects.response import ApiResponse, failure_of, ignored_fields, to_event_stream
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.partial import Partial
from imagegate.domain.operation.picture import Picture
from imagegate.domain.operation.representation import usage

_STATUSES = {
    State.QUEUED: "queued",
    State.RUNNING: "in_progress",
    State.SUCCEEDED: "completed",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
}
_CODES = {
    FailureCode.CONTENT_FILTERED: "image_content_policy_violation",
    FailureCode.INVALID_REQUEST: "invalid_prompt",
    FailureCode.RATE_LIMITED: "rate_limit_exceeded",
}
"""OpenAI's codes; every other failure is a `server_error`."""
_QUALITIES = ("low", "medium", "high", "xhigh", "max")
_NO_MODEL_USAGE = {
    "input_tokens": 0,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 0,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 0,
}
"""`usage` counts the tokens of the language model, and there is none: `tool_usage` has those of the pictures."""


def render_ended(operation: Operation, context: RenderContext) -> ApiResponse:
    """The answer to a request that waited for the operation's end.

    A failure is an HTTP error unless the request asked for a background response: nothing has been sent yet, and every
    client raises an error for it.
    """
    failure = failure_of(operation)
    if failure and "background" not in operation.reply:
        return openai_responses.render_failure_as_json(failure, operation)
    if "stream" in operation.reply:
        sent = len(_of_first_picture(operation.partials[: context.partials_sent]))
        return render_stream(operation, context, last_sent(sent))
    return render_response(operation, context)


def render_response(operation: Operation, context: RenderContext, unused: Iterable[str] = ()) -> ApiResponse:
    """The response as it stands, with its pictures in base64. Raises Gone.

    `unused`: parameters of the URL without effect, to be named in it.
    """
    return ApiResponse(200, build_response(operation, context, unused))


def render_stream(
    operation: Operation, context: RenderContext, after: int = -1, unused: Iterable[str] = ()
) -> ApiResponse:
    """The events of an ended response whose sequence number is above `after`, sent at once. Raises Gone."""
    return render_events(build_response(operation, context, unused), after, _partials(operation, context))


def render_partial(operation: Operation, context: RenderContext) -> ApiResponse:
    """The event of the first partial picture that has not been sent; no event for one of another picture."""
    upto = replace(operation, partials=operation.partials[: context.partials_sent + 1])
    partials = _partials(upto, context)
    if len(partials) == len(_of_first_picture(operation.partials[: context.partials_sent])):
        return to_event_stream([])
    return render_events_of_partial(build_response(operation, context), ids.call_id(operation.id, 0), partials)


def _partials(operation: Operation, context: RenderContext) -> list[dict[str, Any]]:
    """What events tell of the partial pictures of the first picture that are kept.

    Those that were sent are without their bytes: they only count.
    """
    sent, events = operation.partials[: context.partials_sent], list[dict[str, Any]]()
    for partial in _of_first_picture(operation.partials):
        body = "" if partial in sent else context.read_partial(operation, partial)
        if body is not None:
            events.append(
                {
                    "partial_image_b64": body,
                    "partial_image_index": partial.index,
                    "size": f"{partial.width}x{partial.height}",
                    "output_format": format_of(partial),
                }
            )
    return events


def _of_first_picture(partials: Sequence[Partial]) -> list[Partial]:
    return [partial for partial in partials if partial.slot == 0]


def build_response(operation: Operation, context: RenderContext, unused: Iterable[str] = ()) -> dict[str, Any]:
    """OpenAI's Response, with imagegate's extensions. Raises Gone."""
    reply, failure = operation.reply, failure_of(operation) if operation.done else None
    tokens = usage(operation.usage)
    return {
        "id": ids.response_id(operation.id),
        "object": "response",
        "created_at": int(operation.created_at),
        "status": _STATUSES[operation.state],
        "background": "background" in reply,
        "completed_at": int(operation.ended_at or 0) if operation.state is State.SUCCEEDED else None,
        "error": _error(failure) if operation.state is State.FAILED and failure else None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "metadata": dict(operation.metadata),
        "model": operation.model,
        "output": _output(operation, context, failure),
        "parallel_tool_calls": True,
        "previous_response_id": reply.get("previous_response_id"),
        "reasoning": None,
        "safety_identifier": reply.get("safety_identifier"),
        "store": "not_stored" not in reply,
        "temperature": None,
        "text": {"format": {"type": "text"}},
        "tool_choice": _tool_choice(reply.get("tool_choice", "auto")),
        "tools": [_tool(operation)],
        "top_p": None,
        "truncation": "disabled",
        "usage": _NO_MODEL_USAGE if operation.done else None,
        "user": None,
        **({"tool_usage": {"image_gen": tokens, "web_search": {"num_requests": 0}}} if tokens else {}),
        "operation_id": operation.id,
        "provider": operation.provider,
        "not_honoured": sorted({*ignored_fields(operation), *unused}),
    }


def _output(operation: Operation, context: RenderContext, failure: Failure | None) -> list[dict[str, Any]]:
    calls = [_call(operation, picture, context) for picture in operation.pictures]
    if operation.state is State.FAILED and failure and not calls:
        return [_failed_call(operation, failure)]
    return [*calls, _message(operation)] if calls else []


def _call(operation: Operation, picture: Picture, context: RenderContext) -> dict[str, Any]:
    request = operation.request
    return {
        "id": ids.call_id(operation.id, picture.slot),
        "type": "image_generation_call",
        "status": "completed",
        "result": context.read_base64(operation, picture),
        "action": "edit" if request.inputs else "generate",
        "background": "transparent" if request.background == "transparent" else "opaque",
        "output_format": format_of(picture),
        "quality": request.quality if request.quality in _QUALITIES else "auto",
        "size": f"{picture.width}x{picture.height}",
        "revised_prompt": picture.revised_prompt,
    }


def _failed_call(operation: Operation, failure: Failure) -> dict[str, Any]:
    error = {"message": failure.message, "type": "image_generation_user_error", "code": "moderation_blocked"}
    refused = failure.code is FailureCode.CONTENT_FILTERED
    return {
        "id": ids.call_id(operation.id, 0),
        "type": "image_generation_call",
        "status": "failed",
        "result": None,
        **({"error": error} if refused else {}),
    }


def _message(operation: Operation) -> dict[str, Any]:
    """A line for clients that show only text, and for agents, which need a message at the end."""
    count = len(operation.pictures)
    text = f"{'The picture was' if count == 1 else f'{count} pictures were'} made by {operation.model}."
    return {
        "id": ids.message_id(operation.id),
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}],
    }


def _error(failure: Failure) -> dict[str, Any]:
    return {"code": _CODES.get(failure.code, "server_error"), "message": failure.message}


def _tool_choice(choice: str) -> str | dict[str, str]:
    return choice if choice in ("auto", "required") else {"type": "image_generation"}


def _tool(operation: Operation) -> dict[str, Any]:
    """The tool as it was understood."""
    request = operation.request
    size = request.size
    options = {
        "model": operation.model,
        "size": f"{size.width}x{size.height}" if size else None,
        "quality": request.quality if request.quality in _QUALITIES else None,
        "background": request.background,
        "moderation": request.moderation,
        "output_format": request.output_format,
        "output_compression": request.output_compression,
        "input_fidelity": request.input_fidelity,
        "partial_images": request.partial_images,
    }
    return {"type": "image_generation", **{name: value for name, value in options.items() if value is not None}}
