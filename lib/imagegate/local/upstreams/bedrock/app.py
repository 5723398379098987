"""Stand-in for Amazon Bedrock's runtime with Stability's models: a call is held until the picture is there.

Contract: docs/protocols/bedrock.md. Any signature is accepted, but there must be one, for the service `bedrock`.
"""

import base64
import json
import re
import secrets
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from imagegate.local.upstreams.bedrock.faults import (
    FAULTS,
    FILTERED_WORDS,
    MODEL_ERROR,
    NO_SUBSCRIPTION,
    NOT_READY,
)
from imagegate.local.upstreams.directives import DirectiveError, parse_directives
from imagegate.local.upstreams.drawing.drawing import Format
from imagegate.local.upstreams.drawing.pictures import PictureSpec
from imagegate.local.upstreams.held import HeldCalls, Refusals
from imagegate.local.upstreams.upstream import Upstream

SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=[^/ ]+/\d{8}/[a-z0-9-]+/bedrock/aws4_request, ?SignedHeaders=\S*host")
NEGATIVE = "stability.sd3-5-large-v1:0"
"""The model that takes a negative prompt."""
MODELS = ("stability.stable-image-core-v1:1", "stability.stable-image-ultra-v1:1", NEGATIVE)
SIZES = {
    "1:1": (1024, 1024),
    "16:9": (1344, 768),
    "21:9": (1536, 640),
    "2:3": (832, 1216),
    "3:2": (1216, 832),
    "4:5": (896, 1088),
    "5:4": (1088, 896),
    "9:16": (768, 1344),
    "9:21": (640, 1536),
}
FORMATS: dict[str, Format] = {"png": "png", "jpeg": "jpeg"}
LONGEST_PROMPT = 10_000
KINDS = {
    401: "UnrecognizedClientException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
}
"""An error's type by HTTP status; InternalServerException for any other."""


class Invalid(Exception):
    """The body is not as the model wants it."""


class BedrockStandIn:
    """The service; `app()` is what gets mounted."""

    def __init__(self, upstream: Upstream) -> None:
        refusals: Refusals = {
            "refuse": partial(without_picture, "Filter reason: prompt"),
            "quota": partial(error, 400, "The stand-in's quota is used up.", "ServiceQuotaExceededException"),
            NO_SUBSCRIPTION: partial(error, 403, "Model access is denied: aws-marketplace:Subscribe is not allowed."),
            FILTERED_WORDS: partial(
                error, 400, "invalid_prompts: the prompt has filtered words", "ValidationException"
            ),
            MODEL_ERROR: partial(error, 424, "The model failed on request.", "ModelErrorException"),
            NOT_READY: partial(error, 429, "The model is not ready.", "ModelNotReadyException"),
        }
        late: Refusals = {
            "refuse-late": partial(without_picture, "Filter reason: output image"),
            "error": partial(without_picture, "Inference error"),
            "no-image": partial(without_picture, None),
        }
        self.calls = HeldCalls(upstream, error, refusals, late)

    def app(self) -> Starlette:
        """The routes."""
        routes = [Route("/model/{model}/invoke", self.invoke, methods=["POST"])]
        return Starlette(routes=routes, exception_handlers=dict.fromkeys((DirectiveError, Invalid), describe))

    async def invoke(self, request: Request) -> Response:
        """`POST /model/{model}/invoke`; the Content-Type may be missing."""
        if not SIGNED.match(request.headers.get("authorization", "")):
            return error(403, "The request is not signed.", "MissingAuthenticationTokenException")
        model = request.path_params["model"]
        if model not in MODELS:
            return error(404, "This model version has reached the end of its life.")
        return await self.calls.serve(request, read_picture(await request.body(), model), show)


def read_picture(raw: bytes, model: str) -> PictureSpec:
    """The picture that is asked for. Raises Invalid or DirectiveError."""
    try:
        body = json.loads(raw)
    except ValueError:
        raise Invalid("Malformed input request, please reformat your input and try again.") from None
    allowed = {"prompt", "aspect_ratio", "seed", "output_format", "mode"} | (
        {"negative_prompt"} if model == NEGATIVE else set()
    )
    prompt = body.get("prompt") if isinstance(body, dict) else None
    if not isinstance(prompt, str) or not 0 < len(prompt) <= LONGEST_PROMPT or body.keys() - allowed:
        raise Invalid("Malformed input request: prompt is required, and extraneous keys are not permitted.")
    ratio, output_format = body.get("aspect_ratio", "1:1"), body.get("output_format", "png")
    seed = body.get("seed", 0)
    if ratio not in SIZES or output_format not in FORMATS or type(seed) is not int or not 0 <= seed < 2**32:
        raise Invalid("Malformed input request: aspect_ratio, output_format or seed is out of range.")
    seed = seed or secrets.randbelow(2**32)
    width, height = SIZES[ratio]
    return PictureSpec(
        prompt=prompt,
        seed=seed,
        width=width,
        height=height,
        steps=0,
        format=FORMATS[output_format],
        directives=parse_directives(prompt, FAULTS),
    )


async def show(picture: PictureSpec) -> Response:
    """The answer with the picture."""
    data = base64.b64encode(await picture.file()).decode()
    return JSONResponse({"seeds": [picture.seed], "finish_reasons": [None], "images": [data]})


def without_picture(reason: str | None) -> Response:
    """A success without a picture, and why."""
    return JSONResponse({"seeds": [0], "finish_reasons": [reason], "images": []})


def error(status: int, text: str, kind: str = "") -> Response:
    """An error answer: its type is in a header."""
    kind = kind or KINDS.get(status, "InternalServerException")
    headers: dict[str, Any] = {"x-amzn-errortype": f"{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/"}
    return JSONResponse({"message": text}, status, headers)


async def describe(request: Request, raised: Exception) -> Response:
    """What a handler refuses."""
    return error(400, str(raised), "ValidationException")
