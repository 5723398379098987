"""Answers of imagegate's own operations API, and its errors as RFC 9457 problems."""

from typing import Any

from imagegate.dialects.dialect import PictureLink
from imagegate.dialects.operations.pages import LARGEST_PAGE, cut_page, page_token
from imagegate.dialects.response import REFUSAL_STATUSES, ApiResponse, redirect_advice
from imagegate.domain.errors import RequestError
from imagegate.domain.operation.attempt import charged
from imagegate.domain.operation.listing import Page
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.picture import Picture
from imagegate.domain.operation.representation import picture_id, represent, represent_provenance, rfc3339
from imagegate.domain.request.request import ImageRequest
from imagegate.domain.timing.schedule import Outlook

_REPEATABLE = (
    "seed", "steps", "guidance", "negative_prompt", "output_format", "output_compression", "partial_images", "provider",
)  # fmt: skip
PROBLEM = {"content-type": "application/problem+json"}


def render_document(operation: Operation, link: PictureLink, outlook: Outlook | None = None) -> dict[str, Any]:
    """The operation with its URLs, so that clients build none, and while it runs with its likely end."""
    path = f"/v1/operations/{operation.id}"
    images = [link(operation, picture.slot) for picture in operation.pictures]
    urls = {"self": path, "wait": f"{path}/wait", "cancel": f"{path}:cancel", "images": images}
    document = represent(operation)
    for picture, url in zip(document["images"], images, strict=True):
        picture |= {"id": picture_id(operation, picture["slot"]), "url": url}
    for picture, kept in zip(document["images"], operation.pictures, strict=True):
        picture["preview_url"] = add_parameter(picture["url"], "preview") if kept.preview else None
    partials = [_render_partial(operation, at, link) for at in range(len(operation.partials))]
    ready_at = rfc3339(outlook.ready_at) if outlook and not operation.done else None
    if operation.webhook:
        document["webhook"]["url"] = operation.webhook.url
    request = None if operation.request.private else _render_request(operation.request)
    costs = {"request": request, "cost_usd": _cost(operation)}
    return {**document, **costs, "partials": partials, "estimated_ready_at": ready_at, "urls": urls}


def _render_partial(operation: Operation, at: int, link: PictureLink) -> dict[str, Any]:
    """One of the operation's partial pictures, by its place among them."""
    partial = operation.partials[at]
    names = ("attempt", "slot", "index", "content_type", "width", "height", "bytes")
    url = add_parameter(link(operation, partial.slot), f"partial={at}")
    return {**{name: getattr(partial, name) for name in names}, "url": url}


def add_parameter(path: str, name: str) -> str:
    """The path with a parameter that has no value."""
    return f"{path}{'&' if '?' in path else '?'}{name}"


def _render_request(request: ImageRequest) -> dict[str, Any]:
    """The optional fields of the request, to make it again or to change it."""
    ratio = f"{request.ratio[0]}:{request.ratio[1]}" if request.ratio else None
    return {
        "size": {"width": request.size.width, "height": request.size.height} if request.size else None,
        "aspect_ratio": ratio,
        **{name: getattr(request, name) for name in _REPEATABLE},
        "input_images": len(request.inputs),
        "mask": request.mask is not None,
    }


def _cost(operation: Operation) -> float | None:
    """US dollars of the attempts that may have cost; `None` where one was free or has no known price."""
    paid = [attempt.micro_dollars for attempt in charged(operation.attempts).values()]
    return sum(paid) / 1_000_000 if all(paid) else None


def render_operation(operation: Operation, link: PictureLink, outlook: Outlook | None = None) -> ApiResponse:
    """200: the operation; while it runs, with Retry-After."""
    headers = {"etag": f'W/"{operation.version}"'}
    if outlook and not operation.done:
        headers["retry-after"] = str(outlook.retry_after)
    return ApiResponse(200, render_document(operation, link, outlook), headers)


def render_provenance(operation: Operation, picture: Picture) -> dict[str, Any]:
    """Where a picture comes from; its file says the same."""
    made = next((attempt for attempt in reversed(operation.attempts) if picture.slot in attempt.slots), None)
    return {
        "id": picture_id(operation, picture.slot),
        "operation_id": operation.id,
        "sha256": picture.sha256,
        "content_type": picture.content_type,
        "converted_from": picture.converted_from,
        "provider": picture.provider,
        "model": made.model if made else None,
        "requested_at": rfc3339(operation.created_at),
        "provenance": represent_provenance(picture.provenance),
    }


def render_accepted(operation: Operation, link: PictureLink, outlook: Outlook) -> ApiResponse:
    """202: the running operation, with its address and Retry-After."""
    path = f"/v1/operations/{operation.id}"
    headers = {"location": path, "operation-location": path, "retry-after": str(outlook.retry_after)}
    return ApiResponse(202, render_document(operation, link, outlook), headers)


def render_page(page: Page, link: PictureLink, largest: int = LARGEST_PAGE) -> ApiResponse:
    """200: a page of the list, of at most `largest` bytes."""
    rendered, last = cut_page(page, lambda operation: render_document(operation, link), largest)
    return ApiResponse(200, {"operations": rendered, "next_page_token": page_token(last) if last else None})


TITLES = {
    400: "The request must be changed",
    401: "No valid API key",
    403: "Not allowed for this API key",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict with the current state",
    410: "No longer available",
    413: "Request too large",
    415: "Content-Encoding not supported",
    422: "Idempotency-Key of another request",
    429: "Limit of the API key reached",
    500: "Internal error",
}


def render_refusal(error: RequestError, request_id: str) -> ApiResponse:
    """The answer to a request that the caller has to change."""
    status = REFUSAL_STATUSES.get(error.code, 400)
    return render_problem(status, error.code, error.message, request_id, remedy=error.remedy, param=error.param)


def render_redirect(operation: Operation, location: str) -> ApiResponse:
    """303 with a problem that says what to do, for clients that show it instead of following the redirect."""
    code = "answer_too_large" if operation.done else "operation_pending"
    body = {
        "type": "about:blank",
        "title": "See other",
        "status": 303,
        "detail": redirect_advice(operation),
        "code": code,
        "id": operation.id,
        "state": operation.state,
        "done": operation.done,
    }
    return ApiResponse(303, body, {**PROBLEM, "location": location})


def render_problem(status: int, code: str, detail: str, request_id: str, **more: str | None) -> ApiResponse:
    """An RFC 9457 body, with the members of `more` that are not `None`."""
    body = {
        "type": "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
        **{name: value for name, value in more.items() if value is not None},
    }
    return ApiResponse(status, body, PROBLEM)
