"""OpenAI's Responses API: a response is an operation, and its image generation calls are the operation's pictures."""

from typing import Annotated

from fastapi import Path, Query, Request
from starlette.responses import Response

from imagegate.dialects.openai_responses import requests as responses_requests
from imagegate.dialects.openai_responses import responses
from imagegate.dialects.openai_responses.dialect import NAME, OPENAI_RESPONSES, PATH
from imagegate.dialects.openai_responses.ids import parse_response_id
from imagegate.dialects.openai_responses.requests import PictureTask
from imagegate.dialects.response import ApiResponse
from imagegate.domain.access.api_key import Principal
from imagegate.domain.errors import InvalidRequest, RequestError, UnknownModel, UnknownOperation, WrongState
from imagegate.domain.operation.operation import Operation
from imagegate.web.http import LARGEST_WITH_PICTURES, to_response_at_any_size
from imagegate.web.long_polling import wait_for_started
from imagegate.web.picture_models import can_edit, default_model
from imagegate.web.routing import PrincipalDep, ServicesDep, create_router
from imagegate.web.services import Services
from imagegate.web.starting import start_request, unused_query
from imagegate.web.uploads import bring_inputs
from imagegate.web.wait_services import pictures_gone

ResponseId = Annotated[str, Path(description="The response's id.", examples=["resp_06gzj55vfn0ajhf9kn2m"])]
router = create_router()


@router.post(PATH, name="respond")
async def respond(request: Request, services: ServicesDep, principal: PrincipalDep) -> Response:
    """Make a picture from a conversation."""
    task = responses_requests.parse(await request.body(), LARGEST_WITH_PICTURES)
    previous = _previous(task, services, principal)
    named = None if _is_replaced(task, services) else task.named_model
    pictures = task.pictures(previous, lambda: can_edit(services, principal, named))
    inputs, mask, bodies = bring_inputs(pictures, services.fetch_for(principal.owner), "input")
    model = named or default_model(services, principal, len(inputs), mask is not None)
    generation = responses_requests.build(task, model, inputs, mask)
    background = bool(task.body.background)
    started = start_request(request, services, principal, generation, bodies, answered_at_once=background)
    if not background:
        return wait_for_started(request, services, started)
    return _render(request, started.operation, services)


@router.get(f"{PATH}/{{response_id}}", name="response")
async def retrieve(
    request: Request,
    response_id: ResponseId,
    services: ServicesDep,
    principal: PrincipalDep,
    stream: Annotated[bool, Query(description="The events of an ended response.")] = False,
    starting_after: Annotated[int, Query(ge=-1, lt=2**31, description="Only later events.")] = -1,
) -> Response:
    """Show a response."""
    operation = _find(response_id, services, principal)
    if not stream:
        return _render(request, operation, services)
    if not operation.done:
        remedy = "GET it without 'stream' until its status is 'completed'."
        raise InvalidRequest(f"Response '{response_id}' has not ended yet.", param="stream", remedy=remedy)
    return _to_response(
        operation, services, responses.render_stream(operation, services, starting_after, _unused(request))
    )


@router.post(f"{PATH}/{{response_id}}/cancel", name="cancel_response")
async def cancel(request: Request, response_id: ResponseId, services: ServicesDep, principal: PrincipalDep) -> Response:
    """Cancel a response. One that has ended stays as it is."""
    operation = _find(response_id, services, principal)
    try:
        operation = services.cancel(operation)
    except WrongState:
        operation = _find(response_id, services, principal)
    return _render(request, operation, services)


def _find(response_id: str, services: Services, principal: Principal) -> Operation:
    """The caller's operation of a response. Raises UnknownOperation, also once it ended that was not to be stored."""
    operation = services.read(parse_response_id(response_id), principal.owner, consistent=True)
    if operation.dialect != NAME or (operation.done and "not_stored" in operation.reply):
        raise UnknownOperation(f"Response '{response_id}' does not exist.", remedy="Check the id.")
    return operation


def _render(request: Request, operation: Operation, services: Services) -> Response:
    if operation.pictures and services.pictures_are_gone(operation):
        raise pictures_gone(operation)
    return _to_response(operation, services, responses.render_response(operation, services, _unused(request)))


def _unused(request: Request) -> list[str]:
    """Parameters of the URL without effect, such as OpenAI's `include`."""
    return unused_query(request, ("stream", "starting_after"))


def _to_response(operation: Operation, services: Services, answer: ApiResponse) -> Response:
    return to_response_at_any_size(answer, operation, services.images, OPENAI_RESPONSES)


def _previous(task: PictureTask, services: Services, principal: Principal) -> Operation | None:
    """The operation that the request continues. Raises InvalidRequest."""
    named = task.body.previous_response_id
    if not named:
        return None
    try:
        previous = services.read(parse_response_id(named), principal.owner, consistent=True)
    except RequestError as error:
        error.param = "previous_response_id"
        raise
    responses_requests.require_previous(previous)
    return previous


def _is_replaced(task: PictureTask, services: Services) -> bool:
    """True when the named model is that of the conversation. Raises UnknownModel where it would have to answer."""
    named = task.named_model
    if not named or services.routes.find(named):
        return False
    if not task.model_may_be_replaced:
        known = ", ".join(route.model for route in services.routes)
        beside = "" if task.tool else ' A language model is accepted beside tools: [{"type": "image_generation"}].'
        message = f"The model '{named}' does not exist here: this gateway makes pictures."
        raise UnknownModel(message, param="model", remedy=f"Use one of: {known}.{beside}")
    return True
