"""Stand-in for DashScope's picture services: calls that are held, and tasks.

Contract: docs/protocols/dashscope.md.
"""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from imagegate.local.upstreams.auth import require_key
from imagegate.local.upstreams.dashscope.faults import CALLS, FAILURES, INSPECTED
from imagegate.local.upstreams.dashscope.requests import DashScopeError, DashScopeRequest, invalid, read_generation
from imagegate.local.upstreams.files import Files
from imagegate.local.upstreams.jobs import FAILING, Job, Jobs, JobState
from imagegate.local.upstreams.recent import Recent
from imagegate.local.upstreams.upstream import Upstream

CODES = {
    401: "InvalidApiKey",
    403: "AccessDenied",
    404: "NotFound",
    429: "Throttling",
    500: "InternalError",
    503: "ServiceUnavailable",
}
STATES = {
    JobState.QUEUED: "PENDING",
    JobState.RUNNING: "RUNNING",
    JobState.DONE: "SUCCEEDED",
    JobState.FAILED: "FAILED",
    JobState.CANCELLED: "CANCELED",
}
PAUSE = 0.01
"""Seconds between two checks of a generation that a call is held for."""


class DashScopeStandIn:
    """The service; `app()` is what gets mounted."""

    def __init__(self, upstream: Upstream) -> None:
        refusals: dict[str, Callable[[], Response]] = {name: partial(problem, *CALLS[name]) for name in CALLS}
        refusals["forgotten"] = unknown
        self.upstream = upstream
        self.jobs = Jobs(upstream, status_problem, refusals, FAILING | FAILURES.keys())
        self.files = Files(upstream)
        self.generations: Recent[tuple[DashScopeRequest, bool]] = Recent()
        """By task: what was asked for, and whether in messages."""

    def app(self) -> Starlette:
        """The routes."""
        services = "/api/v1/services/aigc"
        routes = [
            Route(f"{services}/multimodal-generation/generation", self.generate, methods=["POST"]),
            Route(f"{services}/image-generation/generation", self.start_with_messages, methods=["POST"]),
            Route(f"{services}/text2image/image-synthesis", self.start, methods=["POST"]),
            Route("/api/v1/tasks/{id}/cancel", self.cancel, methods=["POST"]),
            Route("/api/v1/tasks/{id}", self.read),
            self.files.route(),
        ]
        raised = (HTTPException, DashScopeError)
        return Starlette(routes=routes, exception_handlers=dict.fromkeys(raised, describe_error))

    async def generate(self, request: Request) -> Response:
        """`POST …/multimodal-generation/generation`: held until the pictures are there."""

        async def answer(job: Job) -> Response:
            while job.live:
                await asyncio.sleep(PAUSE)
            if job.state is JobState.FAILED:
                code, message = FAILURES[job.fault or "error"]
                return problem(400 if code == INSPECTED[0] else 500, code, message)
            return reply(self.output(job, request), request_id=job.id)

        return await self.accept(request, answer, messages=True)

    async def start_with_messages(self, request: Request) -> Response:
        """`POST …/image-generation/generation`: a task."""
        require_tasks(request)
        return await self.accept(request, show_started, messages=True)

    async def start(self, request: Request) -> Response:
        """`POST …/text2image/image-synthesis`: a task, from a bare prompt."""
        require_tasks(request)
        return await self.accept(request, show_started, messages=False)

    async def accept(self, request: Request, answer: Any, *, messages: bool) -> Response:
        """Begin what is asked for."""
        require_key(request)
        generation = read_generation(await read_json(request), self.upstream.faults, messages=messages)
        task = str(uuid.uuid4())
        self.generations.put(task, (generation, messages))
        return await self.jobs.submit(request, generation.picture, answer, task)

    async def read(self, request: Request) -> Response:
        """`GET /tasks/{id}`."""
        require_key(request)
        job = self.jobs.find(request.path_params["id"])
        if job is None:
            return unknown()

        async def answer(job: Job) -> Response:
            named = {"task_id": job.id, "task_status": STATES[job.state]}
            if job.state is JobState.FAILED:
                code, message = FAILURES[job.fault or "error"]
                return reply({**named, "code": code, "message": message})
            return reply(named | (self.output(job, request) if job.state is JobState.DONE else {}))

        return await self.jobs.check(request, job, answer)

    async def cancel(self, request: Request) -> Response:
        """`POST /tasks/{id}/cancel`: for a task that is pending."""
        require_key(request)
        job = self.jobs.find(request.path_params["id"])
        if job is None or job.state is not JobState.QUEUED:
            return problem(400, "UnsupportedOperation", "Failed to cancel the task, please confirm if it is PENDING.")
        job.cancel()
        return reply({})

    def output(self, job: Job, request: Request) -> dict[str, Any]:
        """The pictures, in the shape that goes with the request."""
        generation, messages = self.generations.get(job.id) or (DashScopeRequest(job.picture, 1), True)
        urls = [self.url(job, request, place) for place in range(generation.n)]
        if job.fault == "no-image":
            urls = []
        refused = {"code": INSPECTED[0], "message": INSPECTED[1]}
        if not messages:
            results = [{"url": url} for url in urls]
            return {"results": [*results[:-1], refused] if job.fault == "fewer" else results}
        answered = urls[:-1] if job.fault == "fewer" else urls
        content = [{"image": url} for url in answered] or [{"text": "Nothing was drawn."}]
        return {
            "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": [part]}}
                        for part in content],
        }  # fmt: skip

    def url(self, job: Job, request: Request, place: int) -> str:
        """The address of one picture."""
        picture = replace(job.picture, seed=job.picture.seed + place)
        return self.files.url(request, f"{job.id}-{place}.png", picture)


def require_tasks(request: Request) -> None:
    """Refuse a call that does not ask for a task."""
    if request.headers.get("x-dashscope-async") != "enable":
        raise DashScopeError(403, "AccessDenied", "current user api does not support synchronous calls.")


async def read_json(request: Request) -> Any:
    """The body's JSON."""
    try:
        return await request.json()
    except ValueError:
        invalid("The body is not JSON.")


async def show_started(job: Job) -> Response:
    """The answer to an accepted task."""
    return reply({"task_id": job.id, "task_status": "PENDING"})


def unknown() -> Response:
    """The answer for a task that is not known, or no longer."""
    return reply({"task_id": "", "task_status": "UNKNOWN"})


def reply(output: dict[str, Any], request_id: str = "") -> Response:
    """A success."""
    return JSONResponse({"output": output, "usage": {}, "request_id": request_id or str(uuid.uuid4())})


def problem(status: int, code: str, message: str) -> Response:
    """An error."""
    return JSONResponse({"code": code, "message": message, "request_id": str(uuid.uuid4())}, status)


def status_problem(status: int, text: str) -> Response:
    """An error of an HTTP status."""
    return problem(status, CODES.get(status, "BadRequest"), text)


async def describe_error(request: Request, error: Exception) -> Response:
    """Any exception of a handler, in the service's shape."""
    if isinstance(error, DashScopeError):
        return problem(error.status, error.code, error.message)
    assert isinstance(error, HTTPException)
    return status_problem(error.status_code, error.detail)
