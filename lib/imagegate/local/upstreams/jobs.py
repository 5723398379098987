"""Jobs of the stand-ins that are polled: queued, running and done as time passes, with the faults of their prompts."""

import math
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from starlette.requests import Request
from starlette.responses import Response

from imagegate.local.upstreams.directives import Stage
from imagegate.local.upstreams.drawing.pictures import PictureSpec
from imagegate.local.upstreams.faults import AFTER_ACCEPTING, CALL_FAULTS, ErrorBody, broken_answer
from imagegate.local.upstreams.recent import Recent
from imagegate.local.upstreams.upstream import Upstream

QUEUED_SHARE = 0.25
"""Of a job's time, how much it is queued."""

FAILING = frozenset({"refuse-late", "error"})
"""Faults of a submission by which every protocol's job fails; a protocol may have more."""


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(slots=True, kw_only=True)
class Job:
    """A generation that was accepted."""

    id: str
    picture: PictureSpec
    """With the fault of its submission, if it has one."""
    accepted: float
    """`time.monotonic()`."""
    due: float
    """`time.monotonic()` at which it is done or has failed."""
    failing: frozenset[str] = FAILING
    cancelled: bool = False
    seen: float | None = None
    """`time.monotonic()` of the moment a snapshot shows; None for the job itself, which goes on."""

    @property
    def fault(self) -> str | None:
        """The fault of its submission."""
        return self.picture.fault

    @property
    def state(self) -> JobState:
        """Where it stands now, or stood at the moment of the snapshot."""
        if self.cancelled:
            return JobState.CANCELLED
        now = time.monotonic() if self.seen is None else self.seen
        if now >= self.due:
            return JobState.FAILED if self.fault in self.failing else JobState.DONE
        waiting = now - self.accepted < (self.due - self.accepted) * QUEUED_SHARE
        return JobState.QUEUED if waiting and self.due < math.inf else JobState.RUNNING

    @property
    def live(self) -> bool:
        """Whether it is still queued or running."""
        return self.state in (JobState.QUEUED, JobState.RUNNING)

    def snapshot(self) -> "Job":
        """The job as it stands now: an answer that tells its state twice tells the same; a snapshot stays the same."""
        return self if self.seen is not None else replace(self, seen=time.monotonic())

    def cancel(self) -> bool:
        """Stop it; False when there is nothing left to stop."""
        stopped = self.live
        self.cancelled = self.cancelled or stopped
        return stopped


Answer = Callable[[Job], Awaitable[Response]]


class Jobs:
    """The jobs of one stand-in, and what its calls answer under a fault."""

    def __init__(
        self,
        upstream: Upstream,
        error_body: ErrorBody,
        refusals: Mapping[str, Callable[[], Response]],
        failing: frozenset[str] = FAILING,
    ) -> None:
        """`refusals`: the answers to calls with a fault of this protocol, `refuse` and `quota` for a start."""
        self._upstream = upstream
        self._error_body = error_body
        self._refusals = refusals
        self._failing = failing
        self._jobs: Recent[Job] = Recent()

    async def submit(
        self, request: Request, picture: PictureSpec, answer: Answer, job_id: str | None = None
    ) -> Response:
        """Start a job and answer, unless a fault applies; `job_id` where the client chooses it."""
        fault = self._upstream.fault(picture.prompt, picture.directives, "submit")
        if fault not in AFTER_ACCEPTING and (failure := await self._fail(request, fault)):
            return failure
        job = self._start(job_id or secrets.token_hex(16), replace(picture, fault=fault))
        self._upstream.record(picture.prompt, picture.seed, request)
        return await self._fail(request, fault) or await answer(job)

    async def check(self, request: Request, job: Job, answer: Answer, stage: Stage = "check") -> Response:
        """Answer a question about the job with its snapshot, unless a fault applies."""
        fault = self._upstream.fault(job.picture.prompt, job.picture.directives, stage)
        return await self._fail(request, fault) or await answer(job.snapshot())

    def find(self, job_id: str) -> Job | None:
        """The job, or None when there never was one or it is forgotten."""
        return self._jobs.get(job_id)

    def _start(self, job_id: str, picture: PictureSpec) -> Job:
        now = time.monotonic()
        due = math.inf if picture.fault == "endless" else now + self._upstream.delay(picture.directives)
        return self._jobs.put(job_id, Job(id=job_id, picture=picture, accepted=now, due=due, failing=self._failing))

    async def _fail(self, request: Request, fault: str | None) -> Response | None:
        if fault in CALL_FAULTS:
            return await broken_answer(fault, request, self._upstream.timing, self._error_body)
        refusal = self._refusals.get(fault or "")
        return refusal() if refusal else None
