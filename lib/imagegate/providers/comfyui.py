"""A ComfyUI server, one's own or Comfy Cloud: a graph is queued under an id of ours, and its job asked about.

Contract: docs/protocols/comfyui.md. The server does not refuse an id that it knows, so a submission that may have
arrived is looked up first. Newer servers tell of a job in one place, older ones in their queue or in their history.
"""

import secrets
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.attempt import Source
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Pending, Ready, Ticket
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import Capability, CompletionMode, Limits
from imagegate.ports.upstreams import Http, HttpRequest, HttpResponse, Secrets
from imagegate.providers.comfyui_graphs import fill_graph, graph_names, read_graph, slots_of
from imagegate.providers.comfyui_responses import (
    ComfyUIJob,
    PictureFile,
    parse_history,
    parse_job,
    parse_queue,
    parse_queued,
)
from imagegate.providers.config import ExpectedSeconds, OptionalSecretName, Positive
from imagegate.providers.credentials import fill_in
from imagegate.providers.http_errors import bad_payload, http_error
from imagegate.providers.parsing import address_of

HONOURED: frozenset[Capability] = frozenset({"seed", "steps", "guidance", "negative_prompt"})
"""What a graph can have slots for."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LOST = "does not know the job; it was lost, as when the server restarts or runs out of memory."


@dataclass(frozen=True, slots=True, kw_only=True)
class ComfyUIConfig:
    """One server, with the graph that it runs."""

    graph: str
    """Name of a file of providers/graphs, without `.json`."""
    key: OptionalSecretName = ""
    """Secret that is sent as `X-API-Key`; empty for a server without a login."""
    side_minimum: Positive = 256
    """Pixels."""
    side_maximum: Positive = 1536
    """Pixels."""
    side_step: Positive = 16
    """Pixels."""
    expected_seconds: ExpectedSeconds = 20.0

    def contradiction(self) -> tuple[str, str] | None:
        """The key that contradicts another or a file, and what is wrong with it."""
        if self.graph not in graph_names():
            return "graph", f"has graph = '{self.graph}', which must be one of {', '.join(graph_names())}"
        if self.side_maximum // self.side_step * self.side_step < self.side_minimum:
            sides = f"{self.side_minimum} to {self.side_maximum}"
            return "side_step", f"has side_step = {self.side_step}, of which no multiple is from {sides}"
        return None

    @property
    def limits(self) -> Limits:
        """What the graph has slots for."""
        slots = slots_of(read_graph(self.graph))
        return Limits(
            completion=CompletionMode.POLL,
            grid=Grid(self.side_minimum, self.side_maximum, self.side_step),
            prompt_characters=4000,
            images_per_call=4 if "count" in slots else 1,
            seed_maximum=2**63 - 1,
            steps_maximum=100 if "steps" in slots else None,
            retention_seconds=3600.0,
            expected_seconds=self.expected_seconds,
            recovers_submissions=True,
            capabilities=HONOURED.intersection(slots),
        )


class ComfyUI:
    """One server."""

    config_type = ComfyUIConfig

    def __init__(self, name: str, base_url: str, http: Http, secrets: Secrets, config: ComfyUIConfig) -> None:
        self.name = name
        self.base_url = base_url
        self.limits = config.limits
        self._http = http
        self._secrets = secrets
        self._config = config

    def submit(self, upstream_request: UpstreamRequest) -> Ticket:
        """Queue the graph, unless an earlier try at this submission has done so."""
        job_id, seed = job_id_for(upstream_request.idempotency_key), seed_for(upstream_request)
        ticket = Ticket({"id": job_id, "seed": seed if upstream_request.count == 1 else None})
        if upstream_request.repeated and self._find(job_id):
            return ticket
        body = {"prompt": build_graph(upstream_request, self._config, job_id, seed), "prompt_id": job_id}
        try:
            queued = parse_queued(self.name, self._send("POST", "/prompt", body))
        except UpstreamError as error:
            if error.failure.code is not FailureCode.AMBIGUOUS or not self._has_arrived(job_id):
                raise
            return ticket
        # Servers of 2025 and before choose an id themselves.
        return Ticket({**ticket.data, "id": queued})

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        """Look for the job; when it has ended, read its pictures, which want the key too."""
        job = self._find(ticket.data["id"])
        if job is None:
            return Failed(Failure(FailureCode.UPSTREAM_FAILED, f"{self.name} {_LOST}"))
        if job.failure:
            return Failed(job.failure)
        if not job.ended:
            return Pending()
        if not job.pictures:
            return Failed(bad_payload(self.name, "a job that saved no picture").failure)
        return self._read(job.pictures, ticket.data.get("seed"))

    def cancel(self, ticket: Ticket) -> None:
        """Take it out of the queue, or interrupt it if it is the one that runs."""
        job_id = ticket.data["id"]
        try:
            running, pending = parse_queue(self.name, self._send("GET", "/queue"))
            if job_id in pending:
                self._send("POST", "/queue", {"delete": [job_id]})
            elif job_id in running:
                # Older servers take no notice of the id, and interrupt whatever runs.
                self._send("POST", "/interrupt", {"prompt_id": job_id})
        except UpstreamError:
            return

    def _has_arrived(self, job_id: str) -> bool:
        try:
            return self._find(job_id) is not None
        except UpstreamError:
            return False

    def _find(self, job_id: str) -> ComfyUIJob | None:
        """The job, wherever the server keeps it. Raises UpstreamError when it cannot be asked."""
        job = parse_job(self.name, self._send("GET", f"/jobs/{job_id}"))
        if job:
            return job
        # The queue first: a job goes from there into the history, not back.
        running, pending = parse_queue(self.name, self._send("GET", "/queue"))
        if job_id in (*running, *pending):
            return ComfyUIJob()
        return parse_history(self.name, self._send("GET", f"/history/{job_id}"), job_id)

    def _read(self, pictures: tuple[PictureFile, ...], seed: int | None) -> Check:
        """The pictures; Comfy Cloud says where they are, and that address wants no key."""
        bodies, sources = list[bytes](), list[Source]()
        for picture in pictures:
            response = self._send("GET", f"/view?{urlencode(picture._asdict())}")
            if response.status == 404:
                return Failed(Failure(FailureCode.EXPIRED, f"{self.name} no longer has the picture."))
            if response.status in _REDIRECTS:
                address = address_of(response.headers.get("location"), f"{self.base_url}/")
                sources += [Source(address)] if address else []
            elif response.status != 200:
                raise http_error(self.name, response, response.body.decode("utf-8", "replace"))
            else:
                bodies.append(response.body)
        return Ready(sources=tuple(sources), bodies=tuple(bodies), seed=seed)

    def _send(self, method: str, path: str, body: Any = None) -> HttpResponse:
        key = {"x-api-key": fill_in(self.name, self._secrets, f"{{{self._config.key}}}")} if self._config.key else {}
        return self._http.send(
            HttpRequest(method=method, url=f"{self.base_url}{path}", headers=key, json=body, timeout=60.0)
        )


def job_id_for(key: str) -> str:
    """The same UUID whenever the submission is repeated, in the one spelling that newer servers take."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, key) if key else uuid.uuid4())


def seed_for(upstream_request: UpstreamRequest) -> int:
    """The caller's seed, or one at random: a graph with a seed of its own would always make the same picture."""
    seed = upstream_request.request.seed
    return secrets.randbelow(2**32) if seed is None else seed


def build_graph(upstream_request: UpstreamRequest, config: ComfyUIConfig, job_id: str, seed: int) -> dict[str, Any]:
    """The graph with everything in its slots."""
    request, size = upstream_request.request, config.limits.size_for(upstream_request.request)
    values = {
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "width": size.width,
        "height": size.height,
        "seed": seed,
        "steps": request.steps,
        "guidance": request.guidance,
        "count": upstream_request.count,
        "model": upstream_request.model,
        "id": job_id,
    }
    return dict(fill_graph(read_graph(config.graph), values))
