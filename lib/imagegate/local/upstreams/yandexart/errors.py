"""Every error that YandexART's documentation and clients know, as its gateway writes it.

Contract: docs/protocols/yandexart.md#errors.
"""

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.responses import JSONResponse, Response

REFUSAL = "it is not possible to generate an image from this request because it may violate the terms of use"
REFUSAL_IN_RUSSIAN = "Я не могу сгенерировать это изображение. Давайте попробуем другую тему."
QUOTA = "ai.imageGeneration.requests rate quota limit exceed: allowed 500 requests"
GAUGE = "ai.imageGeneration.operations gauge quota limit exceed: allowed 10 requests"
REQUEST_INFO = "type.googleapis.com/google.rpc.RequestInfo"

CODES = {400: 3, 401: 16, 404: 5, 405: 12, 429: 8, 500: 13, 503: 14}
"""gRPC codes by HTTP status, for errors that bring none."""

OF_STARTS: dict[str, tuple[int, int, str]] = {
    "refuse": (400, 3, REFUSAL),
    "refuse-in-russian": (400, 3, REFUSAL_IN_RUSSIAN),
    "quota": (429, 8, QUOTA),
    "quota-gauge": (429, 8, GAUGE),
}
"""Faults that only a submission meets: HTTP status, gRPC code, message."""

OF_CALLS: dict[str, tuple[int, int, str]] = {
    "grpc-1": (499, 1, "The request was cancelled"),
    "grpc-4": (504, 4, "Deadline exceeded"),
    "grpc-5": (404, 5, "operation not found"),
    "grpc-6": (409, 6, "Already exists"),
    "grpc-7": (403, 7, "Access to model art://folder/yandex-art/latest denied"),
    "grpc-10": (409, 10, "Aborted"),
    "grpc-12": (501, 12, "Unimplemented"),
    "grpc-16": (401, 16, "Token is invalid or has expired."),
}
"""Faults that any call can meet."""

FAILURES: dict[str, tuple[int, str]] = {
    "refuse-late": (3, REFUSAL),
    "error": (13, "The stand-in failed on request."),
    "error-early": (13, "The stand-in failed on request."),
}
"""How an operation ends under a fault: gRPC code and message."""


def reply(body: dict[str, Any], status: int = 200) -> Response:
    """An answer with the two ids that every one carries."""
    return JSONResponse(body, status, {"x-request-id": str(uuid.uuid4()), "x-server-trace-id": uuid.uuid4().hex})


def error_body(code: int, message: str) -> dict[str, Any]:
    """grpc-gateway's; a rejected token comes in the shape that the API design guide shows."""
    if code == 16:
        details = [{"@type": REQUEST_INFO, "requestId": str(uuid.uuid4())}]
        return {"code": code, "message": message, "details": details}
    return {"error": message, "code": code, "message": message, "details": []}


def status_error(status: int, text: str, code: int | None = None) -> Response:
    """An error answer; without a code the status decides."""
    return reply(error_body(CODES.get(status, 2) if code is None else code, text), status)


REFUSALS: dict[str, Callable[[], Response]] = {
    fault: partial(status_error, status, message, code)
    for fault, (status, code, message) in (OF_STARTS | OF_CALLS).items()
}
"""The answers to calls that a fault of YandexART's own applies to."""
