"""Finished pictures as resources."""

import base64
import json
from typing import Any

from imagegate.dialects.mcp.messages import INVALID_PARAMS, RESOURCE_NOT_FOUND, RpcError
from imagegate.dialects.mcp.results import describe_picture, render_facts
from imagegate.dialects.mcp.tools import OPERATION_URI, PICTURE_URI, PREVIEW_URI
from imagegate.dialects.operations.pages import page_token, parse_page_token
from imagegate.domain.errors import InvalidRequest, RequestError
from imagegate.domain.operation import listing
from imagegate.domain.operation.ids import is_id
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.picture import Picture
from imagegate.web.mcp.caller import Caller
from imagegate.web.mcp.pictures import find_picture
from imagegate.web.wait_services import pictures_gone

_PAGE = 50
_LARGEST = 4_000_000
"""Bytes of a picture for which an answer of Lambda has room, in base64."""
TEMPLATES = [
    {
        "uriTemplate": f"{PICTURE_URI}{{image_id}}",
        "name": "picture",
        "title": "A finished picture",
        "description": "Its bytes, as the model made it.",
    },
    {
        "uriTemplate": f"{PREVIEW_URI}{{image_id}}",
        "name": "preview",
        "title": "The preview of a finished picture",
        "description": "At most 512 pixels a side.",
        "mimeType": "image/webp",
    },
    {
        "uriTemplate": f"{OPERATION_URI}{{operation_id}}",
        "name": "operation",
        "title": "An operation",
        "description": "Its state and its pictures' links.",
        "mimeType": "application/json",
    },
]


def list_pictures(caller: Caller, cursor: str | None) -> dict[str, Any]:
    """The caller's finished pictures, newest first. Raises RpcError for a cursor that is not valid."""
    try:
        before = parse_page_token(cursor, is_id) if cursor else None
    except InvalidRequest:
        raise RpcError(INVALID_PARAMS, "The cursor is not valid.") from None
    query = listing.Query(owner=caller.principal.owner, size=_PAGE, state=State.SUCCEEDED, before_id=before)
    page = caller.services.listing.page(query)
    kept = [operation for operation in page.operations if not caller.services.pictures_are_gone(operation)]
    pictures = [describe_picture(operation, picture) for operation in kept for picture in operation.pictures]
    more = {"nextCursor": page_token(page.next_before_id)} if page.next_before_id else {}
    return {"resources": pictures, **more}


def read(caller: Caller, uri: str, *, modern: bool) -> dict[str, Any]:
    """What a resource holds. Raises RpcError where the caller has none of that URI."""
    try:
        return {"uri": uri, **_read(caller, uri)}
    except RequestError as error:
        code = INVALID_PARAMS if modern else RESOURCE_NOT_FOUND
        raise RpcError(code, f"Resource not found. {error.message}", data={"uri": uri[:500]}) from None


def _read(caller: Caller, uri: str) -> dict[str, Any]:
    if uri.startswith(OPERATION_URI):
        operation = caller.read(uri.removeprefix(OPERATION_URI))
        outlook = None if operation.done else caller.services.outlook(operation)
        facts = render_facts(operation, caller.links, outlook)
        return {"mimeType": "application/json", "text": json.dumps(facts, ensure_ascii=False)}
    prefix = next((prefix for prefix in (PICTURE_URI, PREVIEW_URI) if uri.startswith(prefix)), None)
    if prefix is None:
        known = ", ".join(template["uriTemplate"] for template in TEMPLATES)
        raise InvalidRequest(f"URIs here are {known}.")
    operation, picture = find_picture(uri.removeprefix(prefix), caller)
    url = caller.links.url(operation, picture.slot)
    if prefix == PREVIEW_URI:
        return _preview(caller, operation, picture, url)
    if picture.bytes > _LARGEST:
        raise InvalidRequest(f"The picture is too large for an answer; this address opens it: {url}")
    return _blob(caller.services.read_bytes(operation, picture), picture.content_type)


def _preview(caller: Caller, operation: Operation, picture: Picture, url: str) -> dict[str, Any]:
    if picture.preview is None:
        raise InvalidRequest(f"The picture has no preview; this address opens it: {url}")
    try:
        return _blob(caller.services.images.get(picture.preview, operation.created_at), "image/webp")
    except KeyError:
        raise pictures_gone(operation) from None


def _blob(body: bytes, content_type: str) -> dict[str, Any]:
    return {"mimeType": content_type, "blob": base64.b64encode(body).decode()}
