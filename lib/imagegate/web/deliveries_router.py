"""What was sent to an operation's webhook."""

from typing import Annotated

from fastapi import FastAPI, Path, Query, Request
from starlette.responses import Response

from imagegate.dialects import webhook
from imagegate.domain.operation import Operation
from imagegate.web.access import owner_of
from imagegate.web.respond import respond
from imagegate.web.services import Services

OperationId = Annotated[str, Path(description="The operation's id.", examples=["06gzj55vfn0ajhf9kn2m"])]


def add_deliveries_routes(app: FastAPI, services: Services) -> None:
    """Add the routes about webhooks."""

    @app.get("/v1/operations/{operation_id}/deliveries", name="deliveries")
    async def deliveries(
        request: Request,
        operation_id: OperationId,
        page_token: Annotated[str | None, Query(max_length=200)] = None,
    ) -> Response:
        after = webhook.parse_deliveries_token(page_token) if page_token else 0
        operation = services.read(operation_id, owner_of(request))
        found = services.deliveries.of(operation.id, after) if operation.webhook else []
        return respond(webhook.deliveries(operation, found, _is_disabled(services, operation)))

    @app.post("/v1/operations/{operation_id}:redeliver", name="redeliver", status_code=202)
    async def redeliver(request: Request, operation_id: OperationId) -> Response:
        operation = services.read(operation_id, owner_of(request))
        begun = services.redeliver(operation, webhook.parse_redelivery(await request.body()))
        return respond(webhook.deliveries(operation, begun, disabled=False, status=202))


def _is_disabled(services: Services, operation: Operation) -> bool:
    known = operation.webhook
    return known is not None and services.disabled_webhooks.is_disabled(operation.owner, known.url)
