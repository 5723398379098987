"""What the workflow does next. The state machine's `Settled?` reads it."""

from dataclasses import dataclass
from typing import Any, Literal

from imagegate.domain.operation import Operation
from imagegate.domain.schedule import next_wait

SUBMIT_LEASE = 90.0
"""Seconds after which an attempt still `submitting` is known to have lost its submitter."""


@dataclass(frozen=True, slots=True)
class Step:
    """One hand-over between a task function and the workflow."""

    operation_id: str
    next: Literal["submit", "wait", "done"]
    wait: int = 0
    """Seconds to wait before `Poll`, when `next` is `wait`."""

    def payload(self) -> dict[str, Any]:
        """As the state machine's JSON."""
        return {"id": self.operation_id, "next": self.next, "wait": self.wait}


def step_after(operation: Operation, now: float, at_least: float = 0.0) -> Step:
    """Decide from what is written down; `at_least`: seconds an upstream told us to stay away."""
    if operation.done:
        return Step(operation.id, "done")
    if operation.missing_slots and at_least <= 0:
        return Step(operation.id, "submit")
    remaining = operation.deadline - now
    wait = next_wait(now - _since(operation), remaining)
    return Step(operation.id, "wait", max(wait, round(min(at_least, max(remaining, 1)))))


def _since(operation: Operation) -> float:
    live = [attempt.started_at for attempt in operation.attempts if attempt.live]
    return min(live, default=operation.created_at)
