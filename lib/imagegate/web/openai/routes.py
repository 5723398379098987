"""OpenAI's Images API under the paths that OpenAI's and g4f's clients use."""

from dataclasses import replace

from fastapi import FastAPI, Request
from starlette.responses import Response

from imagegate.dialects.openai import requests as openai_requests
from imagegate.dialects.openai import responses as openai_responses
from imagegate.dialects.parsing import DATA_LOGGING, parse_idempotency_key, with_privacy
from imagegate.dialects.response import ApiResponse
from imagegate.domain.errors import UnknownModel
from imagegate.usecases.start import GenerationRequest
from imagegate.web.access import principal_of, start_for
from imagegate.web.decoding import header_texts
from imagegate.web.http import to_response
from imagegate.web.long_polling import wait_for_started
from imagegate.web.services import Services
from imagegate.web.uploads import describe_inputs, read_upload


def add_openai_routes(app: FastAPI, services: Services) -> None:
    """Add the routes of this dialect. Handlers block: a Lambda serves one request at a time."""

    async def generate(request: Request, provider: str | None = None) -> Response:
        generation = openai_requests.parse(await request.body(), provider)
        generation = _with_repetition(generation, request)
        return wait_for_started(request, services, start_for(request, services, generation))

    async def generate_here(request: Request) -> Response:
        return await generate(request)

    for path in openai_responses.GENERATION_PATHS:
        app.add_api_route(path, generate_here, methods=["POST"], name="generate")
    app.add_api_route("/api/{provider}/images/generations", generate, methods=["POST"], name="generate")

    async def from_pictures(request: Request, kind: type[openai_requests.GenerationsBody]) -> Response:
        upload = await read_upload(request)
        inputs, mask, bodies = describe_inputs(upload)
        able = services.routes.working_from(len(inputs), prompted=kind is openai_requests.EditsBody)
        default = next(iter(able), openai_requests.DEFAULT_MODEL)
        generation = openai_requests.build_generation_request(
            kind, upload.fields, default=default, inputs=inputs, mask=mask
        )
        generation = _with_repetition(generation, request)
        return wait_for_started(request, services, start_for(request, services, generation, bodies))

    @app.post("/v1/images/edits", name="edit")
    async def edit(request: Request) -> Response:
        return await from_pictures(request, openai_requests.EditsBody)

    @app.post("/v1/images/variations", name="vary")
    async def vary(request: Request) -> Response:
        return await from_pictures(request, openai_requests.VariationsBody)

    @app.get("/v1/models", name="models")
    async def models(request: Request) -> Response:
        may_use = principal_of(request).may_use
        cards = [openai_responses.render_model(route) for route in services.routes if may_use(route.model)]
        return to_response(ApiResponse(200, {"object": "list", "data": cards}))

    @app.get("/v1/models/{model:path}", name="model")
    async def model(request: Request, model: str) -> Response:
        route = services.routes.find(model)
        if route is None:
            known = ", ".join(route.model for route in services.routes)
            message, remedy = f"The model '{model}' does not exist here.", f"Use one of: {known}."
            raise UnknownModel(message, param="model", remedy=remedy)
        principal_of(request).require(route.model)
        return to_response(ApiResponse(200, openai_responses.render_model(route)))


def _with_repetition(generation: GenerationRequest, request: Request) -> GenerationRequest:
    """The GenerationRequest with what the headers say: OpenAI's own clients count their retries, others may send a
    key."""
    repeated = request.headers.get("x-stainless-retry-count", "0") != "0"
    headers = header_texts(request, ("idempotency-key", DATA_LOGGING))
    generation = replace(
        generation, repeated=repeated, idempotency_key=parse_idempotency_key(headers.get("idempotency-key"))
    )
    return with_privacy(generation, headers.get(DATA_LOGGING, ""))
