"""Answers of OpenAI's Images API, with g4f's additions.

Contract: docs/protocols/openai-images.md#answers and docs/protocols/gradio-spaces.md#g4f-answers.
The requests are in openai_request.py.
"""

import json
from collections.abc import Sequence
from typing import Any

from imagegate.dialects.response import ApiResponse, RenderedPicture
from imagegate.domain.errors import Failure, FailureCode, RequestError
from imagegate.domain.operation.attempt import ACCEPTED, Attempt, AttemptState
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.representation import usage
from imagegate.domain.request.route import Route
from imagegate.domain.timing.failover import last_failure

GENERATION_PATHS = ("/v1/images/generations", "/v1/images/generate", "/v1/media/generate")
PATHS = (*GENERATION_PATHS, "/v1/images/edits", "/v1/images/variations")
"""The paths of this dialect below those that it shares with others."""
NO_USAGE = {
    "input_tokens": 0,
    "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "output_tokens": 0,
    "total_tokens": 0,
}
"""Every event of a stream must carry usage, also when the upstream does not count tokens."""


def wants_base64(operation: Operation) -> bool:
    """True when the caller wants the bytes in the answer, not a URL."""
    return operation.reply.get("response_format") == "b64_json"


def render_success(operation: Operation, rendered_pictures: Sequence[RenderedPicture]) -> ApiResponse:
    """The answer to a finished operation, as JSON or as the events of a stream."""
    if _streams(operation):
        return _stream(_completed(operation, rendered_pictures))
    first = rendered_pictures[0].picture
    extras = {
        "background": operation.request.background if operation.request.background != "auto" else None,
        "usage": usage(operation.usage),
    }
    return ApiResponse(
        200,
        {
            "created": int(operation.ended_at or operation.created_at),
            "data": [_datum(rendered) for rendered in rendered_pictures],
            "output_format": first.content_type.removeprefix("image/"),
            "size": f"{first.width}x{first.height}",
            "model": operation.model,
            "provider": operation.provider,
            "operation_id": operation.id,
            "seed": first.seed,
            **{name: value for name, value in extras.items() if value is not None},
            **_ignored_fields(operation),
            **_identifier(operation),
        },
    )


def _ignored_fields(operation: Operation) -> dict[str, list[str]]:
    """What whoever made the pictures did not do as it was asked."""
    names = sorted({name for attempt in operation.attempts if _made_it(attempt) for name in attempt.not_honoured})
    return {"not_honoured": names} if names else {}


def _made_it(attempt: Attempt) -> bool:
    return attempt.state is AttemptState.DONE


def _datum(rendered: RenderedPicture) -> dict[str, Any]:
    datum: dict[str, Any] = {"b64_json": rendered.b64} if rendered.b64 is not None else {"url": rendered.url}
    return datum | _revised(rendered)


def _revised(rendered: RenderedPicture) -> dict[str, str]:
    revised = rendered.picture.revised_prompt
    return {} if revised is None else {"revised_prompt": revised}


def _streams(operation: Operation) -> bool:
    return "stream" in operation.reply


def _stream(events: Sequence[dict[str, Any]]) -> ApiResponse:
    """A whole text/event-stream, sent at once: API Gateway's HTTP APIs cannot stream."""
    lines = [f"event: {event.get('type', 'error')}\ndata: {json.dumps(event)}\n\n" for event in events]
    return ApiResponse(200, "".join(lines).encode(), {"content-type": "text/event-stream"})


def _completed(operation: Operation, rendered_pictures: Sequence[RenderedPicture]) -> list[dict[str, Any]]:
    """An event for each picture; the tokens of all of them are in the last, so that adding up counts them once."""
    events = [_event(operation, rendered) for rendered in rendered_pictures]
    return [*events[:-1], events[-1] | {"usage": usage(operation.usage) or NO_USAGE}]


def _event(operation: Operation, rendered: RenderedPicture) -> dict[str, Any]:
    picture = rendered.picture
    return {
        "type": "image_edit.completed" if operation.request.inputs else "image_generation.completed",
        "b64_json": rendered.b64,
        "created_at": int(operation.ended_at or operation.created_at),
        "size": f"{picture.width}x{picture.height}",
        "quality": "auto",
        "background": "transparent" if operation.request.background == "transparent" else "opaque",
        "output_format": picture.content_type.removeprefix("image/"),
        "usage": NO_USAGE,
        "model": operation.model,
        "provider": picture.provider,
        "operation_id": operation.id,
        "seed": picture.seed,
        **_ignored_fields(operation),
        **_identifier(operation),
        **_revised(rendered),
    }


def _identifier(operation: Operation) -> dict[str, str]:
    """OpenAI echoes the `safety_identifier`, or the `user` that it replaces."""
    return {name: operation.reply[name] for name in ("safety_identifier",) if name in operation.reply}


_REFUSAL_STATUSES = {
    "invalid_api_key": 401,
    "model_not_allowed": 403,
    "model_not_found": 404,
    "provider_not_found": 404,
    "operation_not_found": 404,
    "wrong_state": 409,
    "conflict": 409,
    "request_too_large": 413,
    "idempotency_key_reused": 422,
    "gone": 410,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
}
_REFUSAL_KINDS = {"rate_limit_exceeded": "requests", "insufficient_quota": "insufficient_quota"}
"""OpenAI's words for the `type` of a 429; what is not here is the caller's mistake."""


_PARAMS = {"steps": "num_inference_steps", "guidance": "guidance_scale"}
"""The domain's names of fields that this dialect calls otherwise."""


def render_refusal(error: RequestError) -> ApiResponse:
    """The answer to a request that has to be changed."""
    status = _REFUSAL_STATUSES.get(error.code, 400)
    param = _PARAMS.get(error.param or "", error.param)
    text = error.message.replace(f"'{error.param}'", f"'{param}'")
    message = f"{text} {error.remedy}" if error.remedy else text
    kind = _REFUSAL_KINDS.get(error.code, "invalid_request_error")
    return render_error(status, message, kind, error.code, param)


# After money may have been spent only a 4xx is safe: clients repeat every 5xx
# (docs/protocols/openai-images.md#retries).
_FAILURES = {
    FailureCode.CONTENT_FILTERED: (400, "image_generation_user_error", "moderation_blocked"),
    FailureCode.INVALID_REQUEST: (400, "invalid_request_error", "invalid_request"),
    FailureCode.RATE_LIMITED: (429, "rate_limit_error", "rate_limit_exceeded"),
    FailureCode.CAPACITY: (503, "server_error", "capacity"),
}


def render_failure(reason: Failure, operation: Operation) -> ApiResponse:
    """The answer to an operation that failed; in a stream the clients find it in an event."""
    answer = _failure(reason, operation)
    return _stream([answer.body]) if _streams(operation) else answer


def _failure(reason: Failure, operation: Operation) -> ApiResponse:
    status, kind, code = _FAILURES.get(reason.code, (424, "server_error", str(reason.code)))
    free = reason.certainly_free
    headers = {"x-should-retry": "true" if free else "false"}
    if free:
        headers["retry-after"] = str(round(min(max(reason.retry_after or 5, 1), 59)))
    answer = render_error(status, reason.message, kind, code, None)
    return ApiResponse(status, {**answer.body, "operation_id": operation.id}, headers)


def render_pending(operation: Operation, repeats: bool, retry_after: int) -> ApiResponse:
    """The pictures are still being made; `repeats`: the client posts again on a 503."""
    message = (
        f"The picture is still being made. Nothing is lost: GET /v1/operations/{operation.id}/wait "
        f"with the same key waits on, or repeat the same request.{_so_far(operation)}"
    )
    answer = render_error(503 if repeats else 504, message, "server_error", "operation_pending", None)
    headers = {"retry-after": str(retry_after), "location": f"/v1/operations/{operation.id}/wait"}
    repeat = {"x-should-retry": "true"} if repeats else {}
    return ApiResponse(answer.status, {**answer.body, "operation_id": operation.id}, headers | repeat)


def too_large(operation: Operation, urls: Sequence[str]) -> ApiResponse:
    """The pictures are there, but not as base64 in one answer; their URLs are, so that nothing paid for is lost."""
    message = (
        "The pictures are made, but as base64 they are more than one answer can hold here. Fetch them from "
        f"`data[].url` or /v1/operations/{operation.id}; next time ask for response_format 'url', for fewer pictures, "
        "or at the address that redirects."
    )
    answer = render_error(422, message, "invalid_request_error", "answer_too_large", "response_format")
    data = [{"url": url} for url in urls]
    return ApiResponse(422, {**answer.body, "operation_id": operation.id, "data": data}, {"x-should-retry": "false"})


def _so_far(operation: Operation) -> str:
    """Why it takes long, while nobody has accepted it."""
    attempts = operation.counted_attempts
    if any(attempt.state in ACCEPTED for attempt in attempts) or not any(attempt.failure for attempt in attempts):
        return ""
    reason = last_failure(attempts)
    return f" So far nobody has taken it: {reason.code}, {reason.message}"


def render_error(status: int, message: str, kind: str, code: str | None, param: str | None) -> ApiResponse:
    """OpenAI's error body; all four keys are always there."""
    return ApiResponse(status, {"error": {"message": message, "type": kind, "param": param, "code": code}})


def render_model(route: Route) -> dict[str, Any]:
    """One entry of GET /v1/models."""
    return {
        "id": route.model,
        "object": "model",
        "created": 0,
        "owned_by": "imagegate",
        "description": route.description,
        "aliases": list(route.aliases),
        "providers": [target.provider for target in route.targets],
    }
