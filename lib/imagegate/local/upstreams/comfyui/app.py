"""Stand-in for a ComfyUI server; below `/api` it wants a key, as Comfy Cloud does.

Contract: docs/protocols/comfyui.md. One server runs one job at a time; here they all run at once.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from imagegate.local.upstreams.auth import require_key
from imagegate.local.upstreams.comfyui.faults import FAILURES
from imagegate.local.upstreams.comfyui.requests import GraphError, GraphRequest, read_graph_request
from imagegate.local.upstreams.drawing.pictures import PictureSpec, serve_picture
from imagegate.local.upstreams.files import Files
from imagegate.local.upstreams.jobs import FAILING, Job, Jobs, JobState
from imagegate.local.upstreams.recent import Recent
from imagegate.local.upstreams.upstream import Upstream

STATES = {
    JobState.QUEUED: "pending",
    JobState.RUNNING: "in_progress",
    JobState.DONE: "completed",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
}
MISSING: dict[str, tuple[str, str, str]] = {
    "no-model": (
        "value_not_in_list",
        "Value not in list",
        "ckpt_name: 'x.safetensors' not in ['stand-in.safetensors']",
    ),
    "no-node": ("missing_node_type", "Node 'Missing' not found", "The custom node may not be installed."),
}
PAUSE = 0.02


class ComfyUIStandIn:
    """The service; `app()` is what gets mounted."""

    def __init__(self, upstream: Upstream) -> None:
        refusals: dict[str, Callable[[], Response]] = {name: partial(missing, name) for name in MISSING}
        refusals["old-server"] = not_there
        refusals["quota"] = partial(problem, 402, "Payment Required: insufficient credits")
        self.upstream = upstream
        self.jobs = Jobs(upstream, problem, refusals, FAILING | FAILURES.keys())
        self.files = Files(upstream)
        self.graphs: Recent[GraphRequest] = Recent()
        self.pictures: Recent[PictureSpec] = Recent()

    def app(self) -> Starlette:
        """The routes, with and without `/api`."""
        routes: list[BaseRoute] = [
            Route("/prompt", self.queue_graph, methods=["POST"]),
            Route("/jobs/{id}", self.read_job),
            Route("/queue", self.read_queue, methods=["GET"]),
            Route("/queue", self.delete, methods=["POST"]),
            Route("/interrupt", self.interrupt, methods=["POST"]),
            Route("/history/{id}", self.read_history),
            Route("/view", self.view),
            self.files.route(),
        ]
        handlers = {HTTPException: describe_http_error, GraphError: describe_graph_error}
        return Starlette(
            routes=[Mount("/api", routes=routes), WebSocketRoute("/ws", self.listen), *routes],
            exception_handlers=handlers,
        )

    async def queue_graph(self, request: Request) -> Response:
        """`POST /prompt`."""
        require_login(request)
        graph = read_graph_request(await read_json(request))

        async def answer(job: Job) -> Response:
            return JSONResponse({"prompt_id": job.id, "number": 1, "node_errors": {}})

        self.graphs.put(graph.id, graph)
        return await self.jobs.submit(request, graph.picture, answer, graph.id)

    async def read_job(self, request: Request) -> Response:
        """`GET /jobs/{id}`."""
        require_login(request)
        job = self.find(request.path_params["id"])
        if job is None:
            return JSONResponse({"error": "Job not found"}, 404)
        return await self.jobs.check(request, job, self.show)

    async def show(self, job: Job) -> Response:
        """The job in the shape of `/jobs`."""
        document: dict[str, Any] = {"id": job.id, "status": state_of(job), "outputs_count": 0}
        if not job.live:
            document |= {"outputs": self.outputs(job), "execution_status": self.status(job)}
        if document["status"] == "failed":
            document["execution_error"] = failure_of(job)
        return JSONResponse(document)

    async def read_queue(self, request: Request) -> Response:
        """`GET /queue`: what runs, and what waits."""
        require_login(request)
        jobs = [job for job in map(self.find, self.graphs.values) if job]
        running, pending = (
            [[1, job.id, {}, {}, []] for job in jobs if job.state is state]
            for state in (JobState.RUNNING, JobState.QUEUED)
        )
        return JSONResponse({"queue_running": running, "queue_pending": pending})

    async def delete(self, request: Request) -> Response:
        """`POST /queue` with `delete`: takes waiting jobs out."""
        require_login(request)
        for job_id in (await read_json(request)).get("delete") or ():
            job = self.jobs.find(str(job_id))
            if job and job.state is JobState.QUEUED:
                job.cancel()
        return Response()

    async def interrupt(self, request: Request) -> Response:
        """`POST /interrupt`: stops that job if it runs; without an id, whatever runs."""
        require_login(request)
        reported = (await read_json(request)).get("prompt_id")
        for job in map(self.jobs.find, [reported] if reported else list(self.graphs.values)):
            if job and job.state is JobState.RUNNING:
                job.cancel()
        return Response()

    async def read_history(self, request: Request) -> Response:
        """`GET /history/{id}`: `{}` for a job that is not known, or has not ended."""
        require_login(request)
        job = self.find(request.path_params["id"])
        if job is None or job.live:
            return JSONResponse({})
        return JSONResponse({job.id: {"prompt": [], "outputs": self.outputs(job), "status": self.status(job)}})

    async def view(self, request: Request) -> Response:
        """`GET /view`: the picture of that name."""
        require_login(request)
        name = request.query_params.get("filename", "")
        picture = self.pictures.get(name)
        if picture is None:
            raise HTTPException(404)
        if picture.fault == "redirect":
            return RedirectResponse(self.files.url(request, name, replace(picture, fault=None)), 302)
        return await serve_picture(picture, request, self.upstream)

    async def listen(self, socket: WebSocket) -> None:
        """`/ws`: says when the jobs of a client have ended."""
        await socket.accept()
        client = socket.query_params.get("clientId", "")
        reported: set[str] = set()
        try:
            while True:
                mine = [graph.id for graph in self.graphs.values.values() if graph.client == client]
                for job in [
                    job for job in map(self.jobs.find, mine) if job and not job.live and job.id not in reported
                ]:
                    reported.add(job.id)
                    failed = state_of(job) == "failed"
                    data = {"prompt_id": job.id, **(failure_of(job) if failed else {"node": None})}
                    await socket.send_json({"type": "execution_error" if failed else "executing", "data": data})
                await asyncio.sleep(PAUSE)
        except (WebSocketDisconnect, RuntimeError):
            return

    def find(self, job_id: str) -> Job | None:
        """A snapshot of the job, unless it is lost: one that is lost while it is asked about is never shown as done."""
        job = self.jobs.find(job_id)
        snapshot = job and job.snapshot()
        return None if snapshot is None or (snapshot.fault == "lost" and not snapshot.live) else snapshot

    def outputs(self, job: Job) -> dict[str, Any]:
        """What the nodes put out."""
        graph = self.graphs.get(job.id)
        if graph is None or state_of(job) != "completed" or job.fault == "no-image":
            return {}
        kind = "temp" if job.fault == "preview" else "output"
        names = [f"{job.id}_{place:05}_.png" for place in range(1, graph.batch + 1)]
        for place, name in enumerate(names):
            self.pictures.put(name, replace(job.picture, seed=job.picture.seed + place))
        return {
            graph.output: {"images": [{"filename": name, "subfolder": "imagegate", "type": kind} for name in names]}
        }

    def status(self, job: Job) -> dict[str, Any]:
        """How it ended, in the words of the history."""
        state = state_of(job)
        if state == "completed":
            return {"status_str": "success", "completed": True, "messages": [["execution_success", {}]]}
        event = ["execution_interrupted", {}] if state == "cancelled" else ["execution_error", failure_of(job)]
        return {"status_str": "error", "completed": False, "messages": [event]}


def state_of(job: Job) -> str:
    """The job's state in the server's words."""
    return "cancelled" if job.fault == "interrupted" and job.state is JobState.DONE else STATES[job.state]


def failure_of(job: Job) -> dict[str, Any]:
    """The exception that a job ended with."""
    text = FAILURES.get(job.fault or "", "")
    return {"node_id": "sampler", "node_type": "KSampler", "exception_type": "RuntimeError", "exception_message": text}


def require_login(request: Request) -> None:
    """Below `/api` a key is wanted."""
    if "/api/" in request.url.path:
        require_key(request, "x-api-key", ())


async def read_json(request: Request) -> Any:
    """The body's JSON object; none is as good as an empty one."""
    try:
        document = await request.json()
    except ValueError:
        document = {}
    return document if isinstance(document, dict) else {}


def missing(fault: str) -> Response:
    """The refusal of a graph that needs what the server does not have."""
    type_, message, details = MISSING[fault]
    return JSONResponse(GraphError(type_, message, "model", details).body, 400)


def not_there() -> Response:
    """The answer of a server that has no such path."""
    return PlainTextResponse("404: Not Found", 404)


def problem(status: int, text: str) -> Response:
    """An error of a call."""
    return JSONResponse({"error": {"type": "error", "message": text, "details": "", "extra_info": {}}}, status)


async def describe_http_error(request: Request, error: Exception) -> Response:
    """A call that is refused."""
    assert isinstance(error, HTTPException)
    return problem(error.status_code, error.detail)


async def describe_graph_error(request: Request, error: Exception) -> Response:
    """A graph that is refused."""
    assert isinstance(error, GraphError)
    return JSONResponse(error.body, 400)
