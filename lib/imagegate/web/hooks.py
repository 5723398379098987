"""The address that upstreams call when a job has ended. The token in it is the credential."""

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from imagegate.domain.operation.hook import HOOK_PATH
from imagegate.web.services import Services

_router = APIRouter()


def add_hooks(app: FastAPI) -> None:
    """Add the route, which the OpenAPI document omits: only upstreams are given its addresses."""
    app.router.routes.extend(_router.routes)


@_router.post(f"{HOOK_PATH}/{{operation}}", include_in_schema=False)
def _take(request: Request, operation: str, token: str = "") -> Response:
    """204, or 404 for any token that is not that of an attempt; the body is not read."""
    services: Services = request.app.state.services
    return Response(status_code=204 if services.take_hint(operation, token) else 404)
