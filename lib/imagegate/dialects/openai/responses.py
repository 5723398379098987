"""Answers of OpenAI's Images API, with g4f's additions.

Contract: docs/protocols/openai-images.md#answers and docs/protocols/gradio-spaces.md#g4f-answers.
"""

import base64
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from imagegate.dialects.openai.events import completed_events, partial_events
from imagegate.dialects.openai.parts import format_of, identifier_of, ignored_fields_of, revised_of
from imagegate.dialects.response import (
    REFUSAL_STATUSES,
    ApiResponse,
    RenderedPartial,
    RenderedPicture,
    failure_text,
    ignored_fields,
    redirect_advice,
    to_event_stream,
)
from imagegate.domain.errors import RequestError
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.attempt import ACCEPTED
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.representation import usage
from imagegate.domain.request.names import spellings
from imagegate.domain.timing.failover import last_failure

_MOST_OF_BOTH = 3_000_000
"""Bytes of pictures up to which an answer has them beside their URLs, when the caller did not say which it wants."""


def wants_url(operation: Operation) -> bool:
    """True when the answer has URLs."""
    return operation.reply.get("response_format") not in ("b64_json", "bytes")


def wants_base64(operation: Operation) -> bool:
    """True when the answer has bytes."""
    if operation.reply.get("response_format") == "both":
        return sum(picture.bytes for picture in operation.pictures) <= _MOST_OF_BOTH
    return operation.reply.get("response_format") in ("b64_json", "bytes")


def render_success(
    operation: Operation, rendered_pictures: Sequence[RenderedPicture], partials: Sequence[RenderedPartial] = ()
) -> ApiResponse:
    """The answer to a finished operation, as JSON or as the events of a stream, which `partials` come first in."""
    if _streams(operation):
        events = [*partial_events(operation, partials), *completed_events(operation, rendered_pictures)]
        return to_event_stream((event["type"], event) for event in events)
    if operation.reply.get("response_format") == "bytes":
        return _bytes(operation, rendered_pictures[0])
    first = rendered_pictures[0].picture
    extras = {
        "background": operation.request.background if operation.request.background != "auto" else None,
        "usage": usage(operation.usage),
        "provider_reason": _provider_reason(operation),
    }
    return ApiResponse(
        200,
        {
            "created": int(operation.ended_at or operation.created_at),
            "data": [_datum(rendered) for rendered in rendered_pictures],
            "output_format": format_of(first),
            "size": f"{first.width}x{first.height}",
            "model": _model(operation),
            "provider": operation.provider,
            "operation_id": operation.id,
            "seed": first.seed,
            **{name: value for name, value in extras.items() if value is not None},
            **ignored_fields_of(operation),
            **identifier_of(operation),
        },
    )


def _model(operation: Operation) -> str:
    """The model that made the picture: the name that was asked for where that was passed through to the provider."""
    made = [attempt for attempt in operation.attempts if attempt.provider == operation.provider]
    return made[-1].model if made and made[-1].model in spellings(operation.request.model) else operation.model


def _provider_reason(operation: Operation) -> str | None:
    """Why that provider made the picture; `None` when it is the first of the model's route."""
    made = [attempt for attempt in operation.attempts if attempt.provider == operation.provider and attempt.reason]
    return made[-1].reason if made else None


def _datum(rendered: RenderedPicture) -> dict[str, Any]:
    single_colour = rendered.picture.single_colour or None
    datum: dict[str, Any] = {"b64_json": rendered.b64, "url": rendered.url, "single_colour": single_colour}
    return {name: value for name, value in datum.items() if value is not None} | revised_of(rendered)


def _bytes(operation: Operation, rendered: RenderedPicture) -> ApiResponse:
    """The picture itself, for Hugging Face's clients. What JSON would say besides is in headers."""
    picture, ignored = rendered.picture, quote(", ".join(sorted(ignored_fields(operation))), safe=" ,")
    headers = {
        "content-type": picture.content_type,
        "x-imagegate-operation-id": operation.id,
        "x-imagegate-provider": picture.provider,
        **({"x-imagegate-not-honoured": ignored} if ignored else {}),
        **({"content-disposition": "attachment"} if format_of(picture) == "svg" else {}),
    }
    return ApiResponse(200, base64.b64decode(rendered.b64 or ""), headers)


def _streams(operation: Operation) -> bool:
    return "stream" in operation.reply


_REFUSAL_KINDS = {"rate_limit_exceeded": "requests", "insufficient_quota": "insufficient_quota"}
"""OpenAI's `type` of a 429; every other refusal is an `invalid_request_error`."""


def render_refusal(error: RequestError) -> ApiResponse:
    """The answer to a request that the caller has to change."""
    status = REFUSAL_STATUSES.get(error.code, 400)
    message = f"{error.message} {error.remedy}" if error.remedy else error.message
    kind = _REFUSAL_KINDS.get(error.code, "invalid_request_error")
    return render_error(status, message, kind, error.code, error.param)


# Once money may have been spent, only a 4xx is safe: clients repeat every 5xx
# (docs/protocols/openai-images.md#retries).
_FAILURES = {
    FailureCode.CONTENT_FILTERED: (400, "image_generation_user_error", "moderation_blocked"),
    FailureCode.INVALID_REQUEST: (400, "invalid_request_error", "invalid_request"),
    FailureCode.RATE_LIMITED: (429, "rate_limit_error", "rate_limit_exceeded"),
    FailureCode.CAPACITY: (503, "server_error", "capacity"),
}


def render_failure(reason: Failure, operation: Operation) -> ApiResponse:
    """The answer to a failed operation. Clients of a stream read it from an event."""
    answer = render_failure_as_json(reason, operation)
    return to_event_stream([("error", answer.body)]) if _streams(operation) else answer


def render_failure_as_json(reason: Failure, operation: Operation) -> ApiResponse:
    """The answer to a failed operation, also to a client that asked for a stream."""
    status, kind, code = _FAILURES.get(reason.code, (424, "server_error", str(reason.code)))
    free = reason.certainly_free
    headers = {"x-should-retry": "true" if free else "false"}
    if free:
        headers["retry-after"] = str(round(min(max(reason.retry_after or 5, 1), 59)))
    answer = render_error(status, failure_text(reason), kind, code, None)
    return ApiResponse(status, {**answer.body, "operation_id": operation.id}, headers)


def render_pending(operation: Operation, repeats: bool, retry_after: int) -> ApiResponse:
    """The answer while the operation runs. `repeats`: the client posts again after a 503."""
    message = (
        f"The picture is still being made. Nothing is lost: GET /v1/operations/{operation.id}/wait "
        f"with the same key waits on, or repeat the same request.{_so_far(operation)}"
    )
    answer = render_error(503 if repeats else 504, message, "server_error", "operation_pending", None)
    headers = {"retry-after": str(retry_after), "location": f"/v1/operations/{operation.id}/wait"}
    repeat = {"x-should-retry": "true"} if repeats else {}
    return ApiResponse(answer.status, {**answer.body, "operation_id": operation.id}, headers | repeat)


def render_redirect(operation: Operation, location: str) -> ApiResponse:
    """303 with an error that says what to do, for clients that show it instead of following the redirect."""
    code = "answer_too_large" if operation.done else "operation_pending"
    error = render_error(303, redirect_advice(operation), "server_error", code, None)
    return ApiResponse(303, {**error.body, "operation_id": operation.id}, {"location": location})


def render_too_large(operation: Operation, urls: Sequence[str], smaller: str, param: str | None) -> ApiResponse:
    """The answer in place of base64 that is too large: an error with the pictures' URLs, so that none is lost.

    `smaller`: what makes the next answer smaller; `param`: the field that decides it.
    """
    message = (
        "The pictures are made, but as base64 they are too large for one answer of this address. Fetch them from "
        f"`data[].url` or /v1/operations/{operation.id}; next time use {smaller}, or the "
        "address that redirects."
    )
    answer = render_error(422, message, "invalid_request_error", "answer_too_large", param)
    data = [{"url": url} for url in urls]
    return ApiResponse(422, {**answer.body, "operation_id": operation.id, "data": data}, {"x-should-retry": "false"})


def _so_far(operation: Operation) -> str:
    """Why it takes long, while no provider has accepted it."""
    attempts = operation.counted_attempts
    if any(attempt.state in ACCEPTED for attempt in attempts) or not any(attempt.failure for attempt in attempts):
        return ""
    reason = last_failure(attempts)
    return f" No provider has accepted it yet: {reason.code}, {reason.message}"


def render_error(status: int, message: str, kind: str, code: str | None, param: str | None) -> ApiResponse:
    """OpenAI's error body, always with all four keys."""
    return ApiResponse(status, {"error": {"message": message, "type": kind, "param": param, "code": code}})
