"""Stand-in for Cloudflare's Workers AI: a run is held until the picture is there.

Contract: docs/protocols/workers-ai.md.
"""

import base64
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
from imagegate.local.upstreams.upstream import Upstream
from imagegate.local.upstreams.workers_ai.faults import NO_CAPACITY, WITHDRAWN
from imagegate.local.upstreams.workers_ai.requests import MODELS, RunError, read_run

USED_UP = (
    "4006: you have used up your daily free allocation of 10,000 neurons, please upgrade to Cloudflare's Workers Paid "
    "plan if you would like to continue usage."
)
FLAGGED = "AiError: Input prompt contains NSFW content."
CODES = {401: 10000, 404: 7003, 429: 971}
"""The code of an error by its HTTP status; of any other 3043."""


class WorkersAIStandIn:
    """The service; `app()` is what gets mounted."""

    def __init__(self, upstream: Upstream) -> None:
        refusals = {
            "quota": partial(error, 429, 3036, USED_UP),
            "refuse": partial(error, 400, 3030, FLAGGED),
            NO_CAPACITY: partial(error, 429, 3040, "Capacity temporarily exceeded, please try again."),
            WITHDRAWN: partial(error, 400, 5028, "This model has been deprecated."),
        }
        late = {
            "refuse-late": partial(error, 400, 3030, FLAGGED),
            "error": partial(error, 500, 3043, "Internal server error"),
            "no-image": partial(success, {}),
        }
        self.calls = HeldCalls(upstream, plain_error, refusals, late)

    def app(self) -> Starlette:
        """The routes."""
        path = "/client/v4/accounts/{account}/ai/run/{model:path}"
        handlers = {HTTPException: describe_http_error, RunError: describe_run_error}
        return Starlette(routes=[Route(path, self.run, methods=["POST"])], exception_handlers=handlers)

    async def run(self, request: Request) -> Response:
        """`POST /accounts/{account}/ai/run/{model}`."""
        require_key(request)
        name = request.path_params["model"]
        picture = await read_run(request, name)
        binary = MODELS[name].binary

        async def answer(drawn: PictureSpec) -> Response:
            file = await drawn.file()
            if binary:
                return Response(file, media_type=CONTENT_TYPES[drawn.format])
            return success({"image": base64.b64encode(file).decode()})

        return await self.calls.serve(request, picture, answer)


def success(result: dict[str, str]) -> Response:
    """An answer with its envelope."""
    return JSONResponse({"result": result, "success": True, "errors": [], "messages": []})


def error(status: int, code: int, message: str) -> Response:
    """An error answer."""
    errors = [{"code": code, "message": message}]
    return JSONResponse({"result": None, "success": False, "errors": errors, "messages": []}, status)


def plain_error(status: int, text: str) -> Response:
    """The error of a status."""
    return error(status, CODES.get(status, 3043), text)


async def describe_http_error(request: Request, raised: Exception) -> Response:
    """What a handler refuses."""
    assert isinstance(raised, HTTPException)
    return plain_error(raised.status_code, raised.detail)


async def describe_run_error(request: Request, raised: Exception) -> Response:
    """A model or an input that is refused."""
    assert isinstance(raised, RunError)
    return error(raised.status, raised.code, str(raised))
