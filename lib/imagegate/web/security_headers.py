"""Headers of every answer for browsers: no sniffing, no frames, no referrer, TLS only."""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS = {
    "x-content-type-options": "nosniff",
    # Only /docs is a page, and it has its own policy.
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    # The addresses of hops and pictures carry tokens.
    "referrer-policy": "no-referrer",
}
_OVER_TLS = _ALWAYS | {"strict-transport-security": "max-age=31536000"}
"""A year, for this host only, because its sub-domains can belong to other services."""


def security_headers(scope: Scope) -> Mapping[str, str]:
    """The headers for the answer to a request; the one about TLS only where the request came by it."""
    return _ALWAYS if scope["scheme"] == "http" else _OVER_TLS


class SecurityHeaders:
    """ASGI middleware that adds the headers to every answer that does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the headers to the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in security_headers(scope).items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)
