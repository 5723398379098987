"""YandexART's asynchronous operations under their documented paths."""

from fastapi import FastAPI, Request
from starlette.responses import Response

from imagegate.dialects.yandexart import requests as yandexart_requests
from imagegate.domain.errors import Gone, UnknownOperation, WrongState
from imagegate.domain.operation.operation import Operation
from imagegate.web.access import owner_of, start_for
from imagegate.web.decoding import header_texts
from imagegate.web.http import to_response_at_any_size
from imagegate.web.responses import render_yandexart
from imagegate.web.services import Services

_DAY = 86_400.0


def add_yandexart_routes(app: FastAPI, services: Services) -> None:
    """Add the routes of this dialect."""

    @app.post("/foundationModels/v1/imageGenerationAsync", name="yandex_generate")
    async def generate(request: Request) -> Response:
        generation = yandexart_requests.parse(await request.body(), header_texts(request, yandexart_requests.HEADERS))
        return _shown(start_for(request, services, generation).operation, services)

    async def cancel(request: Request, operation_id: str) -> Response:
        return _shown(_cancelled(_found(request, services, operation_id), services), services)

    # The reference has GET, the design guide POST. Before the plain path, which would take the verb for part of the id.
    path = "/operations/{operation_id}:cancel"
    app.add_api_route(path, cancel, methods=["GET"], name="yandex_cancel")
    app.add_api_route(path, cancel, methods=["POST"], name="yandex_cancel_by_post")

    @app.get("/operations/{operation_id}", name="yandex_get")
    async def get(request: Request, operation_id: str) -> Response:
        return _shown(_found(request, services, operation_id), services)


def _found(request: Request, services: Services, operation_id: str) -> Operation:
    """The operation, if it was started in this dialect. Raises UnknownOperation, or Gone after its retention."""
    try:
        operation = services.read(operation_id, owner_of(request))
    except UnknownOperation:
        days = f"{services.yandexart_days:g} days"
        raise UnknownOperation(
            f"Operation '{operation_id}' does not exist.", remedy=f"Check the id; what has ended is kept for {days}."
        ) from None
    except Gone:
        raise _gone(operation_id) from None
    if operation.dialect != yandexart_requests.NAME:
        raise UnknownOperation(
            f"Operation '{operation_id}' was not started here.", remedy=f"See /v1/operations/{operation_id}."
        )
    if operation.ended_at and services.clock.now() > operation.ended_at + services.yandexart_days * _DAY:
        raise _gone(operation.id)
    return operation


def _gone(operation_id: str) -> Gone:
    return Gone(f"Operation '{operation_id}' is no longer kept.", remedy="Start a new one.")


def _cancelled(operation: Operation, services: Services) -> Operation:
    """The operation after its owner's wish to stop it, which comes too late for one that has ended."""
    try:
        return operation if operation.done else services.cancel(operation)
    except WrongState:
        return services.read(operation.id, operation.owner, consistent=True)


def _shown(operation: Operation, services: Services) -> Response:
    retry_after = None if operation.done else services.outlook(operation).retry_after
    answer = render_yandexart(operation, services.images, retry_after)
    return to_response_at_any_size(answer, operation, services.images)
