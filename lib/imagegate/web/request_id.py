"""`x-request-id` on every answer, and what YandexART's clients know besides."""

import re
import secrets
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imagegate.dialects import yandexart
from imagegate.web.decoding import is_header_text
from imagegate.web.presenting import dialect_of

_TRACE = re.compile(r"Root=([0-9a-f-]+)")
"""AWS X-Ray's id, by which the trace is found."""


def request_id_of(scope: Scope) -> str:
    """The request's id: API Gateway's own where there is one."""
    state: dict[str, Any] = scope.setdefault("state", {})
    if "request_id" not in state:
        context = scope.get("aws.event", {}).get("requestContext", {})
        state["request_id"] = context.get("requestId") or secrets.token_hex(8)
    return str(state["request_id"])


def marks(scope: Scope) -> dict[str, str]:
    """The headers by which the answer to a request is found again."""
    return {"x-request-id": request_id_of(scope), **_marks_for_yandexart(scope)}


def _marks_for_yandexart(scope: Scope) -> dict[str, str]:
    """What its service answers with: a trace's id, and the caller's own id (docs/protocols/yandexart.md#headers)."""
    if dialect_of(scope) != yandexart.NAME:
        return {}
    headers = Headers(scope=scope)
    traced = _TRACE.search(headers.get("x-amzn-trace-id", ""))
    marks = {"x-server-trace-id": traced[1] if traced else request_id_of(scope)}
    asked = headers.get(yandexart.CLIENT_ID, "")
    if asked and is_header_text(asked):
        marks[yandexart.CLIENT_ID] = asked
    return marks


class RequestId:
    """ASGI middleware; plain, because Starlette's BaseHTTPMiddleware costs more than the whole request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, marking the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = marks(scope)

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await self._app(scope, receive, marked)
