"""CORS preflight requests that API Gateway does not answer itself, but routes to the function by `$default`."""

from collections.abc import Mapping, Sequence

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from imagegate.web.wait_services import WaitServices

METHODS = ("GET", "POST", "DELETE")
HEADERS = ("authorization", "*")
MAX_AGE = 3600
"""template.yaml configures API Gateway with the same three values."""


class Preflight:
    """ASGI middleware that answers OPTIONS before access is checked: browsers send no credentials with it."""

    def __init__(self, app: ASGIApp, services: WaitServices) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 204, with CORS headers if the page's origin is allowed; pass every other method on."""
        if scope["type"] != "http" or scope["method"] != "OPTIONS":
            await self._app(scope, receive, send)
            return
        origin = Headers(scope=scope).get("origin", "")
        headers = _cors_headers(origin) if is_allowed(origin, self._services.cors_origins) else {}
        await Response(status_code=204, headers=headers)(scope, receive, send)


def is_allowed(origin: str, allowed: Sequence[str]) -> bool:
    """Match as API Gateway does: the origin itself, `*`, or `https://*`."""
    scheme = origin.partition("://")[0]
    return bool(origin) and any(entry in (origin, "*", f"{scheme}://*") for entry in allowed)


def _cors_headers(origin: str) -> Mapping[str, str]:
    return {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": ",".join(METHODS),
        "access-control-allow-headers": ",".join(HEADERS),
        "access-control-max-age": str(MAX_AGE),
        "vary": "Origin",
    }
