"""The HTTP front as an ASGI application."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match, Route

from imagegate import __version__
from imagegate.dialects.openai.dialect import OPENAI_IMAGES
from imagegate.dialects.validation_errors import to_invalid_request
from imagegate.domain.errors import Conflict, Overtaken, RequestError
from imagegate.web.access import Access
from imagegate.web.apis import routers
from imagegate.web.content_encoding import ContentEncoding
from imagegate.web.docs_page import add_docs
from imagegate.web.errors import render_breakdown, render_refusal
from imagegate.web.health import add_health
from imagegate.web.http import to_response
from imagegate.web.middleware import CommonHeaders, Head, common_headers, dialect_of, request_id_of
from imagegate.web.paths import CanonicalPaths
from imagegate.web.preflight import Preflight
from imagegate.web.services import Services
from imagegate.web.studio.page import add_studio

_log = logging.getLogger(__name__)
_WHERE_TO = (
    " POST /v1/images/generations makes pictures. The base URL of OpenAI clients is this gateway's address followed by "
    "/v1, and that of Azure clients the address alone; GET /v1/models lists the models."
)


def create_app(services: Services) -> FastAPI:
    """The application on `services`. Errors come in the dialect that the request speaks."""
    app = FastAPI(
        title="imagegate",
        version=__version__,
        docs_url=None,  # FastAPI's own pages load their scripts from other hosts
        redoc_url=None,
        redirect_slashes=False,  # it would redirect callers to any Host that they name
        exception_handlers={
            RequestError: _refused,
            Conflict: _overtaken,
            RequestValidationError: _invalid,
            HTTPException: _no_route,
            Exception: _broken,
        },
    )
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    app.state.services = services
    for router in routers():
        app.router.routes.extend(router.routes)  # include_router would build every route a second time
    add_docs(app)
    add_health(app)
    add_studio(app)
    app.add_middleware(Head)
    app.add_middleware(ContentEncoding)
    app.add_middleware(Access, services)
    app.add_middleware(Preflight, services)
    app.add_middleware(CommonHeaders)
    app.add_middleware(CanonicalPaths)
    return app


def _document(app: FastAPI) -> dict[str, Any]:
    # A late import: the module is as large as the whole front, and requests do not need it.
    from imagegate.web.openapi import build_document

    if app.openapi_schema is None:
        app.openapi_schema = build_document(app)
    return app.openapi_schema


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    return to_response(render_refusal(request.scope, error))


async def _overtaken(request: Request, error: Exception) -> Response:
    message = "Other requests changed the same operation at the same time, and were first."
    return await _refused(request, Overtaken(message, remedy="Send the request again in a moment."))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return await _refused(request, to_invalid_request(first, name=str(first["loc"][-1])))


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    hint = _WHERE_TO if error.status_code in (404, 405) and _may_want_pictures(request) else ""
    message = f"{request.method} {request.scope['path']}: {error.detail}.{hint}"
    answer = render_breakdown(request.scope, error.status_code, message)
    return to_response(answer.with_headers({"allow": _allowed(request)} if error.status_code == 405 else {}))


def _may_want_pictures(request: Request) -> bool:
    return dialect_of(request.scope) is OPENAI_IMAGES or request.scope["path"].startswith("/v1/images/")


def _allowed(request: Request) -> str:
    """The methods of all routes of the path; Starlette gives those of the first only."""
    routes = (route for route in request.app.routes if isinstance(route, Route))
    matching = (route for route in routes if route.matches(request.scope)[0] is not Match.NONE)
    methods = {method for route in matching for method in route.methods or ()}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


async def _broken(request: Request, error: Exception) -> Response:
    request_id = request_id_of(request.scope)
    _log.error("request %s broke down", request_id, exc_info=error)
    message = f"imagegate could not answer; its logs say why under request id {request_id}."
    answer = render_breakdown(request.scope, 500, message)
    # Starlette calls this handler outside of all middleware, so the answer needs the middleware's headers.
    return to_response(answer.with_headers(common_headers(request.scope)))
