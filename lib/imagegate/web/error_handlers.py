"""Exceptions as answers, in the dialect of the request. FastAPI's own are in app.py."""

import logging
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from imagegate.dialects.openai.dialect import OPENAI_IMAGES
from imagegate.domain.errors import Conflict, Overtaken, RequestError
from imagegate.web.errors import render_breakdown, render_refusal
from imagegate.web.http import to_response
from imagegate.web.middleware import common_headers, dialect_of, request_id_of

_log = logging.getLogger(__name__)
_WHERE_TO = (
    " POST /v1/images/generations makes pictures. The base URL of OpenAI clients is this gateway's address followed by "
    "/v1, and that of Azure clients the address alone; GET /v1/models lists the models."
)


def exception_handlers() -> dict[Any, Any]:
    """A handler for each class of exceptions."""
    return {RequestError: refuse, Conflict: _overtaken, HTTPException: _no_route, Exception: _broken}


async def refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    return to_response(render_refusal(request.scope, error))


async def _overtaken(request: Request, error: Exception) -> Response:
    message = "Other requests changed the same operation at the same time, and were first."
    return await refuse(request, Overtaken(message, remedy="Send the request again in a moment."))


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    hint = _WHERE_TO if error.status_code in (404, 405) and _may_want_pictures(request) else ""
    if request.method == "POST" and request.scope["path"].startswith("/v1/images/"):
        request.scope["state"]["dialect"] = OPENAI_IMAGES.name  # a mistaken path, because pictures take no POST
    allowed = _allowed(request) if error.status_code == 405 else ""
    takes = f" This path takes {allowed}." if allowed else ""
    message = f"{request.method} {request.scope['path']}: {error.detail}.{takes}{hint}"
    answer = render_breakdown(request.scope, error.status_code, message)
    return to_response(answer.with_headers({"allow": allowed} if allowed else {}))


def _may_want_pictures(request: Request) -> bool:
    return dialect_of(request.scope) is OPENAI_IMAGES or request.scope["path"].startswith("/v1/images/")


def _allowed(request: Request) -> str:
    """The methods of all routes of the path; Starlette gives those of the first only."""
    app: Starlette = request.app
    routes = (route for route in app.routes if isinstance(route, Route))
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
