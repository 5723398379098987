"""`x-request-id` on every answer."""

import secrets
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def request_id_of(scope: Scope) -> str:
    """The request's id: API Gateway's own where there is one."""
    state: dict[str, Any] = scope.setdefault("state", {})
    if "request_id" not in state:
        context = scope.get("aws.event", {}).get("requestContext", {})
        state["request_id"] = context.get("requestId") or secrets.token_hex(8)
    return str(state["request_id"])


class RequestId:
    """ASGI middleware; plain, because Starlette's BaseHTTPMiddleware costs more than the whole request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, marking the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_id_of(scope)

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        await self._app(scope, receive, marked)
