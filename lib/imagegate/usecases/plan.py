"""What the workflow does next, and when. The state machine's `Settled?` reads the Step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from imagegate.domain.attempt import Attempt, AttemptState
from imagegate.domain.limits import Limits, Waits
from imagegate.domain.operation import Operation
from imagegate.domain.schedule import POLL_PRICE, expected_remaining, next_look, opening
from imagegate.ports.keeping import Clock, Latencies

_SOONEST = 1
"""Seconds; Step Functions waits for whole ones."""
_RARER = 1 / 10
"""Share of its age for which an operation that nobody would take rests at least: in a day, at whatever pace its
providers name, it makes (1 + log(86,400 * share)) / share rounds, of 44 events with four providers: below 5,000."""
_STAY = 12.0
"""Seconds for which a function of 512 MB costs what leaving it does: three transitions ($0.000075), one more start."""
_STAY_UNTAUGHT = 5.0
"""Seconds, while what is expected is a guess."""
_LESSONS = 10
"""Jobs that have been watched until it is not."""
_SOONEST_HERE = 0.3
_PRICE_HERE = 0.1
"""Seconds of delay that one more look is worth while a function stays: a read, and the upstream's patience."""


@dataclass(frozen=True, slots=True)
class Step:
    """One hand-over between a task function and the workflow."""

    operation_id: str
    next: Literal["expand", "submit", "wait", "done"]
    wait: int = 0
    """Seconds to wait before `Poll`, when `next` is `wait`."""
    looked_at: float = 0.0
    """When the jobs were last looked at, in seconds since the epoch."""
    looks: int = 0
    """How often `Poll` has been visited: counted here, so that nobody has to write it down."""

    def payload(self) -> dict[str, Any]:
        """As the state machine's JSON."""
        told = {"id": self.operation_id, "next": self.next, "wait": self.wait}
        return told | {"looked_at": self.looked_at, "looks": self.looks}


class Plan:
    """Decides from what is written down and from how long such jobs have taken."""

    def __init__(self, latencies: Latencies, limits_of: Callable[[str], Limits], clock: Clock) -> None:
        self._latencies = latencies
        self._limits_of = limits_of
        self._clock = clock

    def step(self, operation: Operation, not_before: float = 0.0, run: str = "") -> Step:
        """The next step of a running operation.

        `not_before`: seconds since the epoch before which an upstream does not want to be asked. `run`: the
        workflow execution that takes the step; it need not wait for its own leases.
        """
        now = self._clock.now()
        if operation.done:
            return Step(operation.id, "done")
        if operation.missing_slots and not_before <= now:
            return Step(operation.id, "submit")
        wait = max(self.wait(operation, run=run), not_before - now)
        if operation.missing_slots:
            wait = max(wait, (now - operation.waiting_since) * _RARER)
        wait = min(wait, max(operation.deadline - now, _SOONEST))
        return Step(operation.id, "wait", max(_SOONEST, round(wait)), now)

    def wait(self, operation: Operation, shortest: float = _SOONEST, run: str = "", price: float = POLL_PRICE) -> float:
        """Seconds until the first of the operation's jobs is worth a look that costs `price`, at least `shortest`."""
        waits = [self._wait(operation, one, shortest, run, price) for one in operation.attempts if one.live]
        return max(shortest, min(waits, default=0.0))

    def stay(self, operation: Operation, not_before: float, run: str) -> float | None:
        """Seconds to sleep here before the next look; `None` when leaving is cheaper, as the jobs take longer."""
        now = self._clock.now()
        wait = max(self.wait(operation, _SOONEST_HERE, run, _PRICE_HERE), not_before - now)
        soon = all(self._soon(one) for one in operation.attempts if one.live)
        return wait if soon and wait <= _STAY and now < operation.deadline else None

    def opens_at(self, attempt: Attempt) -> float:
        """When a stream that can be read only once is to be opened, in seconds since the epoch."""
        return attempt.started_at + opening(self._latencies.get(attempt.provider, attempt.model))

    def _wait(self, operation: Operation, attempt: Attempt, shortest: float, run: str, price: float) -> float:
        now = self._clock.now()
        if attempt.state is AttemptState.READY:
            return 0.0
        if attempt.state is AttemptState.SUBMITTING or (attempt.lease_until > now and attempt.lease_run != run):
            return attempt.lease_until - now
        if self._limits_of(attempt.provider).waits is Waits.HOLD:
            return self.opens_at(attempt) - now
        histogram = self._latencies.get(attempt.provider, attempt.model)
        elapsed, remaining = now - attempt.started_at, operation.deadline - now
        return next_look(histogram, elapsed, max(remaining, 0.0), price=price, shortest=shortest)

    def _soon(self, attempt: Attempt) -> bool:
        histogram = self._latencies.get(attempt.provider, attempt.model)
        expected = expected_remaining(histogram, self._clock.now() - attempt.started_at)
        return expected <= (_STAY_UNTAUGHT if histogram.count < _LESSONS else _STAY)
