"""Stand-in for OpenAI's synchronous Images API, and for the many servers compatible with it.

Contract: docs/protocols/openai-images.md. The picture is ready when the answer comes.
"""

import asyncio
import base64
import secrets
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from imagegate.local.upstreams.auth import require_key
from imagegate.local.upstreams.directives import PICTURE_URL, DirectiveError
from imagegate.local.upstreams.drawing.pictures import PictureSpec
from imagegate.local.upstreams.faults import AFTER_ACCEPTING, BEFORE_ACCEPTING, Stream, broken_answer
from imagegate.local.upstreams.files import Files
from imagegate.local.upstreams.openai.edits import read_variation
from imagegate.local.upstreams.openai.profile import OPENAI, ServerProfile
from imagegate.local.upstreams.openai.requests import ImagesRequest, OpenAIError, read_json, wrong
from imagegate.local.upstreams.openai.streaming import PictureStream
from imagegate.local.upstreams.upstream import Upstream

MODELS = ("flux-schnell", "dall-e-2", "gpt-image-1", "gpt-image-2")
"""What `/v1/models` lists; any other id is drawn just as well."""

CREATED = 1_700_000_000
"""Unix time at which the listed models claim to be made."""

ERROR_KINDS = {
    401: ("invalid_request_error", "invalid_api_key"),
    404: ("invalid_request_error", None),
    429: ("rate_limit_error", "rate_limit_exceeded"),
}
"""Type and code by HTTP status; anything else is a `server_error`."""

BROKEN = OpenAIError(500, "The stand-in failed on request.", "server_error", "server_error")


class OpenAIStandIn:
    """The service; `app()` is what gets mounted."""

    def __init__(self, upstream: Upstream, profile: ServerProfile = OPENAI) -> None:
        self.upstream = upstream
        self.profile = profile
        self.files = Files(upstream, refuses_keys=False)

    def app(self) -> Starlette:
        """The routes."""
        prefix = self.profile.prefix
        edits = [
            Route(f"{prefix}/images/edits", self.edit, methods=["POST"]),
            Route(f"{prefix}/images/variations", self.vary, methods=["POST"]),
        ]
        routes = [
            Route(f"{prefix}/images/generations", self.create, methods=["POST"]),
            *(edits if self.profile.edits else ()),
            Route(f"{prefix}/models", list_models),
            Route(f"{prefix}/models/{{id:path}}", read_model),
            self.files.route(),
        ]
        raised = (HTTPException, OpenAIError, DirectiveError)
        return Starlette(routes=routes, exception_handlers=dict.fromkeys(raised, self.describe_error))

    async def create(self, request: Request) -> Response:
        """`POST /v1/images/generations`."""
        self.require_key(request)
        return await self.serve(request, self.profile.read(await read_json(request)))

    async def edit(self, request: Request) -> Response:
        """`POST /v1/images/edits`."""
        self.require_key(request)
        return await self.serve(request, await self.profile.read_edit(request))

    async def vary(self, request: Request) -> Response:
        """`POST /v1/images/variations`."""
        self.require_key(request)
        return await self.serve(request, await read_variation(request))

    def require_key(self, request: Request) -> None:
        """Raises HTTPException(401) when there is none."""
        header = self.profile.key_header
        if header and header in request.headers:
            require_key(request, header, ())
        else:
            require_key(request, schemes=self.profile.schemes)

    async def serve(self, request: Request, generation: ImagesRequest) -> Response:
        """Accept the request, unless a fault applies before that, and hold it until the pictures are ready."""
        if generation.streams and (generation.by_url or not self.profile.streams):
            wrong("This model of the stand-in does not stream.", "unsupported_parameter", "stream")
        fault = self.upstream.fault(generation.prompt, generation.directives, "submit")
        if fault in BEFORE_ACCEPTING:
            return await broken_answer(fault, request, self.upstream.timing, self.plain_error)
        if fault in ("refuse", "quota"):
            raise self.profile.refused if fault == "refuse" else self.profile.out_of_quota
        if fault in PICTURE_URL and not generation.by_url:
            wrong(f"[fault {fault}] needs response_format 'url'", "invalid_value", "prompt")
        if fault == "bad-partial" and not generation.partial_images:
            wrong("[fault bad-partial] needs 'partial_images'", "invalid_value", "prompt")
        self.upstream.record(generation.prompt, generation.seed, request)
        if generation.streams:
            return Stream(self.stream(generation, fault).events(), "text/event-stream")
        return await self.finish(request, generation, fault)

    def stream(self, generation: ImagesRequest, fault: str | None) -> PictureStream:
        """The answer as events."""
        return PictureStream(
            generation=generation,
            pictures=pictures(generation, fault),
            delay=self.upstream.delay(generation.directives),
            fault=fault,
            hang=self.upstream.timing.hang,
            error=self.profile.refused if fault == "refuse-late" else BROKEN,
        )

    async def finish(self, request: Request, generation: ImagesRequest, fault: str | None) -> Response:
        """Wait for the delay, and answer."""
        if fault != "accepted-then-hang":
            await asyncio.sleep(self.upstream.delay(generation.directives))
        if fault in ("refuse-late", "error"):
            raise self.profile.refused if fault == "refuse-late" else BROKEN
        if fault in AFTER_ACCEPTING:
            return await broken_answer(fault, request, self.upstream.timing, self.plain_error)
        data = (
            []
            if fault == "no-image"
            else [await self.render(request, each, generation) for each in pictures(generation, fault)]
        )
        return JSONResponse(self.profile.answer(generation, data))

    async def render(self, request: Request, picture: PictureSpec, generation: ImagesRequest) -> dict[str, str]:
        """One element of `data`."""
        # Of OpenAI's models only this one rewrites prompts, every one of them.
        revised = (
            {"revised_prompt": f"{generation.prompt}, drawn by a stand-in"} if generation.model == "dall-e-3" else {}
        )
        if not generation.by_url:
            return {"b64_json": base64.b64encode(await picture.file()).decode(), **revised}
        return {"url": self.files.url(request, f"{secrets.token_hex(16)}.{picture.format}", picture), **revised}

    def plain_error(self, status: int, text: str) -> Response:
        """The error body for a status."""
        kind, code = ERROR_KINDS.get(status, ("server_error", "server_error"))
        return self.error(OpenAIError(status, text, kind, code))

    def error(self, error: OpenAIError) -> Response:
        """The error with the keys this server writes."""
        return JSONResponse(self.profile.error_body(error), error.status)

    async def describe_error(self, request: Request, error: Exception) -> Response:
        """Any exception of a handler, in OpenAI's shape."""
        if isinstance(error, OpenAIError):
            return self.error(error)
        if isinstance(error, HTTPException):
            return self.plain_error(error.status_code, error.detail)
        return self.error(OpenAIError(400, str(error), "invalid_request_error", "invalid_value", "prompt"))


def pictures(generation: ImagesRequest, fault: str | None) -> list[PictureSpec]:
    """The n pictures, with seeds counting on from the first."""
    return [
        PictureSpec(
            prompt=generation.prompt,
            seed=seed,
            width=generation.width,
            height=generation.height,
            steps=generation.steps,
            format=generation.format,
            directives=generation.directives,
            fault=fault,
            inputs=generation.inputs,
            mask=generation.mask,
        )
        for seed in range(generation.seed, generation.seed + generation.n)
    ]


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
