"""imagegate's own operations API."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from imagegate.dialects import operations
from imagegate.dialects.answer import Answer
from imagegate.web.owner import owner_of
from imagegate.web.respond import respond
from imagegate.web.services import Services
from imagegate.web.waiting import wait_for


def operations_router(services: Services) -> APIRouter:
    """The routes of the native dialect."""
    router = APIRouter(tags=["Operations"])

    async def wait(request: Request, operation_id: str, hop: Annotated[int, Query(ge=1)] = 1) -> Response:
        operation = services.read(operation_id, owner_of(request))
        return wait_for(request, services, operation, hop)

    @router.get("/v1/operations/{operation_id}", summary="Show an operation")
    async def get(request: Request, operation_id: str) -> Response:
        operation = services.read(operation_id, owner_of(request))
        return respond(Answer(200, operations.present(operation)))

    # POST as well: `curl -X POST -L` repeats its method at every hop.
    router.add_api_route(
        "/v1/operations/{operation_id}/wait", wait, methods=["GET", "POST"], summary="Wait for an operation"
    )
    return router
