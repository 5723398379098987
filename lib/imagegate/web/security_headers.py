"""What every answer tells browsers: take it for nothing else, frame it nowhere, come back by TLS, tell no referrer."""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS = {
    "x-content-type-options": "nosniff",
    # No answer but /docs is a page; that one brings a policy of its own.
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    # The addresses of hops and pictures carry tokens.
    "referrer-policy": "no-referrer",
}
_OVER_TLS = _ALWAYS | {"strict-transport-security": "max-age=31536000"}
"""A year, for this host alone: what its sub-domains are is the operator's affair."""


def security_headers(scope: Scope) -> Mapping[str, str]:
    """The headers for the answer to a request; what is about TLS not where it came by plain HTTP, as on loopback."""
    return _ALWAYS if scope["scheme"] == "http" else _OVER_TLS


class SecurityHeaders:
    """ASGI middleware that adds them to every answer which has not its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
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
