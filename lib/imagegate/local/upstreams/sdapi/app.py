"""Stand-in for AUTOMATIC1111 and the servers that speak its API: a call is held until the picture is drawn.

Contract: docs/protocols/sdapi.md.
"""

import base64
import json
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from imagegate.local.upstreams.drawing.pictures import PictureSpec
from imagegate.local.upstreams.held import HeldCalls
from imagegate.local.upstreams.sdapi.faults import CUT, OTHER_CHECKPOINT, OUT_OF_MEMORY, WITH_GRID
from imagegate.local.upstreams.sdapi.requests import CHECKPOINTS, LOADED, DrawingRequest, InvalidBody, read_drawing
from imagegate.local.upstreams.upstream import Upstream

MEMORY = "CUDA out of memory. Tried to allocate 2.00 GiB."


class SdapiStandIn:
    """The service; `app()` is what gets mounted."""

    def __init__(self, upstream: Upstream) -> None:
        late = {
            "error": partial(error, 500, "RuntimeError", "Expected all tensors to be on the same device"),
            OUT_OF_MEMORY: partial(error, 500, "OutOfMemoryError", MEMORY),
            CUT: partial(Response, "error code: 524", 524),
        }
        self.calls = HeldCalls(upstream, plain_error, {}, late)

    def app(self) -> Starlette:
        """The routes."""
        routes = [
            Route("/sdapi/v1/txt2img", self.draw, methods=["POST"]),
            Route("/sdapi/v1/scripts", list_scripts),
            Route("/sdapi/v1/sd-models", list_checkpoints),
        ]
        handlers = {HTTPException: describe_http_error, InvalidBody: describe_invalid_body}
        return Starlette(routes=routes, exception_handlers=handlers)

    async def draw(self, request: Request) -> Response:
        """`POST /sdapi/v1/txt2img`."""
        drawing = await read_drawing(request)

        async def answer(drawn: PictureSpec) -> Response:
            return await pictures(drawing, drawn)

        return await self.calls.serve(request, drawing.picture, answer)


async def pictures(drawing: DrawingRequest, first: PictureSpec) -> Response:
    """The pictures, with what they were drawn from; `info` is JSON in a string."""
    specs = [replace(first, seed=first.seed + place) for place in range(drawing.pictures)]
    grid = len(specs) > 1 or first.fault == WITH_GRID
    sent = [replace(first, width=64, height=64), *specs] if grid else specs
    files = [await each.file() for each in sent] if drawing.sends and first.fault != "no-image" else []
    info = {
        "prompt": first.prompt,
        "seed": first.seed,
        "all_seeds": [each.seed for each in specs],
        "width": first.width,
        "height": first.height,
        "steps": first.steps,
        "sd_model_name": LOADED if first.fault == OTHER_CHECKPOINT else drawing.checkpoint,
        "index_of_first_image": int(grid),
        "infotexts": [f"{each.prompt}\nSteps: {each.steps}, Seed: {each.seed}" for each in sent],
    }
    images = [base64.b64encode(file).decode() for file in files]
    return JSONResponse({"images": images, "parameters": {"prompt": first.prompt}, "info": json.dumps(info)})


async def list_scripts(request: Request) -> Response:
    """`GET /sdapi/v1/scripts`, which clients ask first: none."""
    return JSONResponse({"txt2img": [], "img2img": []})


async def list_checkpoints(request: Request) -> Response:
    """`GET /sdapi/v1/sd-models`."""
    return JSONResponse([{"title": f"{name}.safetensors", "model_name": name} for name in CHECKPOINTS])


def error(status: int, kind: str, text: str) -> Response:
    """An error that was raised while it drew."""
    body: dict[str, Any] = {"error": kind, "detail": "", "body": "", "errors": text}
    return JSONResponse(body, status)


def plain_error(status: int, text: str) -> Response:
    """The error of a status."""
    return JSONResponse({"error": "HTTPException", "detail": text, "body": "", "errors": ""}, status)


async def describe_http_error(request: Request, raised: Exception) -> Response:
    """What a handler refuses."""
    assert isinstance(raised, HTTPException)
    return plain_error(raised.status_code, raised.detail)


async def describe_invalid_body(request: Request, raised: Exception) -> Response:
    """A body that does not fit."""
    assert isinstance(raised, InvalidBody)
    return JSONResponse({"detail": raised.details}, 422)
