"""Stand-in for OpenAI's synchronous Images API, and for the many servers compatible with it.

Contract: reference/openai_images.md §1. The picture is ready when the answer comes.
"""

import asyncio
import base64
import secrets
import time
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from imagegate.local.upstreams.faults import AFTER_ACCEPTING, BEFORE_ACCEPTING, broken_answer
from imagegate.local.upstreams.openai_request import Ask, OpenAIError, read_ask, wrong
from imagegate.local.upstreams.pictures import Picture, serve_picture
from imagegate.local.upstreams.recent import Recent
from imagegate.local.upstreams.switches import FAULTS, PICTURE_URL, SwitchError
from imagegate.local.upstreams.upstream import Upstream, root_of

MODELS = ("flux-schnell", "dall-e-2", "gpt-image-1")
"""What `/v1/models` lists; any other id is drawn just as well."""

CREATED = 1_700_000_000
"""Unix time at which the listed models claim to be made."""

ERROR_KINDS = {
    401: ("invalid_request_error", "invalid_api_key"),
    404: ("invalid_request_error", None),
    429: ("rate_limit_error", "rate_limit_exceeded"),
}
"""Type and code by HTTP status; anything else is a `server_error`."""

REFUSED = OpenAIError(
    400,
    "Your request was rejected by the safety system of the stand-in.",
    "image_generation_user_error",
    "moderation_blocked",
)
OUT_OF_QUOTA = OpenAIError(
    429, "You exceeded your current quota of the stand-in.", "insufficient_quota", "insufficient_quota"
)
BROKEN = OpenAIError(500, "The stand-in failed on request.", "server_error", "server_error")

AT_ONCE = {"refuse": REFUSED, "quota": OUT_OF_QUOTA}
"""Faults answered before anything is accepted."""

AT_LAST = {"refuse-late": REFUSED, "error": BROKEN}
"""Faults answered when the picture would have been ready."""

BY_URL_ONLY = frozenset(name for name, row in FAULTS.items() if row.stages is PICTURE_URL)


class OpenAIImages:
    """The service; `app()` is what gets mounted."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.pictures: Recent[Picture] = Recent()

    def app(self) -> Starlette:
        """The routes."""
        routes = [
            Route("/v1/images/generations", self.create, methods=["POST"]),
            Route("/v1/models", list_models),
            Route("/v1/models/{id:path}", read_model),
            Route("/files/{name}", self.file),
        ]
        raised = (HTTPException, OpenAIError, SwitchError)
        return Starlette(routes=routes, exception_handlers=dict.fromkeys(raised, describe_error))

    async def create(self, request: Request) -> Response:
        """`POST /v1/images/generations`: held until the pictures are ready."""
        require_key(request)
        ask = read_ask(await read_json(request))
        fault = self.upstream.fault(ask.prompt, ask.switches, "submit")
        if fault in BEFORE_ACCEPTING:
            return await broken_answer(fault, request, self.upstream.timing, plain_error)
        if fault in AT_ONCE:
            raise AT_ONCE[fault]
        if fault in BY_URL_ONLY and not ask.by_url:
            wrong(f"[fault {fault}] needs response_format 'url'", "invalid_value", "prompt")
        self.upstream.record(ask.prompt, ask.seed, request)
        return await self.finish(request, ask, fault)

    async def finish(self, request: Request, ask: Ask, fault: str | None) -> Response:
        """Wait for as long as drawing is said to take, and answer."""
        if fault != "accepted-then-hang":
            await asyncio.sleep(self.upstream.delay(ask.switches))
        if fault in AT_LAST:
            raise AT_LAST[fault]
        if fault in AFTER_ACCEPTING:
            return await broken_answer(fault, request, self.upstream.timing, plain_error)
        shown = [] if fault == "no-image" else [await self.show(request, each, ask) for each in pictures(ask, fault)]
        return JSONResponse({"created": int(time.time()), "data": shown, **(extras(ask) if not ask.by_url else {})})

    async def show(self, request: Request, picture: Picture, ask: Ask) -> dict[str, str]:
        """One element of `data`."""
        if not ask.by_url:
            return {"b64_json": base64.b64encode(await picture.file()).decode()}
        name = f"{secrets.token_hex(16)}.{picture.format}"
        self.pictures.put(name, picture)
        return {"url": f"{root_of(request)}/files/{name}"}

    async def file(self, request: Request) -> Response:
        """`GET /files/{name}`: draw the picture. No key: OpenAI's URLs are signed instead."""
        picture = self.pictures.get(request.path_params["name"])
        if picture is None:
            raise HTTPException(404)
        return await serve_picture(picture, request, self.upstream)


def pictures(ask: Ask, fault: str | None) -> list[Picture]:
    """The n pictures, with seeds counting on from the first."""
    seeds = range(ask.seed, ask.seed + ask.n)
    return [
        Picture(ask.prompt, seed, ask.width, ask.height, ask.steps, ask.format, ask.switches, fault) for seed in seeds
    ]


def extras(ask: Ask) -> dict[str, Any]:
    """What gpt-image models answer besides the pictures."""
    counts = {"input_tokens": len(ask.prompt.split()), "output_tokens": 1000 * ask.n}
    details = {"text_tokens": counts["input_tokens"], "image_tokens": 0}
    usage = {**counts, "total_tokens": sum(counts.values()), "input_tokens_details": details}
    return {"output_format": ask.format, "size": f"{ask.width}x{ask.height}", "background": "opaque", "usage": usage}


async def list_models(request: Request) -> Response:
    """`GET /v1/models`."""
    return JSONResponse({"object": "list", "data": [model(name) for name in MODELS]})


async def read_model(request: Request) -> Response:
    """`GET /v1/models/{id}`."""
    name = request.path_params["id"]
    if name not in MODELS:
        raise OpenAIError(404, f"The model '{name}' does not exist.", "invalid_request_error", "model_not_found")
    return JSONResponse(model(name))


def model(name: str) -> dict[str, Any]:
    """A model object."""
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "imagegate-stand-in"}


def require_key(request: Request) -> None:
    """Raise 401 unless the call carries some Bearer key; any key will do."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise HTTPException(401, "You didn't provide an API key; send Authorization: Bearer, with any value.")


async def read_json(request: Request) -> Any:
    """The body's JSON."""
    try:
        return await request.json()
    except ValueError:
        wrong("We could not parse the JSON body of your request.", "invalid_request_error")


def plain_error(status: int, text: str) -> Response:
    """OpenAI's error body for a status."""
    kind, code = ERROR_KINDS.get(status, ("server_error", "server_error"))
    return JSONResponse(OpenAIError(status, text, kind, code).body, status)


async def describe_error(request: Request, error: Exception) -> Response:
    """Whatever a handler raises, in OpenAI's shape."""
    if isinstance(error, OpenAIError):
        return JSONResponse(error.body, error.status)
    if isinstance(error, HTTPException):
        return plain_error(error.status_code, error.detail)
    return JSONResponse(OpenAIError(400, str(error), "invalid_request_error", "invalid_value", "prompt").body, 400)
