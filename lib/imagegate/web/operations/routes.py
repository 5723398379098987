"""imagegate's own operations API."""

from typing import Annotated

from fastapi import FastAPI, Path, Query, Request
from pydantic import AwareDatetime
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from imagegate.dialects.openai import responses as openai_responses
from imagegate.dialects.operations import requests as operations_requests
from imagegate.dialects.operations import responses as operations_responses
from imagegate.dialects.operations import usage as operations_usage
from imagegate.dialects.operations import webhooks as operations_webhooks
from imagegate.dialects.operations.pages import parse_page_token
from imagegate.dialects.parsing import DATA_LOGGING, with_privacy
from imagegate.dialects.response import ApiResponse
from imagegate.domain.access.ledger import UsageTotals
from imagegate.domain.errors import Gone
from imagegate.domain.operation import listing
from imagegate.domain.operation.ids import is_id
from imagegate.domain.operation.operation import Operation, State
from imagegate.web.access import owner_of, principal_of, require_model, start_for
from imagegate.web.decoding import header_texts
from imagegate.web.http import matches, to_response
from imagegate.web.long_polling import wait_for, wait_for_started
from imagegate.web.services import Services

OperationId = Annotated[str, Path(description="The operation's id.", examples=["06gzj55vfn0ajhf9kn2m"])]
_FRESH_SECONDS = 300
"""For so long a browser need not ask again where a picture is."""
Moment = Annotated[AwareDatetime | None, Query(description="RFC 3339, with time zone.")]


def add_operations_routes(app: FastAPI, services: Services) -> None:
    """Add the routes of the native dialect."""
    _add_collection(app, services)
    _add_actions(app, services)
    _add_one(app, services)
    _add_images(app, services)


def _add_collection(app: FastAPI, services: Services) -> None:
    @app.post("/v1/operations", name="create")
    async def create(request: Request) -> Response:
        headers = header_texts(request, ("idempotency-key", DATA_LOGGING))
        generation, validate_only = operations_requests.parse(await request.body(), headers.get("idempotency-key"))
        generation = with_privacy(generation, headers.get(DATA_LOGGING, ""))
        if validate_only:
            require_model(request, services, generation)
            services.resolve_webhook(generation, principal_of(request))
            return to_response(ApiResponse(200, services.estimate(generation.request)))
        return wait_for_started(request, services, start_for(request, services, generation))

    @app.get("/v1/operations", name="list")
    async def list_operations(
        request: Request,
        state: State | None = None,
        model: Annotated[str | None, Query(max_length=200)] = None,
        created_after: Moment = None,
        created_before: Moment = None,
        page_size: Annotated[int, Query(ge=1, le=listing.LARGEST_PAGE)] = 20,
        page_token: Annotated[str | None, Query(max_length=200)] = None,
    ) -> Response:
        query = listing.Query(
            owner=owner_of(request),
            size=page_size,
            state=state,
            model=model,
            created_after=created_after.timestamp() if created_after else None,
            created_before=created_before.timestamp() if created_before else None,
            before_id=parse_page_token(page_token, is_id) if page_token else None,
        )
        return to_response(operations_responses.render_page(services.listing.page(query), services.picture_link))


def _add_actions(app: FastAPI, services: Services) -> None:
    async def wait(
        request: Request,
        operation_id: OperationId,
        hop: Annotated[int, Query(ge=1, le=1000, description="Which redirect this is.")] = 1,
    ) -> Response:
        operation = services.read(operation_id, owner_of(request))
        request.scope["state"]["dialect"] = operation.dialect
        return wait_for(request, services, operation, hop)

    # POST as well: `curl -X POST -L` repeats its method at every hop.
    path = "/v1/operations/{operation_id}/wait"
    app.add_api_route(path, wait, methods=["GET"], name="wait")
    app.add_api_route(path, wait, methods=["POST"], name="wait_by_post")

    @app.post("/v1/operations/{operation_id}:cancel", name="cancel")
    async def cancel(request: Request, operation_id: OperationId) -> Response:
        operation = services.cancel(services.read(operation_id, owner_of(request), consistent=True))
        return to_response(_shown(operation, services))

    @app.post("/v1/operations/{operation_id}:retry", name="retry", status_code=202)
    async def retry(request: Request, operation_id: OperationId) -> Response:
        operation = services.read(operation_id, owner_of(request), consistent=True)
        principal = principal_of(request)
        principal.require(operation.model)
        operation = services.retry(operation, principal.key)
        return to_response(
            operations_responses.render_accepted(operation, services.picture_link, services.outlook(operation))
        )


def _add_one(app: FastAPI, services: Services) -> None:
    @app.get("/v1/operations/{operation_id}", name="get")
    async def get(request: Request, operation_id: OperationId) -> Response:
        operation = services.read(operation_id, owner_of(request))
        answer = _shown(operation, services)
        if matches(answer.headers["etag"], request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=dict(answer.headers))
        return to_response(answer)

    @app.delete("/v1/operations/{operation_id}", name="delete", status_code=204)
    async def delete(request: Request, operation_id: OperationId) -> Response:
        services.delete(services.read(operation_id, owner_of(request), consistent=True))
        return Response(status_code=204)


def _shown(operation: Operation, services: Services) -> ApiResponse:
    # What has ended is shown whatever became of its route.
    return operations_responses.render_operation(
        operation, services.picture_link, None if operation.done else services.outlook(operation)
    )


def _add_images(app: FastAPI, services: Services) -> None:
    @app.get("/v1/images/{image_id}", name="image", status_code=302)
    async def image(request: Request, image_id: str) -> Response:
        if request.scope["path"] in openai_responses.PATHS:
            raise HTTPException(405)
        operation_id, slot = operations_requests.parse_picture_id(image_id)
        operation = services.read(operation_id, owner_of(request))
        picture = next((picture for picture in operation.pictures if picture.slot == slot), None)
        if picture is None:
            raise operations_requests.unknown_picture(image_id)
        if services.pictures_are_gone(operation):
            raise Gone(f"Picture '{image_id}' is no longer kept.", remedy="Retry needs a new operation.")
        fresh = min(_FRESH_SECONDS, services.presign_seconds // 2)
        headers = {"cache-control": f"private, max-age={fresh}"}
        return RedirectResponse(services.images.presign(picture.key), 302, headers)


def add_deliveries_routes(app: FastAPI, services: Services) -> None:
    """Add the routes about webhooks."""

    @app.get("/v1/operations/{operation_id}/deliveries", name="deliveries")
    async def deliveries(
        request: Request,
        operation_id: OperationId,
        page_token: Annotated[str | None, Query(max_length=200)] = None,
    ) -> Response:
        after = operations_webhooks.parse_deliveries_token(page_token) if page_token else 0
        operation = services.read(operation_id, owner_of(request))
        found = services.deliveries.of(operation.id, after) if operation.webhook else []
        return to_response(operations_webhooks.render_deliveries(operation, found, _is_disabled(services, operation)))

    @app.post("/v1/operations/{operation_id}:redeliver", name="redeliver", status_code=202)
    async def redeliver(request: Request, operation_id: OperationId) -> Response:
        operation = services.read(operation_id, owner_of(request))
        begun = services.redeliver(operation, operations_webhooks.parse_redelivery(await request.body()))
        return to_response(operations_webhooks.render_deliveries(operation, begun, disabled=False, status=202))


def _is_disabled(services: Services, operation: Operation) -> bool:
    known = operation.webhook
    return known is not None and services.disabled_webhooks.is_disabled(operation.owner, known.url)


Days = Annotated[int, Query(ge=1, le=operations_usage.LONGEST, description="How many days to show, today included.")]


def add_usage_routes(app: FastAPI, services: Services) -> None:
    """Add the route."""

    @app.get("/v1/usage", name="usage")
    async def show(request: Request, days: Days = 1) -> Response:
        key, now = principal_of(request).key, services.clock.now()
        days_asked = operations_usage.last_days(days, now)
        used = services.usage_ledger.read(key.id, days_asked) if key and key.limits.metered else UsageTotals()
        return to_response(ApiResponse(200, operations_usage.render_usage(key, used, days_asked, now)))
