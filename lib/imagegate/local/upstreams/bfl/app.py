"""Stand-in for Black Forest Labs' API.

Contract: docs/protocols/bfl.md.
"""

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from imagegate.local.upstreams.auth import require_key
from imagegate.local.upstreams.bfl.faults import STATUSES
from imagegate.local.upstreams.bfl.requests import InvalidBody, read_task
from imagegate.local.upstreams.files import Files
from imagegate.local.upstreams.jobs import Job, Jobs, JobState
from imagegate.local.upstreams.recent import Recent
from imagegate.local.upstreams.upstream import Upstream, root_of

CREDITS = {"flux-2-klein-4b": 1.4, "flux-2-klein-9b": 1.5, "flux-2-pro": 3.0, "flux-2-max": 7.0, "flux-2-flex": 5.0}
"""Of a picture of one megapixel."""
OTHER_CREDITS = 4.0
NOT_FOUND = "Task not found"
BUSY = {"error": "rate_limited", "message": "You have 24 active tasks.", "details": None, "retry_after": 7}


class BflStandIn:
    """The service; `app()` is what gets mounted."""

    def __init__(self, upstream: Upstream) -> None:
        refusals: dict[str, Callable[[], Response]] = {
            "quota": partial(problem, 402, "Insufficient credits. Please add more at https://api.bfl.ai."),
            "busy": partial(JSONResponse, BUSY, 429),
            "task-not-found": lambda: JSONResponse({"id": "", "status": NOT_FOUND, "result": None}),
        }
        self.jobs = Jobs(upstream, problem, refusals, frozenset(STATUSES))
        # The AI SDK shows the pictures' host the key, and the real host takes no notice of it.
        self.files = Files(upstream, refuses_keys=False)
        self.costs: Recent[float] = Recent()

    def app(self) -> Starlette:
        """The routes."""
        routes = [
            self.files.route(),
            Route("/v1/get_result", self.read, methods=["GET"]),
            Route("/v1/{model}", self.start, methods=["POST"]),
        ]
        return Starlette(routes=routes, exception_handlers=dict.fromkeys((HTTPException, InvalidBody), describe_error))

    async def start(self, request: Request) -> Response:
        """`POST /v1/{model}`: starts a task."""
        require_key(request, "x-key", ())
        picture, task_id = read_task(await request.body()), str(uuid.uuid4())
        cost = self.costs.put(task_id, CREDITS.get(request.path_params["model"], OTHER_CREDITS))

        async def accept(job: Job) -> Response:
            base = "https://bfl.ai.example.com" if job.fault == "foreign-address" else root_of(request)
            url = f"{base}/v1/get_result?id={task_id}"
            megapixels = picture.width * picture.height / 1e6
            return JSONResponse({"id": task_id, "polling_url": url, "cost": cost, "output_mp": megapixels})

        return await self.jobs.submit(request, picture, accept, task_id)

    async def read(self, request: Request) -> Response:
        """`GET /v1/get_result?id=`."""
        require_key(request, "x-key", ())
        job = self.jobs.find(request.query_params.get("id", ""))
        if job is None:
            return JSONResponse({"id": request.query_params.get("id"), "status": NOT_FOUND, "result": None})

        async def answer(job: Job) -> Response:
            return JSONResponse(self.show(job, request))

        return await self.jobs.check(request, job, answer)

    def show(self, job: Job, request: Request) -> dict[str, Any]:
        """The task in BFL's shape."""
        body: dict[str, Any] = {"id": job.id, "status": "Pending", "result": None, "progress": None, "details": None}
        if job.state is JobState.FAILED:
            reasons = {"Moderation Reasons": ["Stand-in"]} if (job.fault or "").startswith("refuse") else None
            return body | {"status": STATUSES[job.fault or ""], "details": reasons}
        if job.state is not JobState.DONE:
            return body
        result: dict[str, Any] = {"prompt": job.picture.prompt, "seed": job.picture.seed, "duration": 1.0}
        if job.fault != "no-image":
            result["sample"] = self.files.url(request, f"{job.id}.{job.picture.format}", job.picture)
        return body | {"status": "Ready", "result": result, "cost": self.costs.get(job.id)}


def problem(status: int, detail: str) -> Response:
    """An error in FastAPI's shape."""
    return JSONResponse({"detail": detail}, status)


async def describe_error(request: Request, error: Exception) -> Response:
    """Any exception of a handler, in the service's shape."""
    if isinstance(error, InvalidBody):
        return JSONResponse({"detail": error.details}, 422)
    assert isinstance(error, HTTPException)
    return problem(error.status_code, error.detail)
