"""CORS preflight requests. API Gateway answers them itself, except where its `$default` route hands them on."""

from collections.abc import Mapping, Sequence

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

METHODS = ("GET", "POST", "DELETE")
HEADERS = ("authorization", "*")
MAX_AGE = 3600
"""These three are what template.yaml configures API Gateway with."""


class Preflight:
    """ASGI middleware that answers OPTIONS before access is checked: browsers send no credentials with it."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        """`origins`: whose pages may call the API, as in the template's CorsOrigins."""
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 204, with CORS headers if the page's origin is allowed; pass every other method on."""
        if scope["type"] != "http" or scope["method"] != "OPTIONS":
            await self._app(scope, receive, send)
            return
        origin = Headers(scope=scope).get("origin", "")
        headers = _allowance(origin) if _is_allowed(origin, self._origins) else {}
        await Response(status_code=204, headers=headers)(scope, receive, send)


def _is_allowed(origin: str, allowed: Sequence[str]) -> bool:
    """Match as API Gateway does: the origin itself, `*`, or `https://*`."""
    scheme = origin.partition("://")[0]
    return bool(origin) and any(one in (origin, "*", f"{scheme}://*") for one in allowed)


def _allowance(origin: str) -> Mapping[str, str]:
    return {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": ",".join(METHODS),
        "access-control-allow-headers": ",".join(HEADERS),
        "access-control-max-age": str(MAX_AGE),
        "vary": "Origin",
    }
