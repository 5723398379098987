"""OpenAI's Images API under the paths that OpenAI's and g4f's clients use."""

from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import Response

from imagegate.dialects import openai_images
from imagegate.dialects.answer import Answer
from imagegate.domain.errors import UnknownModel
from imagegate.web.owner import owner_of
from imagegate.web.respond import respond
from imagegate.web.services import Services
from imagegate.web.waiting import wait_for_started

GENERATION_PATHS = ("/v1/images/generations", "/v1/images/generate", "/v1/media/generate")
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": openai_images.GenerationsBody.model_json_schema()}},
    }
}


def openai_router(services: Services) -> APIRouter:
    """The routes of this dialect. Handlers block: a Lambda serves one request at a time."""
    router = APIRouter(tags=["OpenAI Images"])

    async def generate(request: Request, provider: str | None = None) -> Response:
        ask = openai_images.parse(await request.body(), provider)
        ask = replace(ask, repeated=_repeated(request))
        return wait_for_started(request, services, services.start(ask, owner_of(request)))

    for path in (*GENERATION_PATHS, "/api/{provider}/images/generations"):
        router.add_api_route(
            path, generate, methods=["POST"], summary="Generate pictures", openapi_extra=_BODY, name=path
        )

    @router.get("/v1/models", summary="List the models")
    async def models() -> Response:
        cards = [openai_images.model_card(route) for route in services.routes]
        return respond(Answer(200, {"object": "list", "data": cards}))

    @router.get("/v1/models/{model:path}", summary="Describe a model")
    async def model(model: str) -> Response:
        route = services.routes.named(model)
        if route is None:
            raise UnknownModel(f"The model '{model}' does not exist here.", param="model")
        return respond(Answer(200, openai_images.model_card(route)))

    return router


def _repeated(request: Request) -> bool:
    """OpenAI's own clients count their retries; other clients do not say."""
    return request.headers.get("x-stainless-retry-count", "0") != "0"
