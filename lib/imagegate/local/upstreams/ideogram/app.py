"""Stand-in for Ideogram's API of version 2, of which it makes the asynchronous generations.

Contract: docs/protocols/ideogram.md.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from imagegate.local.upstreams.auth import require_key
from imagegate.local.upstreams.files import Files
from imagegate.local.upstreams.ideogram.faults import FEWER, GONE, UNSAFE
from imagegate.local.upstreams.ideogram.requests import MODELS, BadRequest, IdeogramRequest, read_generation
from imagegate.local.upstreams.jobs import Job, Jobs, JobState
from imagegate.local.upstreams.recent import Recent
from imagegate.local.upstreams.upstream import Upstream

REASONS = {"refuse-late": "Failed the safety review", "error": "Internal error"}


class IdeogramStandIn:
    """The service; `app()` is what gets mounted."""

    def __init__(self, upstream: Upstream) -> None:
        refusals: dict[str, Callable[[], Response]] = {
            "quota": partial(JSONResponse, {"reject_reason": "insufficient_funds"}, 402),
            "refuse": partial(error, 422, "Prompt provided failed safety check"),
            GONE: partial(error, 404, "Generation not found"),
        }
        self.jobs = Jobs(upstream, error, refusals)
        self.files = Files(upstream)
        self.asked: Recent[IdeogramRequest] = Recent()

    def app(self) -> Starlette:
        """The routes."""
        routes = [
            Route("/v2/image/generate/{model}", self.generate, methods=["POST"]),
            Route("/v2/generations/{id}", self.read, methods=["GET"]),
            self.files.route(),
        ]
        handlers = dict.fromkeys((HTTPException, BadRequest), describe_error)
        return Starlette(routes=routes, exception_handlers=handlers)

    async def generate(self, request: Request) -> Response:
        """`POST /v2/image/generate/{model}`."""
        require_key(request, "api-key", ())
        if request.path_params["model"] not in MODELS:
            raise HTTPException(404, "No such model")
        try:
            asked = read_generation(json.loads(await request.body()))
        except json.JSONDecodeError as error:
            raise BadRequest("The body is not JSON.") from error

        async def answer(job: Job) -> Response:
            self.asked.put(job.id, asked)
            return JSONResponse({"generation_id": job.id}, 202)

        return await self.jobs.submit(request, asked.picture, answer)

    async def read(self, request: Request) -> Response:
        """`GET /v2/generations/{id}`."""
        require_key(request, "api-key", ())
        job = self.jobs.find(request.path_params["id"])
        if job is None:
            raise HTTPException(404, "Generation not found")

        async def answer(job: Job) -> Response:
            head = {"generation_id": job.id, "created": datetime.now(UTC).isoformat()}
            return JSONResponse({**head, **self.state(request, job)})

        return await self.jobs.check(request, job, answer)

    def state(self, request: Request, job: Job) -> dict[str, Any]:
        """Its status, and what comes with that."""
        if job.live:
            return {"status": "pending"}
        if job.state is not JobState.DONE:
            return {"status": "failed", "failure_reason": REASONS.get(job.fault or "", "Internal error")}
        asked = self.asked.values[job.id]
        data = [self.item(request, job, place) for place in range(asked.images)]
        cost = {"usage_cost_usd_micros": asked.price * asked.images}
        return {"status": "completed", "response_type": "url", "data": [] if job.fault == "no-image" else data, **cost}

    def item(self, request: Request, job: Job, place: int) -> dict[str, Any]:
        """One picture; one that is not safe has no URL."""
        picture = replace(job.picture, seed=job.picture.seed + place)
        unsafe = job.fault == UNSAFE or (job.fault == FEWER and place == 0)
        url = None if unsafe else self.files.url(request, f"{job.id}-{place}.png", picture)
        reported = {"object_type": "image", "prompt": picture.prompt, "resolution": f"{picture.width}x{picture.height}"}
        return {**reported, "url": url, "seed": picture.seed, "is_image_safe": not unsafe}


def error(status: int, message: str) -> Response:
    """An error answer."""
    return JSONResponse({"error": message}, status)


async def describe_error(request: Request, raised: Exception) -> Response:
    """Any exception of a handler, in the service's shape."""
    return error(raised.status_code, raised.detail) if isinstance(raised, HTTPException) else error(400, str(raised))
