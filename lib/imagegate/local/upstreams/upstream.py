"""What every stand-in is given: its name, its faults, its timing and the call log it shares with the others."""

from dataclasses import dataclass

from starlette.requests import Request

from imagegate.local.upstreams.call_log import CallLog
from imagegate.local.upstreams.directives import Directives, FaultSet, Stage, parse_directives


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long things take, in seconds."""

    latency: float = 2.0
    """From the submission to the picture, unless the prompt has a `[delay]`."""
    heartbeat: float = 15.0
    """Between two heartbeats of an event stream; 15 is Gradio's."""
    drip: float = 0.5
    """Between two kilobytes of a `[fault slow]` picture."""
    hang: float = 900.0
    """The longest time that a `[fault hang]` call is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """One stand-in among several."""

    name: str
    faults: FaultSet
    timing: Timing
    ledger: CallLog

    def directives(self, prompt: str) -> Directives:
        """What the prompt asks of this stand-in. Raises DirectiveError."""
        return parse_directives(prompt, self.faults)

    def fault(self, prompt: str, directives: Directives, stage: Stage) -> str | None:
        """The name of the fault that meets this call, which is counted, or None."""
        return directives.next_fault(stage, self.ledger.count_call(prompt, stage)) if directives.faults else None

    def delay(self, directives: Directives) -> float:
        """Seconds from the submission to the picture."""
        return self.timing.latency if directives.delay is None else directives.delay

    def record(self, prompt: str, seed: int, request: Request) -> None:
        """Note an accepted submission in the call log."""
        self.ledger.record(self.name, self.faults.protocol, prompt, seed, request.headers)


def root_of(request: Request) -> str:
    """The stand-in's own base URL as the client sees it: its Host, and the path it is mounted under; no final slash."""
    return str(request.url.replace(path=request.scope.get("root_path", ""), query="", fragment="")).rstrip("/")
