"""imagegate's own operations API."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request
from pydantic import AwareDatetime
from starlette.responses import RedirectResponse, Response

from imagegate.dialects.operations import requests as operations_requests
from imagegate.dialects.operations import responses as operations_responses
from imagegate.dialects.operations import uploads as operations_uploads
from imagegate.dialects.operations import usage as operations_usage
from imagegate.dialects.operations import webhooks as operations_webhooks
from imagegate.dialects.operations.pages import parse_page_token
from imagegate.dialects.parsing import DATA_LOGGING, with_privacy
from imagegate.dialects.response import ApiResponse
from imagegate.domain.access.api_key import Principal
from imagegate.domain.access.ledger import UsageTotals
from imagegate.domain.errors import Gone
from imagegate.domain.operation import listing
from imagegate.domain.operation.ids import is_id
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.partial import Partial
from imagegate.domain.operation.picture import Picture
from imagegate.web.access import start_for
from imagegate.web.decoding import header_texts
from imagegate.web.http import matches, to_list_response, to_response
from imagegate.web.long_polling import wait_for, wait_for_started
from imagegate.web.middleware import HEAD_ONLY
from imagegate.web.routing import PrincipalDep, ServicesDep, create_router, refuse_unknown_query
from imagegate.web.services import Services

OperationId = Annotated[str, Path(description="The operation's id.", examples=["06gzj55vfn0ajhf9kn2m"])]
PageToken = Annotated[str | None, Query(max_length=200)]
Moment = Annotated[AwareDatetime | None, Query(description="RFC 3339, with time zone.")]
Hop = Annotated[int, Query(ge=1, le=1000, description="The number of this redirect.")]
Days = Annotated[int, Query(ge=1, le=operations_usage.LONGEST, description="Days to show, including today.")]
_LARGEST_DOWNLOAD = 4_000_000
"""Bytes of a picture that an answer of Lambda has room for, in base64."""
_FRESH_SECONDS = 300
"""For so long a browser may reuse the redirect to a picture."""
router = create_router()
_STRICT = [Depends(refuse_unknown_query)]
"""Of every route but that of pictures: web pages add a number to a picture's URL so that it is fetched again."""


@router.post("/v1/operations", name="create", dependencies=_STRICT)
async def create(request: Request, services: ServicesDep, principal: PrincipalDep) -> Response:
    """Start an operation, or estimate it only."""
    headers = header_texts(request, ("idempotency-key", DATA_LOGGING))
    generation, validate_only = operations_requests.parse(await request.body(), headers.get("idempotency-key"))
    generation = with_privacy(generation, headers.get(DATA_LOGGING, ""))
    if validate_only:
        services.start.check(generation, principal)
        return to_response(ApiResponse(200, services.estimate(generation.request)))
    return wait_for_started(request, services, start_for(principal, services, generation), asynchronous=True)


@router.get("/v1/operations", name="list", dependencies=_STRICT)
async def list_operations(
    request: Request,
    services: ServicesDep,
    principal: PrincipalDep,
    state: State | None = None,
    model: Annotated[str | None, Query(max_length=200)] = None,
    created_after: Moment = None,
    created_before: Moment = None,
    page_size: Annotated[int, Query(ge=1, le=listing.LARGEST_PAGE)] = 20,
    page_token: PageToken = None,
) -> Response:
    """List the caller's operations, newest first."""
    query = listing.Query(
        owner=principal.owner,
        size=page_size,
        state=state,
        model=_model_name(services, model),
        created_after=created_after.timestamp() if created_after else None,
        created_before=created_before.timestamp() if created_before else None,
        before_id=parse_page_token(page_token, is_id) if page_token else None,
    )
    page = operations_responses.render_page(services.listing.page(query), services.picture_link)
    return to_list_response(page, request.headers.get("accept-encoding", ""))


# POST as well, because `curl -X POST -L` repeats its method at every redirect.
@router.get("/v1/operations/{operation_id}/wait", name="wait", dependencies=_STRICT)
@router.post("/v1/operations/{operation_id}/wait", name="wait_by_post", dependencies=_STRICT)
async def wait(
    request: Request, operation_id: OperationId, services: ServicesDep, principal: PrincipalDep, hop: Hop = 1
) -> Response:
    """Hold the request until the operation ends, and answer in the dialect that started it."""
    operation = services.read(operation_id, principal.owner)
    request.scope["state"]["dialect"] = operation.dialect
    return wait_for(request, services, operation, hop)


@router.post("/v1/operations/{operation_id:name}:cancel", name="cancel", dependencies=_STRICT)
async def cancel(operation_id: OperationId, services: ServicesDep, principal: PrincipalDep) -> Response:
    """Cancel an operation."""
    operation = services.cancel(services.read(operation_id, principal.owner, consistent=True))
    return to_response(_render(operation, services))


@router.post("/v1/operations/{operation_id:name}:retry", name="retry", status_code=202, dependencies=_STRICT)
async def retry(operation_id: OperationId, services: ServicesDep, principal: PrincipalDep) -> Response:
    """Try a failed or cancelled operation again."""
    operation = services.read(operation_id, principal.owner, consistent=True)
    principal.require(operation.model)
    operation = services.retry(operation, principal.key)
    outlook = services.outlook(operation)
    return to_response(operations_responses.render_accepted(operation, services.picture_link, outlook))


@router.get("/v1/operations/{operation_id}/deliveries", name="deliveries", dependencies=_STRICT)
async def deliveries(
    operation_id: OperationId, services: ServicesDep, principal: PrincipalDep, page_token: PageToken = None
) -> Response:
    """Show the deliveries to an operation's webhook."""
    after = operations_webhooks.parse_deliveries_token(page_token) if page_token else 0
    operation = services.read(operation_id, principal.owner)
    webhook = operation.webhook
    found = services.deliveries.of(operation.id, after) if webhook else []
    disabled = webhook is not None and services.disabled_webhooks.is_disabled(operation.owner, webhook.url)
    return to_response(operations_webhooks.render_deliveries(operation, found, disabled))


@router.post("/v1/operations/{operation_id:name}:redeliver", name="redeliver", status_code=202, dependencies=_STRICT)
async def redeliver(
    request: Request, operation_id: OperationId, services: ServicesDep, principal: PrincipalDep
) -> Response:
    """Send events to an operation's webhook again."""
    operation = services.read(operation_id, principal.owner)
    restarted = services.redeliver(operation, operations_webhooks.parse_redelivery(await request.body()))
    return to_response(operations_webhooks.render_deliveries(operation, restarted, disabled=False, status=202))


@router.get("/v1/operations/{operation_id:name}", name="get", dependencies=_STRICT)
async def get(request: Request, operation_id: OperationId, services: ServicesDep, principal: PrincipalDep) -> Response:
    """Show an operation."""
    answer = _render(services.read(operation_id, principal.owner), services)
    if matches(answer.headers["etag"], request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=dict(answer.headers))
    return to_response(answer)


@router.delete("/v1/operations/{operation_id:name}", name="delete", status_code=204, dependencies=_STRICT)
async def delete(operation_id: OperationId, services: ServicesDep, principal: PrincipalDep) -> Response:
    """Delete an operation and its pictures."""
    services.delete(services.read(operation_id, principal.owner, consistent=True))
    return Response(status_code=204)


@router.get("/v1/images/{image_id}", name="image", status_code=302)
async def image(
    request: Request,
    image_id: str,
    services: ServicesDep,
    principal: PrincipalDep,
    preview: Annotated[str | None, Query(description="Its preview, a WebP of at most 512 pixels a side.")] = None,
    download: Annotated[str | None, Query(description="Its bytes as a file, where they fit into an answer.")] = None,
    partial: Annotated[int | None, Query(ge=0, description="The place of a partial picture in `partials`.")] = None,
) -> Response:
    """Redirect to a picture in S3; to HEAD, say its type and length, because a presigned URL is for GET only."""
    stored: Picture | Partial
    if partial is None:
        operation, stored = _find_picture(image_id, services, principal)
    else:
        operation, stored = _find_partial(image_id, partial, services, principal)
    if services.pictures_are_gone(operation):
        raise Gone(f"Picture '{image_id}' is no longer kept.", remedy="Start a new operation.")
    fresh = min(_FRESH_SECONDS, services.presign_seconds // 2)
    headers = {"cache-control": f"private, max-age={fresh}"}
    if request.scope.get(HEAD_ONLY):
        described = {"content-type": stored.content_type, "content-length": str(stored.bytes)}
        return Response(status_code=200, headers=headers | described)
    if download is not None and stored.bytes <= _LARGEST_DOWNLOAD:
        return _to_file(services.read_bytes(operation, stored), stored, image_id)
    preview_key = stored.preview if preview is not None and isinstance(stored, Picture) else None
    key = preview_key or stored.key
    return RedirectResponse(services.images.presign(key), 302, headers)


@router.get("/v1/images/{image_id}/provenance", name="provenance", dependencies=_STRICT)
async def provenance(image_id: str, services: ServicesDep, principal: PrincipalDep) -> Response:
    """Show where a picture comes from."""
    operation, picture = _find_picture(image_id, services, principal)
    return to_response(ApiResponse(200, operations_responses.render_provenance(operation, picture)))


@router.post("/v1/uploads", name="upload", status_code=201, dependencies=_STRICT)
async def upload(request: Request, services: ServicesDep, principal: PrincipalDep) -> Response:
    """Give a form to send a large picture with."""
    content_type = operations_uploads.parse_upload(await request.body())
    return to_response(operations_uploads.render_upload(services.uploads.begin(principal.owner, content_type)))


@router.get("/v1/usage", name="usage", dependencies=_STRICT)
async def show(services: ServicesDep, principal: PrincipalDep, days: Days = 1) -> Response:
    """Show the use of the API key's limits."""
    key, now = principal.key, services.clock.now()
    shown_days = operations_usage.last_days(days, now)
    used = services.usage_ledger.read(key.id, shown_days, key.shards) if key and key.limits.metered else UsageTotals()
    return to_response(ApiResponse(200, operations_usage.render_usage(key, used, shown_days, now)))


def _find_picture(image_id: str, services: Services, principal: Principal) -> tuple[Operation, Picture]:
    operation_id, slot = operations_requests.parse_picture_id(image_id)
    operation = services.read(operation_id, principal.owner)
    picture = next((picture for picture in operation.pictures if picture.slot == slot), None)
    if picture is None:
        raise operations_requests.unknown_picture(image_id)
    return operation, picture


def _find_partial(image_id: str, place: int, services: Services, principal: Principal) -> tuple[Operation, Partial]:
    operation_id, _ = operations_requests.parse_picture_id(image_id)
    operation = services.read(operation_id, principal.owner)
    if place >= len(operation.partials):
        raise operations_requests.unknown_picture(f"{image_id}?partial={place}")
    return operation, operation.partials[place]


def _model_name(services: Services, name: str | None) -> str | None:
    """The model's own name for an alias of it. Other names stay: operations of a model outlive its route."""
    route = services.routes.find(name) if name else None
    return route.model if route else name


def _to_file(body: bytes, picture: Picture | Partial, image_id: str) -> Response:
    """The picture for a browser that saves it, or for a page, which cannot read the bucket's answers."""
    name = f"{image_id}.{picture.key.rpartition('.')[2]}"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "private, no-store"}
    return Response(body, media_type=picture.content_type, headers=headers)


def _render(operation: Operation, services: Services) -> ApiResponse:
    # No outlook once it has ended: its model may have no route any more.
    outlook = None if operation.done else services.outlook(operation)
    return operations_responses.render_operation(operation, services.picture_link, outlook)
