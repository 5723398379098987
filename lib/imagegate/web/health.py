"""Whether the gateway answers: for load balancers, containers and people. It needs no key, and reads nothing."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from imagegate import __version__
from imagegate.dialects.response import ApiResponse
from imagegate.web.http import to_response

PATHS = ("/health", "/healthz", "/livez", "/readyz")


def add_health(app: Starlette) -> None:
    """Add the paths, which the OpenAPI document omits."""
    for path in PATHS:
        app.add_route(path, _health, name="health")


async def _health(request: Request) -> Response:
    return to_response(ApiResponse(200, {"status": "ok", "version": __version__}))
