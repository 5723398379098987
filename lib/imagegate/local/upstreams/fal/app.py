"""Stand-in for fal's queue, and for its synchronous face as Hugging Face's router has it.

Contract: docs/protocols/fal.md.
"""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from imagegate.local.upstreams.auth import require_key
from imagegate.local.upstreams.drawing.drawing import CONTENT_TYPES
from imagegate.local.upstreams.fal.faults import DETAILS, ERRORS
from imagegate.local.upstreams.fal.requests import FalRequest, InvalidInput, read_input
from imagegate.local.upstreams.files import Files
from imagegate.local.upstreams.jobs import Job, Jobs, JobState
from imagegate.local.upstreams.recent import Recent
from imagegate.local.upstreams.upstream import Upstream, root_of
from imagegate.local.upstreams.webhook_calls import WebhookCalls

LOCKED = "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing."
NOT_ENABLED = "Pay-as-you go is not enabled for provider fal-ai yet."
FAILING = frozenset({*DETAILS, *ERRORS, "runner-lost"})
PAUSE = 0.01
"""Seconds between two checks of a job whose call is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FalFace:
    """How the queue is reached: directly, or through a router."""

    schemes: tuple[str, ...] = ("key", "bearer")
    public_base: str = ""
    """Base of the addresses told; empty: the stand-in's own."""
    synchronous: bool = False
    """A request without `_subdomain=queue` is held until its result is there."""
    no_credit: tuple[int, Mapping[str, str]] = (403, {"detail": LOCKED})
    """Status and body when there is no money left."""


class FalStandIn:
    """The service; `app()` is what gets mounted."""

    def __init__(self, upstream: Upstream, face: FalFace | None = None) -> None:
        self.face = face or FalFace()
        no_credit = partial(JSONResponse, dict(self.face.no_credit[1]), self.face.no_credit[0])
        refusals: dict[str, Callable[[], Response]] = {
            "quota": no_credit,
            "not-enabled": lambda: JSONResponse({"error": NOT_ENABLED}, 402),
            "locked": partial(problem, 403, LOCKED),
            "gone": partial(problem, 404, "Request not found"),
            "http-504": partial(problem, 504, "Gateway Timeout"),
        }
        self.jobs = Jobs(upstream, problem, refusals, FAILING)
        self.files = Files(upstream)
        self.webhooks = WebhookCalls()
        self.requests: Recent[tuple[str, FalRequest]] = Recent()
        """Application and input, by request id."""

    def app(self) -> Starlette:
        """The routes; the files' first, because a model's name fits anything."""
        request = "/{owner}/{alias}/requests/{id}"
        routes = [
            self.files.route(),
            Route(f"{request}/status", self.read_status, methods=["GET"]),
            Route(f"{request}/cancel", self.cancel, methods=["PUT"]),
            Route(request, self.read_result, methods=["GET"]),
            Route("/{owner}/{alias}", self.submit, methods=["POST"]),
            Route("/{owner}/{alias}/{path:path}", self.submit, methods=["POST"]),
        ]
        return Starlette(routes=routes, exception_handlers=dict.fromkeys((HTTPException, InvalidInput), describe_error))

    async def submit(self, request: Request) -> Response:
        """`POST /{model}`: queues the request, or holds it."""
        require_key(request, schemes=self.face.schemes)
        asked, request_id = read_input(await request.body()), str(uuid.uuid4())
        application = "{owner}/{alias}".format(**request.path_params)
        self.requests.put(request_id, (application, asked))

        async def accept(job: Job) -> Response:
            if self.face.synchronous and request.query_params.get("_subdomain") != "queue":
                return await self.held(request, job)
            url = request.query_params.get("fal_webhook")
            self.webhooks.schedule(url, job, lambda: self.announcement(request, job.snapshot()))
            return JSONResponse({**self.addresses(request, request_id), "status": "IN_QUEUE", "queue_position": 0})

        return await self.jobs.submit(request, asked.picture, accept, request_id)

    async def held(self, request: Request, job: Job) -> Response:
        """The result, when it is there."""
        while job.live:
            await asyncio.sleep(PAUSE)
        return self.result(request, job)

    async def read_status(self, request: Request) -> Response:
        """`GET …/status`: 202 while it waits or runs, 200 when it is completed, however that went."""

        async def answer(job: Job) -> Response:
            state = {JobState.QUEUED: "IN_QUEUE", JobState.RUNNING: "IN_PROGRESS"}.get(job.state, "COMPLETED")
            body: dict[str, Any] = {**self.addresses(request, job.id), "status": state}
            error = ERRORS.get(job.fault or "") if job.state is JobState.FAILED else None
            if job.state is JobState.CANCELLED:
                error = ("client_cancelled", "Request was cancelled.")
            body |= {"queue_position": 0} if job.state is JobState.QUEUED else {"logs": None}
            if not job.live:
                body["metrics"] = {"inference_time": 0.5}
            if error:
                body |= {"error_type": error[0], "error": error[1]}
            return JSONResponse(body, 202 if job.live else 200)

        return await self.jobs.check(request, self.find(request), answer)

    async def read_result(self, request: Request) -> Response:
        """`GET …/requests/{id}`."""

        async def answer(job: Job) -> Response:
            return problem(400, "Request is still in progress") if job.live else self.result(request, job)

        return await self.jobs.check(request, self.find(request), answer, "result")

    async def cancel(self, request: Request) -> Response:
        """`PUT …/cancel`."""
        stopped = self.find(request).cancel()
        status = "CANCELLATION_REQUESTED" if stopped else "ALREADY_COMPLETED"
        return JSONResponse({"status": status}, 202 if stopped else 400)

    def find(self, request: Request) -> Job:
        """The job a path names, for callers who show a key."""
        require_key(request, schemes=self.face.schemes)
        job = self.jobs.find(request.path_params["id"])
        if job is None:
            raise HTTPException(404, "Request not found")
        return job

    def addresses(self, request: Request, request_id: str) -> dict[str, str]:
        """Where the request is asked about; the model's path below its application is not in them."""
        application = self.requests.values[request_id][0]
        url = f"{self.face.public_base or root_of(request)}/{application}/requests/{request_id}"
        return {
            "request_id": request_id,
            "response_url": url,
            "status_url": f"{url}/status",
            "cancel_url": f"{url}/cancel",
        }

    def result(self, request: Request, job: Job) -> Response:
        """What the model answered."""
        if job.state is JobState.FAILED and (details := DETAILS.get(job.fault or "")):
            described = {"loc": ["body", "prompt"], "msg": details[1], "type": details[0]}
            return JSONResponse({"detail": [described]}, 422, {"x-fal-retryable": "false"})
        if job.state is not JobState.DONE:
            kind, text = ERRORS.get(job.fault or "", ("runner_disconnected", "Runner disconnected"))
            status = 503 if job.fault == "runner-lost" else 500
            return JSONResponse({"detail": text, "error_type": kind}, status, {"x-fal-error-type": kind})
        return JSONResponse(self.output(request, job))

    def announcement(self, request: Request, job: Job) -> dict[str, Any]:
        """What a webhook says."""
        ids = {"request_id": job.id, "gateway_request_id": job.id}
        if job.state is JobState.DONE:
            return {**ids, "status": "OK", "payload": self.output(request, job)}
        return {**ids, "status": "ERROR", "error": "Invalid status code: 422", "payload": None}

    def output(self, request: Request, job: Job) -> dict[str, Any]:
        """The pictures."""
        asked = self.requests.values[job.id][1]
        unsafe = job.fault == "unsafe"
        first = replace(job.picture, fault="black" if unsafe else job.fault)
        pictures = [replace(first, seed=first.seed + place) for place in range(asked.images)]
        images = [
            {
                "url": self.files.url(request, f"{job.id}-{place}.{picture.format}", picture),
                "width": picture.width,
                "height": picture.height,
                "content_type": CONTENT_TYPES[picture.format],
            }
            for place, picture in enumerate(pictures)
        ]
        return {
            "images": [] if job.fault == "no-image" else images,
            "timings": {"inference": 0.5},
            "seed": job.picture.seed,
            "has_nsfw_concepts": [unsafe] * len(images),
            "prompt": job.picture.prompt,
        }


def problem(status: int, detail: str) -> Response:
    """An error in the platform's shape."""
    return JSONResponse({"detail": detail}, status)


async def describe_error(request: Request, error: Exception) -> Response:
    """Any exception of a handler, in the service's shape."""
    if isinstance(error, InvalidInput):
        return JSONResponse({"detail": error.details}, 422)
    assert isinstance(error, HTTPException)
    return problem(error.status_code, error.detail)
