"""The HTTP front as an ASGI application."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from imagegate import __version__
from imagegate.dialects.validation_errors import to_invalid_request
from imagegate.web.apis import routers
from imagegate.web.docs_page import add_docs
from imagegate.web.error_handlers import exception_handlers, refuse
from imagegate.web.health import add_health
from imagegate.web.hooks import add_hooks
from imagegate.web.layers import add_middleware
from imagegate.web.services import Services
from imagegate.web.studio.page import add_studio


def create_app(services: Services) -> FastAPI:
    """The application on `services`. Errors come in the dialect that the request speaks."""
    app = FastAPI(
        title="imagegate",
        version=__version__,
        docs_url=None,  # FastAPI's own pages load their scripts from other hosts
        redoc_url=None,
        redirect_slashes=False,  # it would redirect callers to any Host that they name
        exception_handlers={**exception_handlers(), RequestValidationError: _invalid},
    )
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    app.state.services = services
    for router in routers():
        app.router.routes.extend(router.routes)  # include_router would build every route a second time
    add_docs(app)
    add_health(app)
    add_hooks(app)
    add_studio(app)
    add_middleware(app, services)
    return app


def _document(app: FastAPI) -> dict[str, Any]:
    # A late import: the module is as large as the whole front, and requests do not need it.
    from imagegate.web.openapi import build_document

    if app.openapi_schema is None:
        app.openapi_schema = build_document(app)
    return app.openapi_schema


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return await refuse(request, to_invalid_request(first, name=str(first["loc"][-1])))
