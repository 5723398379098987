"""Stand-in for a FLUX.1-schnell Space: Gradio's `/call/infer`, as generation 4 or 6 speaks it."""

import asyncio
import json
import math
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from imagegate.local.upstreams.directives import DirectiveError, Directives
from imagegate.local.upstreams.drawing.pictures import PictureSpec, serve_picture
from imagegate.local.upstreams.faults import AFTER_ACCEPTING, BEFORE_ACCEPTING, Stream, Torn, broken_answer
from imagegate.local.upstreams.gradio.rules import (
    GENERATIONS,
    QUOTA,
    REFUSAL,
    Arguments,
    GradioVersion,
    InferError,
    prompt_in,
    read_arguments,
)
from imagegate.local.upstreams.recent import Recent
from imagegate.local.upstreams.upstream import Upstream, root_of

CHOP = 7
"""Bytes per piece of a `[fault chopped]` stream."""

REFUSALS: dict[str | None, str | None] = {"refuse": REFUSAL, "refuse-late": REFUSAL, "quota": QUOTA, "error": None}
"""What the error event of a fault says."""

AT_ONCE = frozenset({"refuse", "quota"})
"""Faults decided before the model would run."""


@dataclass(slots=True, kw_only=True)
class GradioJob:
    """A call of `infer`: it runs whether or not it is read, and its one message is delivered once."""

    prompt: str
    directives: Directives
    due: float
    """`time.monotonic()` at which its last event is there."""
    last_event: tuple[str, str]
    """Event name and data."""
    delivered: bool = False
    lost: bool = False
    """A reader went away: Gradio deletes the session and the result."""

    def lose(self) -> None:
        """Delete the session: a reader went away."""
        self.lost = True

    def take_last_event(self) -> tuple[str, str] | None:
        """The last event, if it is there and was not delivered before."""
        if self.delivered or time.monotonic() < self.due:
            return None
        self.delivered = True
        return self.last_event


class GradioStandIn:
    """One Space; `app()` is what gets mounted."""

    def __init__(self, upstream: Upstream, generation: Literal[4, 6]) -> None:
        self.upstream = upstream
        self.generation: GradioVersion = GENERATIONS[generation]
        self.jobs: Recent[GradioJob] = Recent()
        self.pictures: Recent[PictureSpec] = Recent()

    def app(self) -> Starlette:
        """The Space's routes."""
        prefix = self.generation.prefix
        routes = [
            Route("/config", self.config),
            Route(f"{prefix}/call/{{api}}", self.submit, methods=["POST"]),
            Route(f"{prefix}/call/{{api}}/{{event_id}}", self.stream),
            Route(f"{prefix}/file={{path:path}}", self.file),
        ]
        return Starlette(
            routes=routes, exception_handlers=dict.fromkeys((HTTPException, DirectiveError), describe_error)
        )

    async def config(self, request: Request) -> Response:
        """`GET /config`: where clients learn version and prefix."""
        return JSONResponse(self.generation.config(root_of(request)))

    async def submit(self, request: Request) -> Response:
        """`POST /call/infer`: start a job, answer its event id."""
        data = await read_data(request)
        if data is None:
            return detail(422, [{"type": "missing", "loc": ["body", "data"], "msg": "Field required"}])
        if request.path_params["api"] != "infer":
            return PlainTextResponse("Internal Server Error", 500)
        prompt = prompt_in(data)
        directives = self.upstream.directives(prompt)
        return await self.start(request, data, directives, self.upstream.fault(prompt, directives, "submit"))

    async def start(self, request: Request, data: list[Any], directives: Directives, fault: str | None) -> Response:
        """Start the job, unless the fault applies before that."""
        if fault in BEFORE_ACCEPTING:
            return await broken_answer(fault, request, self.upstream.timing, detail)
        job_id = secrets.token_hex(16)
        self.jobs.put(job_id, self.job(request, data, directives, fault))
        if fault in AFTER_ACCEPTING:
            return await broken_answer(fault, request, self.upstream.timing, detail)
        return JSONResponse({"event_id": job_id})

    def job(self, request: Request, data: list[Any], directives: Directives, fault: str | None) -> GradioJob:
        """Decide how the job will end, and when."""
        now = time.monotonic()
        prompt = prompt_in(data)
        try:
            arguments = read_arguments(data, self.generation)
        except InferError as error:
            self.upstream.record(prompt, 0, request)
            return GradioJob(
                prompt=prompt, directives=directives, due=now, last_event=("error", self.generation.failure(error.text))
            )
        self.upstream.record(prompt, arguments.seed, request)
        due = math.inf if fault == "endless" else now + self.upstream.delay(directives)
        return GradioJob(
            prompt=prompt,
            directives=directives,
            due=now if fault in AT_ONCE else due,
            last_event=self.last_event(request, arguments, directives, fault),
        )

    def last_event(
        self, request: Request, arguments: Arguments, directives: Directives, fault: str | None
    ) -> tuple[str, str]:
        """The event that ends the job; the image's URL is on the host that the POST was sent to, as in Gradio."""
        if fault in REFUSALS:
            return "error", self.generation.failure(REFUSALS[fault])
        image = None if fault == "no-image" else self.promise(root_of(request), arguments, directives, fault)
        return "complete", json.dumps([image, arguments.seed])

    def promise(self, root: str, arguments: Arguments, directives: Directives, fault: str | None) -> dict[str, Any]:
        """Promise a picture; returns its FileData."""
        # The shape of Gradio's paths; no file.
        path = f"/tmp/gradio/{secrets.token_hex(32)}/image.webp"  # noqa: S108  # nosec B108
        self.pictures.put(
            path,
            PictureSpec(
                prompt=arguments.prompt,
                seed=arguments.seed,
                width=arguments.width,
                height=arguments.height,
                steps=arguments.steps,
                format="webp",
                directives=directives,
                fault=fault,
            ),
        )
        return {
            "path": path,
            "url": f"{root}{self.generation.prefix}/file={path}",
            "size": None,
            "orig_name": "image.webp",
            "mime_type": None,
            "is_stream": False,
            "meta": {"_type": "gradio.FileData"},
        }

    async def stream(self, request: Request) -> Response:
        """`GET /call/infer/{event_id}`: heartbeats, then the last event, once. The API name is ignored."""
        job = self.jobs.get(request.path_params["event_id"])
        fault = self.upstream.fault(job.prompt, job.directives, "check") if job and not job.lost else None
        if fault in BEFORE_ACCEPTING:
            return await broken_answer(fault, request, self.upstream.timing, detail)
        events = self.events(job, fault)
        return Stream(events, "text/event-stream", job.lose if job else lambda: None)

    async def events(self, job: GradioJob | None, fault: str | None) -> AsyncIterator[bytes]:
        """The stream's bytes. After the last event another reader gets heartbeats for ever, as in Gradio."""
        pause = self.upstream.timing.heartbeat
        beat = time.monotonic() + pause
        if fault == "drop" and job:
            yield sse("heartbeat", "null")
            job.lose()
            raise Torn
        while job and not job.lost:
            if last_event := job.take_last_event():
                for piece in chopped(sse(*last_event)) if fault == "chopped" else (sse(*last_event),):
                    yield piece
                return
            if time.monotonic() >= beat:
                yield sse("heartbeat", "null")
                beat += pause
            await asyncio.sleep(max(0.0, min(beat, math.inf if job.delivered else job.due) - time.monotonic()))
        # Gradio's generator raises here, after a 200: the body has no end, and clients see a broken one.
        yield sse("error", self.generation.lost)
        raise Torn

    async def file(self, request: Request) -> Response:
        """`GET /file=<path>`: draw the picture."""
        path = request.path_params["path"]
        picture = self.pictures.get(path)
        if picture:
            return await serve_picture(picture, request, self.upstream)
        status, text = self.generation.missing_file
        return detail(status, text.format(path))


async def read_data(request: Request) -> list[Any] | None:
    """The `data` list of a JSON body; None when there is none (FastAPI, below Gradio, wants the content type too)."""
    if "json" not in request.headers.get("content-type", ""):
        return None
    try:
        body = await request.json()
    except ValueError:
        return None
    data = body.get("data") if isinstance(body, dict) else None
    return data if isinstance(data, list) else None


def sse(event: str, data: str) -> bytes:
    """One server-sent event."""
    return f"event: {event}\ndata: {data}\n\n".encode()


def chopped(event: bytes) -> list[bytes]:
    """The event with CRLF lines, in pieces that end anywhere."""
    text = event.replace(b"\n", b"\r\n")
    return [text[at : at + CHOP] for at in range(0, len(text), CHOP)]


def detail(status: int, what: Any) -> Response:
    """FastAPI's error body."""
    return JSONResponse({"detail": what}, status)


async def describe_error(request: Request, error: Exception) -> Response:
    """Unknown paths and methods, and wrong directives in the prompt, in FastAPI's shape."""
    if isinstance(error, HTTPException):
        return detail(error.status_code, error.detail)
    return detail(400, str(error))
