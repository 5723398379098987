"""Stand-in for Stability AI's v2beta: Stable Image Core and Ultra, and Stable Diffusion 3.5.

Contract: docs/protocols/stability.md.
"""

import base64
import secrets
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from imagegate.local.upstreams.auth import require_key
from imagegate.local.upstreams.drawing.drawing import CONTENT_TYPES
from imagegate.local.upstreams.drawing.pictures import PictureSpec
from imagegate.local.upstreams.held import HeldCalls
from imagegate.local.upstreams.stability.requests import SERVICES, BadRequest, read_call
from imagegate.local.upstreams.upstream import Upstream

MODERATED = (
    "Your request was flagged by our content moderation system, as a result your request was denied and you were not "
    "charged."
)
NAMES = {400: "bad_request", 401: "unauthorized", 404: "not_found", 429: "rate_limit_exceeded"}
"""Name of an error by its HTTP status; of any other `internal_error`."""


class StabilityStandIn:
    """The service; `app()` is what gets mounted."""

    def __init__(self, upstream: Upstream) -> None:
        refusals = {
            "quota": partial(error, 402, "payment_required", "You lack sufficient credits to make this request."),
            "refuse": partial(error, 403, "content_moderation", MODERATED),
        }
        late = {"error": partial(plain_error, 500, "An unexpected server error has occurred.")}
        self.calls = HeldCalls(upstream, plain_error, refusals, late)

    def app(self) -> Starlette:
        """The routes."""
        path = "/v2beta/stable-image/generate"
        routes = [Route(f"{path}/{name}", partial(self.generate, name=name), methods=["POST"]) for name in SERVICES]
        handlers = {HTTPException: describe_http_error, BadRequest: describe_bad_request}
        return Starlette(routes=routes, exception_handlers=handlers)

    async def generate(self, request: Request, name: str) -> Response:
        """`POST /v2beta/stable-image/generate/{name}`."""
        require_key(request)
        accepted = request.headers.get("accept", "image/*")
        if accepted not in ("application/json", "image/*"):
            raise BadRequest("accept: must be one of application/json, image/*")
        picture = await read_call(request, SERVICES[name])

        async def answer(drawn: PictureSpec) -> Response:
            return await finished(drawn, inline=accepted == "application/json")

        return await self.calls.serve(request, picture, answer)


async def finished(drawn: PictureSpec, *, inline: bool) -> Response:
    """The picture, inline in JSON or as bytes; one that was refused late is blurred, which here is blank."""
    refused = drawn.fault == "refuse-late"
    reason = "CONTENT_FILTERED" if refused else "SUCCESS"
    file = await drawn.file("black" if refused else None)
    if not inline:
        headers = {"finish-reason": reason, "seed": str(drawn.seed)}
        return Response(b"" if drawn.fault == "no-image" else file, 200, headers, CONTENT_TYPES[drawn.format])
    image = {} if drawn.fault == "no-image" else {"image": base64.b64encode(file).decode()}
    return JSONResponse({**image, "seed": drawn.seed, "finish_reason": reason})


def error(status: int, name: str, reason: str) -> Response:
    """An error answer."""
    return JSONResponse({"id": secrets.token_hex(16), "name": name, "errors": [reason]}, status)


def plain_error(status: int, text: str) -> Response:
    """The error of a status."""
    return error(status, NAMES.get(status, "internal_error"), text)


async def describe_http_error(request: Request, raised: Exception) -> Response:
    """What a handler refuses."""
    assert isinstance(raised, HTTPException)
    return plain_error(raised.status_code, raised.detail)


async def describe_bad_request(request: Request, raised: Exception) -> Response:
    """A form that is refused."""
    return plain_error(400, str(raised))
