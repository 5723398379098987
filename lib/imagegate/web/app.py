"""The HTTP front as an ASGI application."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from imagegate import __version__
from imagegate.domain.errors import InvalidRequest, RequestError
from imagegate.web import presenting
from imagegate.web.openai_router import openai_router
from imagegate.web.operations_router import operations_router
from imagegate.web.request_id import RequestId, request_id_of
from imagegate.web.respond import respond
from imagegate.web.services import Services
from imagegate.web.yandexart_router import yandexart_router

_log = logging.getLogger(__name__)


def create_app(services: Services) -> FastAPI:
    """The application on `services`; errors come in the shape of the dialect whose path was called."""
    app = FastAPI(
        title="imagegate",
        version=__version__,
        exception_handlers={
            RequestError: _refused,
            RequestValidationError: _invalid,
            HTTPException: _no_route,
            Exception: _broken,
        },
    )
    app.include_router(openai_router(services))
    app.include_router(yandexart_router(services))
    app.include_router(operations_router(services))
    app.add_middleware(RequestId)
    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    return respond(presenting.refusal(request.url.path, error))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    name = str(first["loc"][-1])
    refusal = InvalidRequest(f"Invalid value for '{name}': {first['msg']}.", param=name)
    return respond(presenting.refusal(request.url.path, refusal))


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"{request.method} {request.url.path}: {error.detail}."
    answer = presenting.breakdown(request.url.path, error.status_code, message)
    return respond(answer)


async def _broken(request: Request, error: Exception) -> Response:
    request_id = request_id_of(request.scope)
    _log.error("request %s broke down", request_id, exc_info=error)
    message = f"imagegate could not answer; its logs say why under request id {request_id}."
    return respond(presenting.breakdown(request.url.path, 500, message))
