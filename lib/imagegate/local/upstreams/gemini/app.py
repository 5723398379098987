"""Stand-in for Gemini's `generateContent`: a call is held until the picture is there.

Contract: docs/protocols/gemini.md.
"""

import base64
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from imagegate.local.upstreams.auth import require_key
from imagegate.local.upstreams.directives import DirectiveError
from imagegate.local.upstreams.drawing.drawing import CONTENT_TYPES
from imagegate.local.upstreams.drawing.pictures import PictureSpec
from imagegate.local.upstreams.gemini.faults import RETRY_DELAY
from imagegate.local.upstreams.gemini.requests import read_picture
from imagegate.local.upstreams.held import HeldCalls, Refusals
from imagegate.local.upstreams.upstream import Upstream

STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}
"""Google's word for an HTTP status; INTERNAL for any other."""

PREFIXES = ("/v1", "/v1beta", "/v1beta1/publishers/google")
"""Of the Gemini API, which clients call in two versions, and of Vertex."""

TYPES = "type.googleapis.com/google.rpc"
DAILY = {
    "@type": f"{TYPES}.QuotaFailure",
    "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel", "quotaValue": "100"}],
}
DELAY = {"@type": f"{TYPES}.RetryInfo", "retryDelay": "34s"}
USAGE = {"promptTokenCount": 10, "candidatesTokenCount": 1120, "totalTokenCount": 1130}


class GeminiStandIn:
    """The service; `app()` is what gets mounted."""

    def __init__(self, upstream: Upstream) -> None:
        refusals: Refusals = {
            "refuse": partial(JSONResponse, {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}),
            "quota": partial(error, 429, "The stand-in's quota of the day is used up.", DAILY),
            RETRY_DELAY: partial(error, 429, "The stand-in is busy. Please retry in 34s.", DELAY),
        }
        late: Refusals = {
            "refuse-late": partial(candidate, [], "IMAGE_SAFETY", "The stand-in made a picture and will not show it."),
            "no-image": partial(candidate, [{"text": "Here is no picture."}], "NO_IMAGE"),
            "error": partial(error, 500, "An internal error has occurred in the stand-in."),
        }
        self.calls = HeldCalls(upstream, error, refusals, late)

    def app(self) -> Starlette:
        """The routes."""
        routes = [Route(f"{prefix}/models/{{call}}", self.generate, methods=["POST"]) for prefix in PREFIXES]
        return Starlette(routes=routes, exception_handlers=dict.fromkeys((HTTPException, DirectiveError), describe))

    async def generate(self, request: Request) -> Response:
        """`POST …/models/{model}:generateContent`."""
        if "key" not in request.query_params:
            require_key(request, "x-goog-api-key", ())
        if not request.path_params["call"].endswith(":generateContent"):
            raise HTTPException(404, "The stand-in knows generateContent only.")
        try:
            picture = read_picture(await request.json())
        except ValueError as problem:
            raise HTTPException(400, str(problem)) from None
        return await self.calls.serve(request, picture, show)


async def show(picture: PictureSpec) -> Response:
    """The answer with the picture, after a few words."""
    data = {"mimeType": CONTENT_TYPES[picture.format], "data": base64.b64encode(await picture.file()).decode()}
    return candidate([{"text": "Here is your picture."}, {"inlineData": data}], "STOP")


def candidate(parts: list[dict[str, Any]], reason: str, message: str | None = None) -> Response:
    """An answer with one candidate."""
    content = {"role": "model", "parts": parts}
    reported = {"finishReason": reason, **({"finishMessage": message} if message else {})}
    return JSONResponse({"candidates": [{"content": content, "index": 0, **reported}], "usageMetadata": USAGE})


def error(status: int, text: str, *details: dict[str, Any]) -> Response:
    """An error answer."""
    body = {"code": status, "message": text, "status": STATUSES.get(status, "INTERNAL"), "details": list(details)}
    return JSONResponse({"error": body}, status)


async def describe(request: Request, raised: Exception) -> Response:
    """What a handler refuses."""
    return error(raised.status_code, raised.detail) if isinstance(raised, HTTPException) else error(400, str(raised))
