"""YandexART's asynchronous operations under their documented paths."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from imagegate.dialects import yandexart
from imagegate.web.owner import owner_of
from imagegate.web.presenting import yandexart_operation
from imagegate.web.respond import respond, respond_at_any_size
from imagegate.web.services import Services

_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": yandexart.GenerationBody.model_json_schema()}},
    }
}


def yandexart_router(services: Services) -> APIRouter:
    """The routes of this dialect."""
    router = APIRouter(tags=["YandexART"])

    @router.post("/foundationModels/v1/imageGenerationAsync", summary="Start a generation", openapi_extra=_BODY)
    async def generate(request: Request) -> Response:
        started = services.start(yandexart.parse(await request.body()), owner_of(request))
        return respond(yandexart.pending(started.operation))

    @router.get("/operations/{operation_id}", summary="Ask for the result")
    async def get(request: Request, operation_id: str) -> Response:
        operation = services.read(operation_id, owner_of(request))
        answer = yandexart_operation(operation, services.images)
        return respond_at_any_size(answer, operation, services.images)

    return router
