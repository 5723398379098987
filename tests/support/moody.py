"""An upstream with moods, which keeps count of what reached it."""

import threading
from dataclasses import dataclass, field

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.attempt import Source
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Pending, Ready, Submission, Ticket
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import CompletionMode, Limits
from support.fakes import picture

REFUSALS = {
    "throttled": FailureCode.RATE_LIMITED,
    "failed": FailureCode.UPSTREAM_FAILED,
    "no_key": FailureCode.AUTH,
    "refused": FailureCode.CONTENT_FILTERED,
    "ambiguous": FailureCode.AMBIGUOUS,
}
MOODS = ("ticket", "at_once", *REFUSALS)
"""What becomes of a submission."""
ENDS = ("ready", "broken", "failed", "lost", "unreachable", "pending")
"""What a look at a job finds."""


@dataclass
class MoodyUpstream:
    """A Provider. `mood` decides the next submission, `jobs` what each look finds."""

    name: str
    waits: CompletionMode = CompletionMode.POLL
    mood: str = "ticket"
    jobs: dict[int, str] = field(default_factory=dict)
    arrived: int = 0
    """Submissions that came."""
    words: set[str] = field(default_factory=set)
    """What they were to show."""
    cancelled: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.base_url = f"https://{self.name}.invalid"
        self.limits = Limits(completion=self.waits, grid=Grid(64, 2048, 8), prompt_characters=1000)
        self._lock = threading.Lock()

    def submit(self, upstream_request: UpstreamRequest) -> Submission:
        """Take the order, or not, as the mood is."""
        with self._lock:
            self.arrived += 1
            self.words.add(upstream_request.request.prompt)
            job = self.arrived
        if code := REFUSALS.get(self.mood):
            raise UpstreamError(Failure(code, f"said {code}"))
        if self.mood == "at_once":
            return Ready(bodies=(picture(),))
        self.jobs[job] = "pending"
        return Ticket({"job": job})

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        """Look at a job."""
        state = self.jobs[ticket.data["job"]]
        if state == "unreachable":
            raise UpstreamError(Failure(FailureCode.UPSTREAM_TIMEOUT, "silent"))
        if state in ("failed", "lost"):
            return Failed(Failure(FailureCode.EXPIRED if state == "lost" else FailureCode.UPSTREAM_FAILED, state))
        if state == "pending":
            return Pending()
        return Ready(sources=(Source(f"{self.base_url}/{state}.png"),))

    def cancel(self, ticket: Ticket) -> None:
        """Remember it."""
        self.cancelled.append(ticket.data["job"])

    @property
    def downloads(self) -> dict[str, bytes | UpstreamError]:
        """What lies behind its addresses."""
        return {f"{self.base_url}/ready.png": picture(), f"{self.base_url}/broken.png": b"<html>"}
