"""Stand-in for Replicate's predictions.

Contract: docs/protocols/replicate.md. Behind Hugging Face's router the same service is reached by another key.
"""

import asyncio
import contextlib
import re
import secrets
import string
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from imagegate.local.upstreams.auth import require_key
from imagegate.local.upstreams.directives import DirectiveError
from imagegate.local.upstreams.files import Files
from imagegate.local.upstreams.jobs import FAILING, Job, Jobs, JobState
from imagegate.local.upstreams.recent import Recent
from imagegate.local.upstreams.replicate.faults import FAILURES
from imagegate.local.upstreams.replicate.requests import PredictionRequest, read_prediction
from imagegate.local.upstreams.upstream import Upstream, root_of
from imagegate.local.upstreams.webhook_calls import WebhookCalls

CREDIT = "You have insufficient credit to run this model. Go to https://replicate.com/account/billing#billing."
THROTTLED = "Request was throttled. Your rate limit resets in ~30s."
STATES = {
    JobState.QUEUED: "starting",
    JobState.RUNNING: "processing",
    JobState.DONE: "succeeded",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "canceled",
}
PER_PAGE = 100
LONGEST_WAIT = 60.0
"""Seconds that `Prefer: wait` holds at most."""
PAUSE = 0.01
"""Seconds between two checks of a prediction that is waited for."""
WAIT = re.compile(r"\bwait(?:=(\d+))?")


@dataclass(frozen=True, slots=True)
class Prediction:
    """What was asked; the job of the same id is its state."""

    model: str
    asked: PredictionRequest
    created_at: str


class ReplicateStandIn:
    """The service; `app()` is what gets mounted."""

    def __init__(self, upstream: Upstream) -> None:
        refusals = {
            "quota": partial(problem, 402, CREDIT, "Insufficient credit"),
            "throttled": partial(problem, 429, THROTTLED),
            "gone": partial(problem, 404, "The requested resource could not be found.", "Not found"),
        }
        self.jobs = Jobs(upstream, problem, refusals, FAILING | FAILURES.keys() | {"aborted"})
        self.files = Files(upstream)
        self.webhooks = WebhookCalls()
        self.predictions: Recent[Prediction] = Recent()

    def app(self) -> Starlette:
        """The routes."""
        routes = [
            Route("/v1/models/{owner}/{name}/predictions", self.create, methods=["POST"]),
            Route("/v1/models/{owner}/{name}/versions/{id}", read_version),
            Route("/v1/predictions", self.create, methods=["POST"]),
            Route("/v1/predictions", self.read_list, methods=["GET"]),
            Route("/v1/predictions/{id}", self.read),
            Route("/v1/predictions/{id}/cancel", self.cancel, methods=["POST"]),
            self.files.route(),
        ]
        raised = (HTTPException, DirectiveError)
        return Starlette(routes=routes, exception_handlers=dict.fromkeys(raised, describe_error))

    async def create(self, request: Request) -> Response:
        """`POST …/predictions`: answers the prediction, when it has ended if the caller prefers to wait."""
        require_key(request)
        asked = read_prediction(await request.body())
        names = request.path_params
        model = f"{names['owner']}/{names['name']}" if names else asked.version
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        prediction_id = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(26))
        prediction = self.predictions.put(prediction_id, Prediction(model, asked, now))

        async def accept(job: Job) -> Response:
            self.webhooks.schedule(asked.webhook, job, lambda: self.show(job, prediction, request))
            await wait_for(job, request.headers.get("prefer", ""))
            return JSONResponse(self.show(job, prediction, request), 201)

        return await self.jobs.submit(request, asked.picture, accept, prediction_id)

    async def read_list(self, request: Request) -> Response:
        """`GET /v1/predictions`: the newest first, one page."""
        require_key(request)
        newest = list(reversed(self.predictions.values.items()))[:PER_PAGE]
        found = [(self.jobs.find(prediction_id), prediction) for prediction_id, prediction in newest]
        results = [self.show(job, prediction, request) for job, prediction in found if job]
        return JSONResponse({"next": None, "previous": None, "results": results})

    async def read(self, request: Request) -> Response:
        """`GET /v1/predictions/{id}`."""
        job, prediction = self.find(request)

        async def answer(job: Job) -> Response:
            return JSONResponse(self.show(job, prediction, request))

        return await self.jobs.check(request, job, answer)

    async def cancel(self, request: Request) -> Response:
        """`POST /v1/predictions/{id}/cancel`: the prediction as it is after that."""
        job, prediction = self.find(request)
        job.cancel()
        return JSONResponse(self.show(job, prediction, request))

    def find(self, request: Request) -> tuple[Job, Prediction]:
        """The prediction a path names, for callers who show a key."""
        require_key(request)
        prediction_id = request.path_params["id"]
        job, prediction = self.jobs.find(prediction_id), self.predictions.get(prediction_id)
        if job is None or prediction is None:
            raise HTTPException(404, "The requested resource could not be found.")
        return job, prediction

    def show(self, job: Job, prediction: Prediction, request: Request) -> dict[str, Any]:
        """The prediction in Replicate's shape."""
        job = job.snapshot()
        url = f"{root_of(request)}/v1/predictions/{job.id}"
        removed = job.fault == "removed" and not job.live
        failed = job.state is JobState.FAILED
        return {
            "id": job.id,
            "model": prediction.model,
            "version": prediction.asked.version or "hidden",
            "input": {} if removed else prediction.asked.input,
            "logs": "",
            "output": self.output(job, prediction, request) if job.state is JobState.DONE and not removed else None,
            "data_removed": removed,
            "error": FAILURES.get(job.fault or "") if failed else None,
            "source": "api",
            "status": "aborted" if failed and job.fault == "aborted" else STATES[job.state],
            "created_at": prediction.created_at,
            "started_at": prediction.created_at if job.state is not JobState.QUEUED else None,
            "completed_at": None if job.live else prediction.created_at,
            "metrics": {"predict_time": 1.0} if job.state is JobState.DONE else {},
            "urls": {"get": url, "cancel": f"{url}/cancel", "web": f"https://replicate.com/p/{job.id}"},
        }

    def output(self, job: Job, prediction: Prediction, request: Request) -> list[str] | str | None:
        """The addresses of the pictures; one alone, and no list, from the models that make only one."""
        outputs = prediction.asked.outputs
        if job.fault == "no-image":
            return None
        seeds = range(job.picture.seed, job.picture.seed + max(1, outputs - (job.fault == "fewer")))
        pictures = [replace(job.picture, seed=seed) for seed in seeds]
        addresses = [
            self.files.url(request, f"{job.id}-{place}.{each.format}", each) for place, each in enumerate(pictures)
        ]
        several = "num_outputs" in prediction.asked.input or "schnell" in prediction.model
        return addresses if several else addresses[0]


async def read_version(request: Request) -> Response:
    """`GET /v1/models/{owner}/{name}/versions/{id}`, which clients read before they run one."""
    require_key(request)
    output = {"title": "Output", "type": "array", "items": {"type": "string", "format": "uri"}}
    schema = {"components": {"schemas": {"Output": output}}}
    created = "2026-11-01T00:00:00.000000Z"
    return JSONResponse(
        {"id": request.path_params["id"], "created_at": created, "cog_version": "0.16.0", "openapi_schema": schema}
    )


async def wait_for(job: Job, prefer: str) -> None:
    """Hold the call as `Prefer: wait` or `wait=SECONDS` says, until the job has ended."""
    if not (wanted := WAIT.search(prefer)):
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(min(float(wanted[1] or LONGEST_WAIT), LONGEST_WAIT)):
            while job.live:
                await asyncio.sleep(PAUSE)


def problem(status: int, detail: str, title: str = "") -> Response:
    """An error in the service's shape."""
    return JSONResponse({"title": title or detail, "detail": detail, "status": status}, status)


async def describe_error(request: Request, error: Exception) -> Response:
    """Any exception of a handler, in the service's shape."""
    if isinstance(error, HTTPException):
        return problem(error.status_code, error.detail)
    return problem(422, str(error), "Input validation failed")
