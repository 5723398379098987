"""OpenAI's Images API under the paths that OpenAI's and g4f's clients use.

Handlers block, because a Lambda function serves one request at a time.
"""

import re
from dataclasses import replace

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from imagegate.dialects.openai import huggingface
from imagegate.dialects.openai import requests as openai_requests
from imagegate.dialects.openai.models import render_model, render_models
from imagegate.dialects.response import ApiResponse
from imagegate.domain.access.api_key import Principal
from imagegate.domain.errors import UnknownModel
from imagegate.web.http import to_list_response, to_response
from imagegate.web.long_polling import wait_for_started
from imagegate.web.routing import PrincipalDep, ServicesDep, create_router
from imagegate.web.services import Services
from imagegate.web.starting import start_request, unused_query
from imagegate.web.uploads import Upload, describe_inputs, read_upload

_BASES = ("/", "/v1")
"""Where Hugging Face's client posts to when these are its base URL."""
_OPENAI_PACKAGE = re.compile(r"(async)?(azure)?openai/")
_AI_SDK = re.compile(r"^ai/|\bai-sdk[/-]")
"""Since its version 7 each of its packages is a word of its own, such as `ai-sdk-provider-utils/5.0`."""
router = create_router()


@router.post("/v1/images/generations", name="generate")
@router.post("/v1/images/generate", name="generate", include_in_schema=False)
@router.post("/v1/media/generate", name="generate", include_in_schema=False)
@router.post("/openai/deployments/{deployment:path}/images/generations", name="generate", include_in_schema=False)
@router.post("/v1/models/{deployment:path}", name="generate", include_in_schema=False)
@router.post("/v1", name="generate", include_in_schema=False)
@router.post("/", name="generate", include_in_schema=False)
@router.post("/api/{provider}/images/generations", name="generate_by_provider")
async def generate(request: Request, services: ServicesDep, principal: PrincipalDep) -> Response:
    """Make pictures from a prompt, or from pictures if the request has some."""
    upload = await read_upload(request, services.fetch_for(principal.owner))
    is_task = huggingface.is_task(upload.fields)
    if request.scope["path"] in _BASES and not is_task:
        raise HTTPException(404)
    if is_task:
        accept = request.headers.get("accept", "")
        upload = replace(upload, fields=huggingface.to_fields(upload.fields, accept))
    if upload.has_pictures:
        return _generate_from_pictures(request, services, principal, openai_requests.EditsBody, upload)
    generation = openai_requests.build_generation_request(
        openai_requests.GenerationsBody,
        upload.fields,
        provider=request.path_params.get("provider"),
        deployment=request.path_params.get("deployment"),
        unsaid_format="bytes" if is_task else _unsaid_format(request),
    )
    if is_task:
        huggingface.require_one(generation.request.n)
        generation = replace(generation, reply=huggingface.BYTES)
    started = start_request(request, services, principal, generation)
    return wait_for_started(request, services, started)


@router.post("/v1/images/edits", name="edit")
@router.post("/openai/deployments/{deployment:path}/images/edits", name="edit", include_in_schema=False)
async def edit(request: Request, services: ServicesDep, principal: PrincipalDep) -> Response:
    """Make pictures from pictures and a prompt."""
    upload = await read_upload(request, services.fetch_for(principal.owner))
    return _generate_from_pictures(request, services, principal, openai_requests.EditsBody, upload)


@router.post("/v1/images/variations", name="vary")
@router.post("/openai/deployments/{deployment:path}/images/variations", name="vary", include_in_schema=False)
async def vary(request: Request, services: ServicesDep, principal: PrincipalDep) -> Response:
    """Make pictures from a picture."""
    upload = await read_upload(request, services.fetch_for(principal.owner))
    return _generate_from_pictures(request, services, principal, openai_requests.VariationsBody, upload)


@router.get("/v1/models", name="models")
async def models(request: Request, services: ServicesDep, principal: PrincipalDep) -> Response:
    """List the models that the caller may use."""
    listed = render_models(services.routes, principal.may_use, services.facts_of)
    answer = ApiResponse(200, listed | _unused(request))
    return to_list_response(answer, request.headers.get("accept-encoding", ""))


@router.get("/v1/models/{model:path}", name="model")
async def model(request: Request, model: str, services: ServicesDep, principal: PrincipalDep) -> Response:
    """Describe a model, by its name or an alias."""
    route = services.routes.find(model)
    if route is None:
        known = ", ".join(route.model for route in services.routes)
        message, remedy = f"The model '{model}' does not exist here.", f"Use one of: {known}."
        raise UnknownModel(message, param="model", remedy=remedy)
    principal.require(route.model)
    return to_response(ApiResponse(200, render_model(route, services.facts_of) | _unused(request)))


def _generate_from_pictures(
    request: Request,
    services: Services,
    principal: Principal,
    kind: type[openai_requests.GenerationsBody],
    upload: Upload,
) -> Response:
    inputs, mask, bodies = describe_inputs(upload)
    prompted, masked = kind is openai_requests.EditsBody, mask is not None
    able = services.routes.working_from(len(inputs), prompted=prompted, masked=masked)
    generation = openai_requests.build_generation_request(
        kind,
        upload.fields,
        default=next(iter(able), openai_requests.DEFAULT_MODEL),
        inputs=inputs,
        mask=mask,
        provider=request.path_params.get("provider"),
        deployment=request.path_params.get("deployment"),
        unsaid_format=_unsaid_format(request),
    )
    generation = replace(generation, sent_names={**generation.sent_names, "image": upload.name})
    started = start_request(request, services, principal, generation, bodies)
    return wait_for_started(request, services, started)


def _unused(request: Request) -> dict[str, list[str]]:
    """The part of an answer that names the URL's parameters, none of which has an effect here."""
    unused = unused_query(request)
    return {"not_honoured": unused} if unused else {}


def _unsaid_format(request: Request) -> str:
    """What an answer holds if the request does not say it, for clients that need bytes and do not ask for them.

    OpenAI's packages get both: of what is built on them, pydantic-ai, Haystack and LibreChat read only bytes, LangChain
    only URLs. The AI SDK gets bytes, because it downloads nothing from private hosts, such as that of `make run`.
    """
    agent = request.headers.get("user-agent", "").lower()
    return "both" if _OPENAI_PACKAGE.match(agent) else "b64_json" if _AI_SDK.search(agent) else "url"
