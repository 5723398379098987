"""What a dialect hands to the web layer."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.attempt import AttemptState
from imagegate.domain.operation.honoured import not_honoured
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.partial import Partial
from imagegate.domain.operation.picture import Picture

REFUSAL_STATUSES: Mapping[str, int] = {
    "invalid_api_key": 401,
    "model_not_allowed": 403,
    "model_not_found": 404,
    "model_not_available": 404,
    "provider_not_found": 404,
    "operation_not_found": 404,
    "image_not_found": 404,
    "wrong_state": 409,
    "conflict": 409,
    "request_too_large": 413,
    "unsupported_encoding": 415,
    "idempotency_key_reused": 422,
    "gone": 410,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
}
"""The HTTP status of a refusal by its code; 400 for every other code."""
_REMEDIES = {
    FailureCode.CONTENT_FILTERED: "Change the prompt, or name another provider or model.",
    FailureCode.INVALID_REQUEST: "Change the request, or name another provider or model.",
    FailureCode.RATE_LIMITED: "Send the request again later, or name another model.",
    FailureCode.CAPACITY: "Send the request again later, or name another model.",
    FailureCode.AUTH: "Name another model, or tell the operator of this gateway.",
    FailureCode.NO_CREDIT: "Name another model, or tell the operator of this gateway.",
    FailureCode.NOT_FOUND: "Name another model, or tell the operator of this gateway.",
    FailureCode.BUDGET_EXCEEDED: "Tell the operator of this gateway, who sets the API key's limits.",
}
"""What the caller can do about a failure. That of a deadline says it itself; who cancels needs no advice."""
_OTHERWISE = "Send the request again, or name another model."
_CANCELLED = Failure(FailureCode.CANCELLED, "The operation was cancelled.")


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """An HTTP answer. A `body` of bytes is sent as it is, any other as JSON."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        """The answer with `headers` added."""
        return replace(self, headers={**self.headers, **headers})

    def encode(self) -> bytes:
        """The body as it is sent."""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()


def render_event(name: str, data: Any) -> str:
    """One event of a text/event-stream, without a name where that is empty. A text is sent as it is, else as JSON."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"event: {name}\ndata: {text}\n\n" if name else f"data: {text}\n\n"


def to_event_stream(events: Iterable[tuple[str, Any]]) -> ApiResponse:
    """A whole text/event-stream of names and data, sent at once: API Gateway's HTTP APIs cannot stream."""
    body = "".join(render_event(name, data) for name, data in events).encode()
    return ApiResponse(200, body, {"content-type": "text/event-stream"})


@dataclass(frozen=True, slots=True)
class RenderedPicture:
    """A picture in the form that the caller asked for: its URL, or its bytes in base64."""

    picture: Picture
    url: str | None = None
    b64: str | None = None


@dataclass(frozen=True, slots=True)
class RenderedPartial:
    """A partial picture and its bytes in base64."""

    partial: Partial
    b64: str | None


def failure_of(operation: Operation) -> Failure | None:
    """Why an ended operation has no pictures; `None` when it succeeded."""
    return _CANCELLED if operation.state is State.CANCELLED else operation.failure


def failure_text(failure: Failure) -> str:
    """Why there are no pictures, and what the caller can do."""
    if failure.code in (FailureCode.DEADLINE_EXCEEDED, FailureCode.CANCELLED):
        return failure.message
    message = failure.message if failure.message.endswith((".", "!", "?")) else f"{failure.message}."
    return f"{message} {_REMEDIES.get(failure.code, _OTHERWISE)}"


def redirect_advice(operation: Operation) -> str:
    """What to do at a redirect that the client does not follow: it waits, or its answer is too large for Lambda."""
    if operation.done:
        return (
            "The answer is too large for this response: GET the URL in the header Location, without credentials. "
            f"/v1/operations/{operation.id} has the pictures too."
        )
    return (
        "The picture is still being made, and nothing is lost. Follow the redirect; or repeat the same request in some "
        f"seconds, which gets the same picture; or GET /v1/operations/{operation.id}/wait with the same key."
    )


def ignored_fields(operation: Operation) -> set[str]:
    """The request's fields that the providers or the pictures themselves did not honour, by the domain's names."""
    made = (attempt.not_honoured for attempt in operation.attempts if attempt.state is AttemptState.DONE)
    unmet = (not_honoured(operation, picture) for picture in operation.pictures)
    return {name for names in (*made, *unmet) for name in names}
