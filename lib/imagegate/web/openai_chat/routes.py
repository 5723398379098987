"""OpenAI's Chat Completions API: a completion is an operation, and its choices are the operation's pictures."""

from fastapi import Request
from starlette.responses import Response

from imagegate.dialects.openai_chat import requests as chat_requests
from imagegate.dialects.openai_chat.dialect import PATH
from imagegate.web.http import LARGEST_WITH_PICTURES
from imagegate.web.long_polling import wait_for_started
from imagegate.web.picture_models import can_edit, default_model
from imagegate.web.routing import PrincipalDep, ServicesDep, create_router
from imagegate.web.starting import start_request
from imagegate.web.uploads import bring_inputs

router = create_router()


@router.post(PATH, name="complete")
@router.post("/openai/deployments/{deployment:path}/chat/completions", name="complete", include_in_schema=False)
async def complete(request: Request, services: ServicesDep, principal: PrincipalDep) -> Response:
    """Make a picture from the last messages of a chat."""
    task = chat_requests.parse(await request.body(), LARGEST_WITH_PICTURES)
    named = request.path_params.get("deployment") or task.body.model
    pictures = task.pictures(lambda: can_edit(services, principal, named))
    inputs, _, bodies = bring_inputs(pictures, services.fetch_for(principal.owner), "messages")
    model = named or default_model(services, principal, len(inputs))
    generation = chat_requests.build(task, model, inputs)
    started = start_request(request, services, principal, generation, bodies)
    return wait_for_started(request, services, started)
