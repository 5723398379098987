"""YandexART's asynchronous operations under their documented paths."""

from fastapi import FastAPI, Request
from starlette.responses import Response

from imagegate.dialects import yandexart
from imagegate.web.access import owner_of, start_for
from imagegate.web.presenting import yandexart_operation
from imagegate.web.respond import respond, respond_at_any_size
from imagegate.web.services import Services


def add_yandexart_routes(app: FastAPI, services: Services) -> None:
    """Add the routes of this dialect."""

    @app.post("/foundationModels/v1/imageGenerationAsync", name="yandex_generate")
    async def generate(request: Request) -> Response:
        started = start_for(request, services, yandexart.parse(await request.body()))
        return respond(yandexart.pending(started.operation))

    @app.get("/operations/{operation_id}", name="yandex_get")
    async def get(request: Request, operation_id: str) -> Response:
        operation = services.read(operation_id, owner_of(request))
        answer = yandexart_operation(operation, services.images)
        return respond_at_any_size(answer, operation, services.images)
