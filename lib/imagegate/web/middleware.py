"""ASGI middleware: request ids, HEAD, and the headers that tell of requests a minute."""

import re
import secrets
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imagegate.dialects.yandexart import requests as yandexart_requests
from imagegate.domain.access.rate import Allowance
from imagegate.domain.errors import RateLimited
from imagegate.web.decoding import is_header_text
from imagegate.web.responses import dialect_of

_TRACE = re.compile(r"Root=([0-9a-f-]+)")
"""AWS X-Ray's id, by which the trace is found."""


def request_id_of(scope: Scope) -> str:
    """The request's id: API Gateway's own where there is one."""
    state: dict[str, Any] = scope.setdefault("state", {})
    if "request_id" not in state:
        context = scope.get("aws.event", {}).get("requestContext", {})
        state["request_id"] = context.get("requestId") or secrets.token_hex(8)
    return str(state["request_id"])


def id_headers(scope: Scope) -> dict[str, str]:
    """The headers by which the answer to a request is found again."""
    return {"x-request-id": request_id_of(scope), **_yandexart_id_headers(scope)}


def _yandexart_id_headers(scope: Scope) -> dict[str, str]:
    """What its service answers with: a trace's id, and the caller's own id (docs/protocols/yandexart.md#headers)."""
    if dialect_of(scope) != yandexart_requests.NAME:
        return {}
    headers = Headers(scope=scope)
    traced = _TRACE.search(headers.get("x-amzn-trace-id", ""))
    marks = {"x-server-trace-id": traced[1] if traced else request_id_of(scope)}
    client_id = headers.get(yandexart_requests.CLIENT_ID, "")
    if client_id and is_header_text(client_id):
        marks[yandexart_requests.CLIENT_ID] = client_id
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
        headers = id_headers(scope)

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await self._app(scope, receive, marked)


class Head:
    """ASGI middleware: FastAPI's routes know only the methods they name."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, as GET if it is HEAD. The server's own scope stays: it must know what it answers."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def bodiless(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self._app({**scope, "method": "GET"}, receive, bodiless)


def enforce_rate_limit(allowance: Allowance) -> None:
    """Raises RateLimited when there was no request left to take."""
    if allowance.retry_after is not None:
        raise RateLimited(
            f"This API key may make {allowance.limit} requests a minute.",
            retry_after=allowance.retry_after,
            remedy=f"Try again in {format_duration(allowance.retry_after)}.",
        )


def with_rate_limit_headers(send: Send, allowance: Allowance) -> Send:
    """`send` with the headers on the answer, whichever it is."""

    async def telling(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_rate_limit_headers(allowance))
        await send(message)

    return telling


def _rate_limit_headers(allowance: Allowance) -> dict[str, str]:
    return {
        "x-ratelimit-limit-requests": str(allowance.limit),
        "x-ratelimit-remaining-requests": str(allowance.remaining),
        "x-ratelimit-reset-requests": format_duration(allowance.full_after),
    }


def format_duration(seconds: float) -> str:
    """As OpenAI writes it."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))}ms"
    minutes, rest = divmod(round(seconds, 2), 60)
    return f"{minutes:.0f}m{rest:g}s" if minutes else f"{rest:g}s"
