"""Answers of the endpoint: stateless, one JSON body for each message or batch."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from imagegate.dialects.mcp.dialect import MCP
from imagegate.dialects.mcp.messages import (
    LATEST,
    UNSAID,
    RpcError,
    RpcMessage,
    parse_body,
    parse_message,
    render_error,
    render_result,
    to_answer,
    version_of,
)
from imagegate.dialects.response import ApiResponse
from imagegate.domain.access.api_key import Principal
from imagegate.web.http import LARGEST_WITH_PICTURES, to_response
from imagegate.web.mcp.caller import Caller
from imagegate.web.mcp.methods import call
from imagegate.web.middleware import request_id_of
from imagegate.web.preflight import is_allowed
from imagegate.web.services import Services

FOREIGN_PAGE = "origin_not_allowed", "Web pages of other origins may not call this server."
NO_JSON = "not_acceptable", "The answer is JSON: accept application/json."


def answer(request: Request, body: bytes, services: Services, principal: Principal) -> Response:
    """Answer the messages in `body`. Raises InvalidRequest for a header and TooLarge for the body."""
    if not _may_call(request, services):
        return _refuse(request, 403, *FOREIGN_PAGE)
    if not _accepts_json(request.headers.get("accept", "")):
        return _refuse(request, 406, *NO_JSON)
    caller = Caller.of(request, services, principal)
    try:
        documents, is_batch = parse_body(body, LARGEST_WITH_PICTURES)
    except RpcError as error:
        return to_response(to_answer(render_error(None, error), error, LATEST))
    answers = [_answer(document, request.headers, caller, is_batch) for document in documents]
    answered = [each for each in answers if each]
    if not answered:
        return Response(status_code=202)
    if is_batch:
        return to_response(ApiResponse(200, [each.body for each in answered]))
    return to_response(answered[0])


def _answer(
    document: Mapping[str, Any], headers: Mapping[str, str], caller: Caller, is_batch: bool
) -> ApiResponse | None:
    """The answer to a message; `None` where nothing is said."""
    version = LATEST
    try:
        message = parse_message(document)
        if message is None:
            return None
        version = version_of(message, headers)
        if is_batch and version != UNSAID:
            raise RpcError(-32600, f"Batches are part of version {UNSAID} only: send one message.", status=400)
        if message.id is None:
            return None
        return _respond(message, call(message, version, caller), version)
    except RpcError as error:
        return to_answer(render_error(document.get("id"), error), error, version)


def _respond(message: RpcMessage, result: Mapping[str, Any], version: str) -> ApiResponse:
    return to_answer(render_result(message, result, version), None, version)


def _refuse(request: Request, status: int, code: str, message: str) -> Response:
    return to_response(MCP.render_breakdown(status, code, message, request_id_of(request.scope)))


def _may_call(request: Request, services: Services) -> bool:
    """False for a web page of another origin, which the protocol wants to be refused."""
    origin = request.headers.get("origin")
    if origin is None or is_allowed(origin, services.cors_origins):
        return True
    # A proxy's own header: browsers send it for a page only after a preflight.
    hosts = (request.headers.get(name, "") for name in ("host", "x-forwarded-host"))
    own = {_host_of(services.public_url), *hosts} - {""}
    return _host_of(origin).lower() in {host.lower() for host in own}


def _host_of(url: str) -> str:
    """Host and port of a URL or an origin, which a caller may have made up."""
    return url.partition("://")[2].partition("/")[0]


def _accepts_json(accept: str) -> bool:
    kinds = [kind.partition(";")[0].strip().lower() for kind in accept.split(",")]
    return not accept.strip() or any(kind in ("application/json", "application/*", "*/*") for kind in kinds)
