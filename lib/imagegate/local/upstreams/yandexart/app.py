"""Stand-in for YandexART's asynchronous REST API, as it was before the model's withdrawal in 2026.

Contract: docs/protocols/yandexart.md.
"""

import base64
import math
import secrets
import string
import time
from dataclasses import dataclass, replace
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from imagegate.local.upstreams.directives import DirectiveError
from imagegate.local.upstreams.drawing.pictures import PictureSpec
from imagegate.local.upstreams.faults import AFTER_ACCEPTING, BEFORE_ACCEPTING, CALL_FAULTS, broken_answer
from imagegate.local.upstreams.recent import Recent
from imagegate.local.upstreams.upstream import Upstream
from imagegate.local.upstreams.yandexart.errors import LATE, failure, reply, status_error
from imagegate.local.upstreams.yandexart.protojson import ProtoError
from imagegate.local.upstreams.yandexart.requests import read_request

RESPONSE_TYPE = "type.googleapis.com/yandex.cloud.ai.foundation_models.v1.image_generation.ImageGenerationResponse"
CANCELLED = (1, "The operation was cancelled")


@dataclass(slots=True)
class StandInOperation:
    """A generation under way, or done."""

    id: str
    picture: PictureSpec
    due: float
    """`time.monotonic()` at which it is done."""
    failure: tuple[int, str] | None
    cancelled: bool = False

    @property
    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return self.cancelled or time.monotonic() >= self.due

    def cancel(self) -> None:
        """End it now, if it has not ended."""
        if not self.done:
            self.cancelled, self.failure = True, CANCELLED


class YandexArtStandIn:
    """The service; `app()` is what gets mounted."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.operations: Recent[StandInOperation] = Recent()

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
        require_key(request)
        spec = read_request(await request.body(), request.headers.get("x-folder-id"))
        return await self.accept(request, spec, self.upstream.fault(spec.prompt, spec.directives, "submit"))

    async def accept(self, request: Request, asked: PictureSpec, fault: str | None) -> Response:
        """Start the operation, unless the fault stands before it."""
        timing = self.upstream.timing
        if fault in BEFORE_ACCEPTING:
            return await broken_answer(fault, request, timing, status_error)
        if refused := failure(fault):
            return refused
        operation = self.begin(asked, fault)
        self.upstream.record(asked.prompt, asked.seed, request)
        if fault in AFTER_ACCEPTING:
            return await broken_answer(fault, request, timing, status_error)
        return await self.answer(operation)

    def begin(self, asked: PictureSpec, fault: str | None) -> StandInOperation:
        """A new operation, remembered."""
        due = math.inf if fault == "endless" else time.monotonic() + self.upstream.delay(asked.directives)
        name = "fbv" + "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(17))
        return self.operations.put(name, StandInOperation(name, replace(asked, fault=fault), due, LATE.get(fault)))

    async def read(self, request: Request) -> Response:
        """`GET /operations/{id}`."""
        operation = self.find(request)
        spec = operation.picture
        fault = self.upstream.fault(spec.prompt, spec.directives, "check")
        if fault in CALL_FAULTS:
            return await broken_answer(fault, request, self.upstream.timing, status_error)
        return failure(fault) or await self.answer(operation)

    async def cancel(self, request: Request) -> Response:
        """`GET|POST /operations/{id}:cancel`: the operation in its state after that."""
        operation = self.find(request)
        operation.cancel()
        return await self.answer(operation)

    def find(self, request: Request) -> StandInOperation:
        """The operation a path names, for callers who show a key."""
        require_key(request)
        name = request.path_params["id"]
        operation = self.operations.get(name)
        if operation is None:
            raise HTTPException(404, f"operation {name} not found")
        return operation

    async def answer(self, operation: StandInOperation) -> Response:
        """The operation as the service shows it: no `response` or `error` key before it is done."""
        body = {"id": operation.id, "description": "", "createdAt": None, "createdBy": "", "modifiedAt": None}
        return reply({**body, "done": operation.done, "metadata": None, **await outcome(operation)})


async def outcome(operation: StandInOperation) -> dict[str, Any]:
    """The key that a done operation has more than a pending one; work that is rolled back has its error before."""
    early = operation.picture.fault == "error-early"
    if not operation.done and not early:
        return {}
    if operation.failure:
        code, message = operation.failure
        return {"error": {"code": code, "message": message, "details": []}}
    file = b"" if operation.picture.fault == "no-image" else await operation.picture.file()
    return {"response": {"@type": RESPONSE_TYPE, "image": base64.b64encode(file).decode(), "modelVersion": ""}}


def require_key(request: Request) -> None:
    """Raise 401 unless the call carries some key; any key will do."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in ("bearer", "api-key") or not key.strip():
        raise HTTPException(401, "The token is missing; send Authorization: Api-Key or Bearer, with any value")


async def describe_error(request: Request, error: Exception) -> Response:
    """Whatever a handler raises, in the service's shape."""
    if isinstance(error, HTTPException):
        return status_error(error.status_code, error.detail)
    return status_error(400, str(error), getattr(error, "code", None))
