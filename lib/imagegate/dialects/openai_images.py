"""OpenAI's Images API, with g4f's additions.

Contract: reference/openai_images.md §1-3 and reference/gradio_spaces.md §1. Every optional field accepts
null, unknown fields are ignored.
"""

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from imagegate.dialects.answer import Answer, Handout
from imagegate.dialects.parsing import document_of, first_problem
from imagegate.domain.coalescing import digest
from imagegate.domain.errors import Failure, FailureCode, InvalidRequest, RequestError
from imagegate.domain.geometry import Size
from imagegate.domain.operation import Operation
from imagegate.domain.request import ImageRequest, Message
from imagegate.domain.route import Route
from imagegate.usecases.start import Ask

NAME = "openai_images"
GENERATION_PATHS = ("/v1/images/generations", "/v1/images/generate", "/v1/media/generate")
PATHS = (*GENERATION_PATHS, "/v1/images/edits", "/v1/images/variations")
"""The paths of this dialect below those that it shares with others."""
DEFAULT_MODEL = "flux"
_ALWAYS_BASE64 = re.compile(r"^(gpt|chatgpt)-image")
NO_USAGE = {
    "input_tokens": 0,
    "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "output_tokens": 0,
    "total_tokens": 0,
}
"""Streams must carry usage; the upstreams of today's routes do not count tokens."""
_SIZE = re.compile(r"^([1-9]\d{0,4})x([1-9]\d{0,4})$")
Pixels = Annotated[int, Field(ge=1, le=16384)]


class GenerationsBody(BaseModel):
    """The body of POST /v1/images/generations."""

    model_config = ConfigDict(extra="ignore")

    prompt: Annotated[str, Field(min_length=1, max_length=32_000)]
    model: str | None = None
    n: Annotated[int, Field(ge=1, le=10)] | None = None
    size: str | None = None
    width: Pixels | None = None
    height: Pixels | None = None
    response_format: Literal["url", "b64_json"] | None = None
    output_format: Literal["png", "jpeg", "webp"] | None = None
    seed: Annotated[int, Field(ge=0)] | None = None
    num_inference_steps: Annotated[int, Field(ge=1, le=50)] | None = None
    provider: str | None = None
    stream: bool | None = None

    @field_validator("size")
    @classmethod
    def _size_is_pixels(cls, value: str | None) -> str | None:
        if value in (None, "", "auto") or _SIZE.match(value):
            return value
        raise ValueError("must be 'auto' or WIDTHxHEIGHT in pixels, such as '1024x768'")


def parse(body: bytes, provider: str | None = None) -> Ask:
    """Understand a request; `provider` comes from g4f's path form.

    Raises InvalidRequest with the offending field in `param`.
    """
    document = document_of(body)
    try:
        asked = GenerationsBody.model_validate(document)
    except ValidationError as error:
        raise first_problem(error) from None
    model = asked.model or DEFAULT_MODEL
    request = ImageRequest(
        model=model,
        messages=(Message(asked.prompt),),
        n=asked.n or 1,
        size=_size(asked),
        seed=asked.seed,
        steps=asked.num_inference_steps,
        output_format=asked.output_format,
        provider=asked.provider or provider,
    )
    default_format = "b64_json" if _ALWAYS_BASE64.match(model) else "url"
    reply = {"response_format": asked.response_format or default_format}
    if asked.stream:
        reply = {"response_format": "b64_json", "stream": "true"}
    return Ask(request, NAME, reply, digest=digest({**document, "provider": request.provider}), coalesce=True)


def _size(asked: GenerationsBody) -> Size | None:
    if asked.width and asked.height:
        return Size(asked.width, asked.height)
    if asked.width or asked.height:
        raise InvalidRequest("width and height go together.", param="height" if asked.width else "width")
    matched = _SIZE.match(asked.size or "")
    return Size(int(matched[1]), int(matched[2])) if matched else None


def wants_base64(operation: Operation) -> bool:
    """True when the caller wants the bytes in the answer, not a URL."""
    return operation.reply.get("response_format") == "b64_json"


def success(operation: Operation, handouts: Sequence[Handout]) -> Answer:
    """The answer to a finished operation, as JSON or as the events of a stream."""
    if _streams(operation):
        return _stream([_completed(operation, handout) for handout in handouts])
    first = handouts[0].picture
    return Answer(
        200,
        {
            "created": int(operation.ended_at or operation.created_at),
            "data": [_datum(handout) for handout in handouts],
            "output_format": first.content_type.removeprefix("image/"),
            "size": f"{first.width}x{first.height}",
            "model": operation.model,
            "provider": operation.provider,
            "operation_id": operation.id,
            "seed": first.seed,
        },
    )


def _datum(handout: Handout) -> dict[str, Any]:
    return {"b64_json": handout.b64} if handout.b64 is not None else {"url": handout.url}


def _streams(operation: Operation) -> bool:
    return "stream" in operation.reply


def _stream(events: Sequence[dict[str, Any]]) -> Answer:
    """A whole text/event-stream, sent at once: API Gateway's HTTP APIs cannot stream."""
    lines = [f"event: {one.get('type', 'error')}\ndata: {json.dumps(one)}\n\n" for one in events]
    return Answer(200, "".join(lines).encode(), {"content-type": "text/event-stream"})


def _completed(operation: Operation, handout: Handout) -> dict[str, Any]:
    picture = handout.picture
    return {
        "type": "image_generation.completed",
        "b64_json": handout.b64,
        "created_at": int(operation.ended_at or operation.created_at),
        "size": f"{picture.width}x{picture.height}",
        "quality": "auto",
        "background": "opaque",
        "output_format": picture.content_type.removeprefix("image/"),
        "usage": NO_USAGE,
        "operation_id": operation.id,
    }


_REFUSAL_STATUSES = {
    "model_not_found": 404,
    "operation_not_found": 404,
    "wrong_state": 409,
    "idempotency_key_reused": 422,
    "gone": 410,
}


def refusal(error: RequestError) -> Answer:
    """The answer to a request that has to be changed."""
    status = _REFUSAL_STATUSES.get(error.code, 400)
    message = f"{error.message} {error.remedy}" if error.remedy else error.message
    return problem(status, message, "invalid_request_error", error.code, error.param)


# After money may have been spent only a 4xx is safe: clients repeat every 5xx (reference §4.1).
_FAILURES = {
    FailureCode.CONTENT_FILTERED: (400, "image_generation_user_error", "moderation_blocked"),
    FailureCode.INVALID_REQUEST: (400, "invalid_request_error", "invalid_request"),
    FailureCode.RATE_LIMITED: (429, "rate_limit_error", "rate_limit_exceeded"),
    FailureCode.CAPACITY: (503, "server_error", "capacity"),
}


def failure(reason: Failure, operation: Operation) -> Answer:
    """The answer to an operation that failed; in a stream the clients find it in an event."""
    answer = _failure(reason, operation)
    return _stream([answer.body]) if _streams(operation) else answer


def _failure(reason: Failure, operation: Operation) -> Answer:
    status, kind, code = _FAILURES.get(reason.code, (424, "server_error", str(reason.code)))
    free = reason.surely_free
    headers = {"x-should-retry": "true" if free else "false"}
    if free:
        headers["retry-after"] = str(round(min(max(reason.retry_after or 5, 1), 59)))
    answer = problem(status, reason.message, kind, code, None)
    return Answer(status, {**answer.body, "operation_id": operation.id}, headers)


def still_pending(operation: Operation, repeats: bool, retry_after: int) -> Answer:
    """The pictures are still being made; `repeats`: the client posts again on a 503."""
    message = (
        f"The picture is still being made. Nothing is lost: GET /v1/operations/{operation.id}/wait "
        "with the same key waits on, or repeat the same request."
    )
    answer = problem(503 if repeats else 504, message, "server_error", "operation_pending", None)
    headers = {"retry-after": str(retry_after), "location": f"/v1/operations/{operation.id}/wait"}
    repeat = {"x-should-retry": "true"} if repeats else {}
    return Answer(answer.status, {**answer.body, "operation_id": operation.id}, headers | repeat)


def problem(status: int, message: str, kind: str, code: str | None, param: str | None) -> Answer:
    """OpenAI's error body; all four keys are always there."""
    return Answer(status, {"error": {"message": message, "type": kind, "param": param, "code": code}})


def model_card(route: Route) -> dict[str, Any]:
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
