"""Answers of YandexART's asynchronous operations.

Bodies have only the documented keys, so that protobuf's strict parsers accept them; imagegate's additions are headers.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote

from imagegate.dialects.response import ApiResponse, failure_text, ignored_fields
from imagegate.domain.errors import RequestError
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.representation import rfc3339
from imagegate.domain.request.expansion import shorten

RESPONSE_TYPE = "type.googleapis.com/yandex.cloud.ai.foundation_models.v1.image_generation.ImageGenerationResponse"
_LONGEST_REVISED_PROMPT = 800
"""Characters. Percent-encoded, all headers together must fit into 10 KB."""
_LONGEST_LIST = 200
"""Characters of the names of fields that were not honoured."""


def render_pending(operation: Operation, retry_after: int | None = None) -> ApiResponse:
    """The running operation with the service's own keys: neither `response` nor `error`."""
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return ApiResponse(200, _frame(operation, done=False), headers)


def render_success(operation: Operation, image: str) -> ApiResponse:
    """The finished operation; `image` is the JPEG in standard base64."""
    response = {"@type": RESPONSE_TYPE, "image": image, "modelVersion": ""}
    return ApiResponse(200, {**_frame(operation, done=True), "response": response}, _headers(operation))


def _frame(operation: Operation, *, done: bool) -> dict[str, Any]:
    return {
        "id": operation.id,
        "description": "",
        "createdAt": rfc3339(operation.created_at) if done else None,
        "createdBy": "",
        "modifiedAt": rfc3339(operation.updated_at) if done else None,
        "done": done,
        "metadata": None,
    }


_NAMES = {"aspect_ratio": "aspectRatio"}
_NOT_HONOURED = "x-imagegate-not-honoured"


def with_unused(answer: ApiResponse, parameters: Iterable[str]) -> ApiResponse:
    """The answer whose header also names these parameters of its request's URL."""
    named = filter(None, unquote(answer.headers.get(_NOT_HONOURED, "")).split(", "))
    names = _list_names({*named, *parameters})
    return answer.with_headers({_NOT_HONOURED: names}) if names else answer


def _list_names(names: Iterable[str]) -> str:
    return quote(", ".join(sorted(names))[:_LONGEST_LIST], safe=" ,")


def _headers(operation: Operation) -> dict[str, str]:
    """What the documented body has no key for: the picture's provider, and the fields that it did not honour."""
    picture = operation.pictures[0] if operation.pictures else None
    ignored = {_NAMES.get(name, name) for name in ignored_fields(operation)}
    ignored |= {"mimeType"} if "mime_type" in operation.reply else set()
    revised = picture.revised_prompt if picture else None
    headers = {
        "model": operation.model,
        "provider": operation.provider,
        "seed": picture.seed if picture else None,
        # Headers are ASCII, so the prompt is percent-encoded UTF-8.
        "revised-prompt": quote(shorten(revised, _LONGEST_REVISED_PROMPT), safe=" ") if revised else None,
    }
    rendered = {f"x-imagegate-{name}": str(value) for name, value in headers.items() if value is not None}
    names = _list_names(ignored)
    return rendered | ({_NOT_HONOURED: names} if names else {})


_GRPC_OF_FAILURE = {
    FailureCode.INVALID_REQUEST: 3,
    FailureCode.CONTENT_FILTERED: 3,
    FailureCode.RATE_LIMITED: 8,
    FailureCode.NO_CREDIT: 8,
    FailureCode.BUDGET_EXCEEDED: 8,
    FailureCode.CAPACITY: 14,
    FailureCode.DEADLINE_EXCEEDED: 4,
    FailureCode.UPSTREAM_TIMEOUT: 4,
    FailureCode.CANCELLED: 1,
}
_INTERNAL = 13


def render_failure(operation: Operation, reason: Failure) -> ApiResponse:
    """The failed operation: 200 with an `error`, whose code is never 0 because clients read that as no error."""
    error = {"code": _GRPC_OF_FAILURE.get(reason.code, _INTERNAL), "message": failure_text(reason), "details": []}
    return ApiResponse(200, {**_frame(operation, done=True), "error": error})


_STATUS_OF_GRPC = {1: 499, 3: 400, 5: 404, 7: 403, 8: 429, 9: 400, 10: 409, 12: 405, 13: 500, 14: 503, 16: 401}
_GRPC_OF_STATUS = {404: 5, 405: 12, 429: 8, 503: 14}
_GRPC_OF_REFUSAL = {
    "invalid_api_key": 16,
    "model_not_allowed": 7,
    "operation_not_found": 5,
    "gone": 5,
    "model_not_found": 3,
    "model_not_available": 9,
    "wrong_state": 9,
    "conflict": 10,
    "rate_limit_exceeded": 8,
    "insufficient_quota": 8,
    "idempotency_key_reused": 9,
    "expansion_unavailable": 9,
}


def render_refusal(error: RequestError) -> ApiResponse:
    """The answer to a request that the caller has to change."""
    message = f"{error.message} {error.remedy}" if error.remedy else error.message
    return render_error(_GRPC_OF_REFUSAL.get(error.code, 3), message)


def render_breakdown(status: int, message: str) -> ApiResponse:
    """The answer to a fault of the gateway, or to an unknown route."""
    code = _GRPC_OF_STATUS.get(status, 3 if status < 500 else _INTERNAL)
    return replace(render_error(code, message), status=status)


def render_error(code: int, message: str) -> ApiResponse:
    """The error body of the service's gateway: `error` repeats `message`."""
    body = {"error": message, "code": code, "message": message, "details": []}
    return ApiResponse(_STATUS_OF_GRPC[code], body)
