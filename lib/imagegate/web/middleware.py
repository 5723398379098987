"""ASGI middleware: the headers of every answer, HEAD, and the headers about requests a minute."""

import secrets
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imagegate.dialects.dialect import Dialect
from imagegate.dialects.registry import dialect_at, dialect_named
from imagegate.domain.access.rate import Allowance
from imagegate.domain.errors import RateLimited

_FOR_BROWSERS = {
    "x-content-type-options": "nosniff",
    # Only /docs is a page, and it has its own policy.
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    # The addresses of hops and pictures hold tokens.
    "referrer-policy": "no-referrer",
}
_FOR_BROWSERS_OVER_TLS = _FOR_BROWSERS | {"strict-transport-security": "max-age=31536000"}
"""A year, for this host only, because its sub-domains can belong to other services."""


def dialect_of(scope: Scope) -> Dialect:
    """The dialect to answer a request in: that of its operation where one is known, else that of its path."""
    if name := scope.get("state", {}).get("dialect"):
        return dialect_named(name)
    return dialect_at(scope["path"], scope["query_string"])


def request_id_of(scope: Scope) -> str:
    """The request's id: API Gateway's own where there is one."""
    state: dict[str, Any] = scope.setdefault("state", {})
    if "request_id" not in state:
        context = scope.get("aws.event", {}).get("requestContext", {})
        state["request_id"] = context.get("requestId") or secrets.token_hex(8)
    return str(state["request_id"])


def arrived_at(scope: Scope) -> float:
    """When API Gateway (or the function URL) received the request, in seconds since the epoch; 0 when unknown."""
    context = scope.get("aws.event", {}).get("requestContext", {})
    return float(context.get("timeEpoch", 0)) / 1000


def common_headers(scope: Scope) -> Mapping[str, str]:
    """The headers of the answer to any request: what browsers must not do with it, and what identifies it."""
    request_id = request_id_of(scope)
    return {
        **(_FOR_BROWSERS if scope["scheme"] == "http" else _FOR_BROWSERS_OVER_TLS),
        "x-request-id": request_id,
        **dialect_of(scope).id_headers(Headers(scope=scope), request_id),
    }


class CommonHeaders:
    """ASGI middleware; plain, because Starlette's BaseHTTPMiddleware costs more than the whole request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the headers that the answer does not set itself."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = common_headers(scope)  # before the wait route sets the dialect of its operation

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = MutableHeaders(scope=message)
                for name, value in headers.items():
                    own.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


HEAD_ONLY = "imagegate.head_only"
"""Key of a scope whose request was HEAD."""


class Head:
    """ASGI middleware that answers HEAD as GET without a body, because FastAPI's routes know only their own methods."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, as GET if it is HEAD. The server reads its own scope again, so that stays."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self._app({**scope, "method": "GET", HEAD_ONLY: True}, receive, send_without_body)


def enforce_rate_limit(allowance: Allowance) -> None:
    """Raises RateLimited when the key had no request left."""
    if allowance.retry_after is not None:
        raise RateLimited(
            f"This API key may make {allowance.limit} requests a minute.",
            retry_after=allowance.retry_after,
            remedy=f"Try again in {format_duration(allowance.retry_after)}.",
        )


def with_rate_limit_headers(send: Send, allowance: Allowance) -> Send:
    """`send`, with OpenAI's headers about requests a minute on every answer."""
    headers = {
        "x-ratelimit-limit-requests": str(allowance.limit),
        "x-ratelimit-remaining-requests": str(allowance.remaining),
        "x-ratelimit-reset-requests": format_duration(allowance.full_after),
    }

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(headers)
        await send(message)

    return send_with_headers


def format_duration(seconds: float) -> str:
    """A duration as OpenAI's headers have it: `850ms`, `1.5s` or `6m0s`."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))}ms"
    minutes, rest = divmod(round(seconds, 2), 60)
    return f"{minutes:.0f}m{rest:g}s" if minutes else f"{rest:g}s"
