"""The wait route as an application of its own, for the wait function: the same answers without FastAPI and pydantic.

API Gateway passes it GET and POST of the route. Every other spelling of the path, and HEAD, go to the api function.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from imagegate.domain.errors import InvalidRequest
from imagegate.web.decoding import check_query
from imagegate.web.error_handlers import exception_handlers
from imagegate.web.layers import add_middleware
from imagegate.web.long_polling import wait_for
from imagegate.web.wait_services import WaitServices

PATH = "/v1/operations/{operation_id}/wait"
MOST_HOPS = 1000
_PLAIN = re.compile(r"[1-9]\d{0,2}", re.ASCII)
"""A hop as links have it."""


def create_wait_app(services: WaitServices) -> Starlette:
    """The application on `services`."""
    route = Route(PATH, _wait_on(services), methods=["GET", "POST"])
    app = Starlette(routes=[route], exception_handlers=exception_handlers())
    app.router.redirect_slashes = False
    add_middleware(app, services)
    return app


def _wait_on(services: WaitServices) -> Callable[[Request], Awaitable[Response]]:
    async def wait(request: Request) -> Response:
        """What web/operations/routes.py does with the same request."""
        check_query(request, ["hop"])
        hop = _parse_hop(request.query_params.get("hop", "1"))
        operation = services.read(request.path_params["operation_id"], request.scope["state"]["principal"].owner)
        request.scope["state"]["dialect"] = operation.dialect
        return wait_for(request, services, operation, hop)

    return wait


def _parse_hop(text: str) -> int:
    """The number in the query. Raises InvalidRequest."""
    return int(text) if _PLAIN.fullmatch(text) else _parse_odd_hop(text)


def _parse_odd_hop(text: str) -> int:
    """A hop that is in no link, judged as FastAPI judges it: only callers who make one up wait for this import."""
    from pydantic import Field, TypeAdapter, ValidationError

    from imagegate.dialects.validation_errors import to_invalid_request

    adapter: TypeAdapter[int] = TypeAdapter(Annotated[int, Field(ge=1, le=MOST_HOPS)])
    try:
        return adapter.validate_python(text)
    except ValidationError as error:
        refused: InvalidRequest = to_invalid_request(error.errors()[0], name="hop")
    raise refused
