"""The application as a Lambda function behind an HTTP API."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from mangum import Mangum

_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?")


def lambda_handler(app: Any) -> Callable[[Any, Any], dict[str, Any]]:
    """Make a handler of API Gateway's events (payload format 2.0) from the ASGI application `app`."""
    # lifespan="off": Mangum would run startup and shutdown on every warm invocation.
    adapter = Mangum(app, lifespan="off")

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        return adapter({**event, "headers": _headers(event.get("headers") or {})}, context)

    return handler


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Remove headers at which Mangum fails when it derives the server's name and port, which no code here reads."""
    safe = {name: value for name, value in headers.items() if name.lower() != "x-forwarded-port"}
    if not _HOST.fullmatch(safe.get("host", "")):
        safe["host"] = "localhost"
    return safe
