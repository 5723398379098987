"""OpenAI's Images API under the paths that OpenAI's and g4f's clients use."""

from dataclasses import replace

from fastapi import FastAPI, Request
from starlette.responses import Response

from imagegate.dialects import openai_images
from imagegate.dialects.answer import Answer
from imagegate.domain.errors import UnknownModel
from imagegate.web.owner import owner_of
from imagegate.web.respond import respond
from imagegate.web.services import Services
from imagegate.web.waiting import wait_for_started


def add_openai_routes(app: FastAPI, services: Services) -> None:
    """Add the routes of this dialect. Handlers block: a Lambda serves one request at a time."""

    async def generate(request: Request, provider: str | None = None) -> Response:
        ask = openai_images.parse(await request.body(), provider)
        ask = replace(ask, repeated=_repeated(request))
        return wait_for_started(request, services, services.start(ask, owner_of(request)))

    async def generate_here(request: Request) -> Response:
        return await generate(request)

    for path in openai_images.GENERATION_PATHS:
        app.add_api_route(path, generate_here, methods=["POST"], name="generate")
    app.add_api_route("/api/{provider}/images/generations", generate, methods=["POST"], name="generate")

    @app.get("/v1/models", name="models")
    async def models() -> Response:
        cards = [openai_images.model_card(route) for route in services.routes]
        return respond(Answer(200, {"object": "list", "data": cards}))

    @app.get("/v1/models/{model:path}", name="model")
    async def model(model: str) -> Response:
        route = services.routes.named(model)
        if route is None:
            raise UnknownModel(f"The model '{model}' does not exist here.", param="model")
        return respond(Answer(200, openai_images.model_card(route)))


def _repeated(request: Request) -> bool:
    """OpenAI's own clients count their retries; other clients do not say."""
    return request.headers.get("x-stainless-retry-count", "0") != "0"
