"""The application as a Lambda function behind an HTTP API."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from mangum import Mangum

_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?")


def lambda_handler(app: Any) -> Callable[[Any, Any], dict[str, Any]]:
    """`app`, an ASGI application, as a function of API Gateway's event (payload format 2.0) and Lambda's context."""
    # lifespan="off": Mangum would run startup and shutdown on every warm invocation.
    adapter = Mangum(app, lifespan="off")

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        return adapter({**event, "headers": _headers(event.get("headers") or {})}, context)

    return handler


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Without what Mangum would take the server's name and port from and break at; nothing of ours reads those."""
    kept = {name: value for name, value in headers.items() if name.lower() != "x-forwarded-port"}
    if not _HOST.fullmatch(kept.get("host", "")):
        kept["host"] = "localhost"
    return kept
