"""Stand-in for Runware's API over HTTP: one address, to which arrays of tasks are sent.

Contract: docs/protocols/runware.md.
"""

import asyncio
import base64
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from imagegate.local.upstreams.auth import require_key
from imagegate.local.upstreams.drawing.drawing import CONTENT_TYPES
from imagegate.local.upstreams.drawing.pictures import PictureSpec
from imagegate.local.upstreams.files import Files
from imagegate.local.upstreams.jobs import Job, Jobs, JobState
from imagegate.local.upstreams.recent import Recent
from imagegate.local.upstreams.runware.faults import FAILURES, REFUSAL
from imagegate.local.upstreams.runware.requests import ImageTask, TaskError, read_id, read_image_task
from imagegate.local.upstreams.upstream import Upstream

REFUSALS = {
    "refuse": (400, *REFUSAL),
    "quota": (402, "insufficientCredits", "Insufficient credits. Top up your account."),
    "no-model": (404, "modelNotFound", "The model was not found."),
    "gone": (404, "taskNotFound", "The task was not found."),
}
"""HTTP status, code and message by fault."""

CODES = {
    401: "invalidApiKey",
    404: "notFound",
    405: "methodNotAllowed",
    429: "rateLimitExceeded",
    500: "internalServerError",
    503: "serviceUnavailable",
}
PRICE = 0.0006
"""Dollars, of a picture."""
PAUSE = 0.01
"""Seconds between two checks of a task whose caller waits for its end."""


class Refused(Exception):
    """A call that a fault applies to, before it is known which task it is about."""


class RunwareStandIn:
    """The service; `app()` is what gets mounted."""

    def __init__(self, upstream: Upstream) -> None:
        refusals: dict[str, Callable[[], Response]] = {name: partial(refuse, name) for name in REFUSALS}
        self.jobs = Jobs(upstream, error_body, refusals, frozenset(FAILURES))
        self.files = Files(upstream)
        self.tasks: Recent[ImageTask] = Recent()

    def app(self) -> Starlette:
        """The routes."""
        handlers = {TaskError: describe_task_error, HTTPException: describe_http_error}
        return Starlette(
            routes=[Route("/v1", self.run, methods=["POST"]), self.files.route()], exception_handlers=handlers
        )

    async def run(self, request: Request) -> Response:
        """`POST /v1`: one task, perhaps with one before it that brings the key."""
        tasks = await read_tasks(request)
        if tasks[0].get("taskType") != "authentication":
            require_key(request)
        elif not tasks.pop(0).get("apiKey") or not tasks:
            raise HTTPException(401, "The API key is missing.")
        task = tasks[0]
        types = {"imageInference": self.create, "getResponse": self.read}
        if task.get("taskType") not in types:
            raise TaskError("unsupportedTaskType", f"taskType: one of {', '.join(types)}", task, "taskType")
        try:
            return await types[task["taskType"]](request, task)
        except Refused as refused:
            status, code, message = REFUSALS[str(refused)]
            raise TaskError(code, message, task, status=status) from refused

    async def create(self, request: Request, document: Mapping[str, Any]) -> Response:
        """`imageInference`: acknowledged, or answered with the pictures when its caller wants to wait for them."""
        task = read_image_task(document)
        if self.jobs.find(task.id):
            raise TaskError("conflictTaskUUID", "A task with this taskUUID exists already.", document, "taskUUID")

        async def accept(job: Job) -> Response:
            if task.asynchronous:
                return JSONResponse({"data": [{"taskType": "imageInference", "taskUUID": task.id}]})
            while job.live:
                await asyncio.sleep(PAUSE)
            return await self.results(job, request)

        self.tasks.put(task.id, task)
        return await self.jobs.submit(request, task.picture, accept, task.id)

    async def read(self, request: Request, document: Mapping[str, Any]) -> Response:
        """`getResponse`: what has become of a task."""
        job = self.jobs.find(read_id(document))
        if job is None:
            raise Refused("gone")
        return await self.jobs.check(request, job, lambda job: self.results(job, request))

    async def results(self, job: Job, request: Request) -> Response:
        """The task's generations: under way, or the pictures and the errors."""
        task = self.tasks.get(job.id)
        assert task
        named = {"taskType": "imageInference", "taskUUID": job.id}
        if job.live:
            return JSONResponse({"data": [{**named, "status": "processing"}] * task.results})
        if job.state is JobState.FAILED:
            code, message = FAILURES[job.fault or "error"]
            return JSONResponse({"errors": [{"code": code, "message": message, "status": "error", **named}]})
        fewer = job.fault == "fewer"
        seeds = range(job.picture.seed, job.picture.seed + task.results - fewer)
        rendered = [await self.show(task, replace(job.picture, seed=seed), request) for seed in seeds]
        blocked = [{"code": REFUSAL[0], "message": REFUSAL[1], "status": "error", **named}]
        return JSONResponse(
            {"data": [{**named, **each} for each in rendered], **({"errors": blocked} if fewer else {})}
        )

    async def show(self, task: ImageTask, picture: PictureSpec, request: Request) -> dict[str, Any]:
        """One picture, as its caller wants it."""
        image_id = str(uuid.uuid5(uuid.UUID(task.id), str(picture.seed)))
        cost = {"cost": PRICE} if task.include_cost else {}
        rendered = {"status": "success", "imageUUID": image_id, "seed": picture.seed, **cost}
        if picture.fault == "no-image":
            return rendered
        if task.output_type == "URL":
            return rendered | {"imageURL": self.files.url(request, f"{image_id}.{picture.format}", picture)}
        data = base64.b64encode(await picture.file()).decode()
        if task.output_type == "base64Data":
            return rendered | {"imageBase64Data": data}
        return rendered | {"imageDataURI": f"data:{CONTENT_TYPES[picture.format]};base64,{data}"}


async def read_tasks(request: Request) -> list[dict[str, Any]]:
    """The array of tasks. Raises TaskError."""
    try:
        tasks = await request.json()
    except ValueError:
        tasks = None
    if not isinstance(tasks, list) or not tasks or not all(isinstance(task, dict) for task in tasks):
        raise TaskError("invalidRequest", "The body must be a JSON array of tasks.", {})
    return tasks


def refuse(fault: str) -> NoReturn:
    """In place of an answer: the caller knows the task that it has to name."""
    raise Refused(fault)


def error_body(status: int, text: str) -> Response:
    """An error of a call."""
    return JSONResponse({"errors": [{"code": CODES.get(status, "unknownError"), "message": text}]}, status)


async def describe_task_error(request: Request, error: Exception) -> Response:
    """A task that is refused."""
    assert isinstance(error, TaskError)
    return JSONResponse({"errors": [error.entry]}, error.status)


async def describe_http_error(request: Request, error: Exception) -> Response:
    """A call that is refused."""
    assert isinstance(error, HTTPException)
    return error_body(error.status_code, error.detail)
