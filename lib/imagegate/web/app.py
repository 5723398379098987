"""The HTTP front as an ASGI application."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from imagegate import __version__
from imagegate.dialects.openai import responses as openai_responses
from imagegate.dialects.validation_errors import to_invalid_request
from imagegate.domain.errors import Conflict, Overtaken, RequestError
from imagegate.web import responses
from imagegate.web.access import Access
from imagegate.web.docs_page import add_docs
from imagegate.web.http import to_response
from imagegate.web.middleware import Head, RequestId, id_headers, request_id_of
from imagegate.web.openai.routes import add_openai_routes
from imagegate.web.operations.routes import add_deliveries_routes, add_operations_routes, add_usage_routes
from imagegate.web.preflight import Preflight
from imagegate.web.security_headers import SecurityHeaders, security_headers
from imagegate.web.services import Services
from imagegate.web.yandexart.routes import add_yandexart_routes

_log = logging.getLogger(__name__)


def create_app(services: Services) -> FastAPI:
    """The application on `services`; errors come in the shape of the dialect whose path was called."""
    app = FastAPI(
        title="imagegate",
        version=__version__,
        docs_url=None,  # FastAPI's own pages load their scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # it would send callers to whatever Host they named
        exception_handlers={
            RequestError: _refused,
            Conflict: _overtaken,
            RequestValidationError: _invalid,
            HTTPException: _no_route,
            Exception: _broken,
        },
    )
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    add_openai_routes(app, services)
    add_yandexart_routes(app, services)
    add_operations_routes(app, services)
    add_usage_routes(app, services)
    add_deliveries_routes(app, services)
    add_docs(app)
    app.add_middleware(Head)
    app.add_middleware(Access, services)
    app.add_middleware(Preflight, services)
    app.add_middleware(RequestId)
    app.add_middleware(SecurityHeaders)
    return app


def _document(app: FastAPI) -> dict[str, Any]:
    # Loaded when somebody asks for it: it holds as much as the whole front, and requests do not need it.
    from imagegate.web.openapi import build_document

    if app.openapi_schema is None:
        app.openapi_schema = build_document(app)
    return app.openapi_schema


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    return to_response(
        responses.render_refusal(responses.dialect_of(request.scope), error, request_id_of(request.scope))
    )


async def _overtaken(request: Request, error: Exception) -> Response:
    message = "Other requests wrote the same thing at the same moment, and came first."
    return await _refused(request, Overtaken(message, remedy="Send the request again in a moment."))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return await _refused(request, to_invalid_request(first, name=str(first["loc"][-1])))


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.scope["path"]
    message = f"{request.method} {path}: {error.detail}."
    code, _ = responses.BREAKDOWNS.get(error.status_code, ("not_answered", ""))
    dialect, request_id = responses.dialect_of(request.scope), request_id_of(request.scope)
    answer = responses.render_breakdown(dialect, error.status_code, code, message, request_id)
    return to_response(answer.with_headers({"allow": _allowed(request.app, path)} if error.status_code == 405 else {}))


def _allowed(app: FastAPI, path: str) -> str:
    """The methods of all routes of the path, where Starlette names those of the first."""
    routes = (route for route in app.routes if isinstance(route, Route) and route.path_regex.match(path))
    methods = {method for route in routes for method in route.methods or ()}
    if path in openai_responses.PATHS:
        methods.discard("GET")  # it is that of pictures, whose ids these are not
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


async def _broken(request: Request, error: Exception) -> Response:
    request_id = request_id_of(request.scope)
    _log.error("request %s broke down", request_id, exc_info=error)
    message = f"imagegate could not answer; its logs say why under request id {request_id}."
    answer = responses.render_breakdown(responses.dialect_of(request.scope), 500, "internal", message, request_id)
    # Starlette answers for what nobody caught outside of all middleware.
    return to_response(answer.with_headers({**id_headers(request.scope), **security_headers(request.scope)}))
