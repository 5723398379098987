"""YandexART's asynchronous operations under their documented paths."""

from fastapi import Request
from starlette.responses import Response

from imagegate.dialects.yandexart import requests as yandexart_requests
from imagegate.dialects.yandexart.dialect import YANDEXART
from imagegate.dialects.yandexart.responses import render_pending, with_unused
from imagegate.domain.errors import Gone, UnknownOperation, WrongState
from imagegate.domain.operation.operation import Operation
from imagegate.web.access import start_for
from imagegate.web.decoding import header_texts
from imagegate.web.http import to_response_at_any_size
from imagegate.web.routing import PrincipalDep, ServicesDep, create_router
from imagegate.web.services import Services
from imagegate.web.starting import unused_query, with_unused_query

_DAY = 86_400.0
router = create_router()


@router.post("/foundationModels/v1/imageGenerationAsync", name="yandex_generate")
async def generate(request: Request, services: ServicesDep, principal: PrincipalDep) -> Response:
    """Start an operation, and answer at once."""
    generation = yandexart_requests.parse(await request.body(), header_texts(request, yandexart_requests.HEADERS))
    started = start_for(principal, services, with_unused_query(generation, request))
    return _respond(request, started.operation, services)


# The API reference has GET, the design guide POST.
@router.get("/operations/{operation_id:name}:cancel", name="yandex_cancel")
@router.post("/operations/{operation_id:name}:cancel", name="yandex_cancel_by_post")
async def cancel(request: Request, operation_id: str, services: ServicesDep, principal: PrincipalDep) -> Response:
    """Cancel an operation, unless it has ended."""
    operation = _find(operation_id, services, principal.owner)
    try:
        return _respond(request, operation if operation.done else services.cancel(operation), services)
    except WrongState:  # it ended in the meantime
        return _respond(request, services.read(operation.id, operation.owner, consistent=True), services)


@router.get("/operations/{operation_id:name}", name="yandex_get")
async def get(request: Request, operation_id: str, services: ServicesDep, principal: PrincipalDep) -> Response:
    """Show an operation."""
    return _respond(request, _find(operation_id, services, principal.owner), services)


def _find(operation_id: str, services: Services, owner: str) -> Operation:
    """The operation, if it was started in this API. Raises UnknownOperation, or Gone after its retention."""
    gone = Gone(f"Operation '{operation_id}' is no longer kept.", remedy="Start a new one.")
    try:
        operation = services.read(operation_id, owner)
    except UnknownOperation:
        remedy = f"Check the id; ended operations are kept for {services.yandexart_days:g} days."
        raise UnknownOperation(f"Operation '{operation_id}' does not exist.", remedy=remedy) from None
    except Gone:
        raise gone from None
    if operation.dialect != YANDEXART.name:
        remedy = f"See /v1/operations/{operation_id}."
        raise UnknownOperation(f"Operation '{operation_id}' was started in another API.", remedy=remedy)
    if operation.ended_at and services.clock.now() > operation.ended_at + services.yandexart_days * _DAY:
        raise gone
    return operation


def _respond(request: Request, operation: Operation, services: Services) -> Response:
    if operation.done:
        answer = YANDEXART.render_ended(operation, services)
    else:
        answer = render_pending(operation, services.outlook(operation).retry_after)
    answer = with_unused(answer, unused_query(request))
    return to_response_at_any_size(answer, operation, services.images, YANDEXART)
