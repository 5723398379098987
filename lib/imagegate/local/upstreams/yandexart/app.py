"""Stand-in for YandexART's asynchronous REST API, as it was before the model's withdrawal in 2026.

Contract: docs/protocols/yandexart.md.
"""

import base64
import secrets
import string
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from imagegate.local.upstreams.auth import require_key
from imagegate.local.upstreams.directives import DirectiveError
from imagegate.local.upstreams.jobs import Job, Jobs, JobState
from imagegate.local.upstreams.upstream import Upstream
from imagegate.local.upstreams.yandexart.errors import FAILURES, REFUSALS, reply, status_error
from imagegate.local.upstreams.yandexart.protojson import ProtoError
from imagegate.local.upstreams.yandexart.requests import read_request

RESPONSE_TYPE = "type.googleapis.com/yandex.cloud.ai.foundation_models.v1.image_generation.ImageGenerationResponse"
CANCELLED = (1, "The operation was cancelled")
SCHEMES = ("bearer", "api-key")


class YandexArtStandIn:
    """The service; `app()` is what gets mounted."""

    def __init__(self, upstream: Upstream) -> None:
        self.jobs = Jobs(upstream, status_error, REFUSALS, frozenset(FAILURES))

    def app(self) -> Starlette:
        """The routes; `:cancel` before the plain one, which would swallow it."""
        routes = [
            Route("/foundationModels/v1/imageGenerationAsync", self.start, methods=["POST"]),
            Route("/operations/{id}:cancel", self.cancel, methods=["GET", "POST"]),
            Route("/operations/{id}", self.read),
        ]
        raised = (HTTPException, ProtoError, DirectiveError)
        return Starlette(routes=routes, exception_handlers=dict.fromkeys(raised, describe_error))

    async def start(self, request: Request) -> Response:
        """`POST …/imageGenerationAsync`: answers a pending operation."""
        require_key(request, schemes=SCHEMES)
        spec = read_request(await request.body(), request.headers.get("x-folder-id"))
        name = "fbv" + "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(17))
        return await self.jobs.submit(request, spec, answer, name)

    async def read(self, request: Request) -> Response:
        """`GET /operations/{id}`."""
        return await self.jobs.check(request, self.find(request), answer)

    async def cancel(self, request: Request) -> Response:
        """`GET|POST /operations/{id}:cancel`: the operation in its state after that."""
        job = self.find(request)
        job.cancel()
        return await answer(job)

    def find(self, request: Request) -> Job:
        """The operation a path names, for callers who show a key."""
        require_key(request, schemes=SCHEMES)
        name = request.path_params["id"]
        job = self.jobs.find(name)
        if job is None:
            raise HTTPException(404, f"operation {name} not found")
        return job


async def answer(job: Job) -> Response:
    """The operation as the service shows it: no `response` or `error` key before it is done."""
    job = job.snapshot()
    body = {"id": job.id, "description": "", "createdAt": None, "createdBy": "", "modifiedAt": None}
    return reply({**body, "done": not job.live, "metadata": None, **await outcome(job)})


async def outcome(job: Job) -> dict[str, Any]:
    """The key that a done operation has more than a pending one; work that is rolled back has its error before."""
    if job.live and job.fault != "error-early":
        return {}
    failure = CANCELLED if job.state is JobState.CANCELLED else FAILURES.get(job.fault or "")
    if failure:
        return {"error": {"code": failure[0], "message": failure[1], "details": []}}
    file = b"" if job.fault == "no-image" else await job.picture.file()
    return {"response": {"@type": RESPONSE_TYPE, "image": base64.b64encode(file).decode(), "modelVersion": ""}}


async def describe_error(request: Request, error: Exception) -> Response:
    """Any exception of a handler, in the service's shape."""
    if isinstance(error, HTTPException):
        return status_error(error.status_code, error.detail)
    return status_error(400, str(error), getattr(error, "code", None))
