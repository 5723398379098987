"""What the workflow does next, and when. The state machine's `Settled?` reads the Step."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.operation import Operation
from imagegate.domain.request.limits import Limits, Waits
from imagegate.domain.timing.schedule import POLL_PRICE, done_by, expected_remaining, next_look, opening
from imagegate.ports.runtime import Clock
from imagegate.ports.storage import Latencies

ROUNDING = 0.5
"""The workflow waits whole seconds, so it may come that much too early."""
_SOONEST = 1
"""Seconds; Step Functions waits for whole ones."""
RARER = 1 / 10
"""Share of its age for which what nobody takes, opens or hands out is left alone at least: in a day, at whatever pace
its providers name, it makes (1 + log(86,400 * share)) / share rounds, of 44 events with four providers: below 5,000."""
_STAY = 12.0
"""Seconds for which a function of 512 MB costs what leaving it does: three transitions ($0.000075), one more start."""
_STAY_UNTAUGHT = 5.0
"""Seconds, while what is expected is a guess."""
_LESSONS = 10
"""Jobs that have been watched until it is not."""
_SOONEST_HERE = 0.3
_PRICE_HERE = 0.1
"""Seconds of delay that one more look is worth while a function stays: a read, and the upstream's patience."""


Rests = Mapping[int, float]
"""Numbers of attempts, and before when (seconds since the epoch) their upstreams do not want to be asked for them."""
NO_RESTS: Rests = {}


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
    again_at: float = 0.0
    """Before when nobody is to be asked for the missing slots, in seconds since the epoch."""

    def payload(self) -> dict[str, Any]:
        """As the state machine's JSON."""
        told = {"id": self.operation_id, "next": self.next, "wait": self.wait}
        return told | {"looked_at": self.looked_at, "looks": self.looks, "again_at": self.again_at}


class Plan:
    """Decides from what is written down and from how long such jobs have taken."""

    def __init__(self, latencies: Latencies, limits_of: Callable[[str], Limits], clock: Clock) -> None:
        self._latencies = latencies
        self._limits_of = limits_of
        self._clock = clock

    def step(self, operation: Operation, run: str = "", rests: Rests = NO_RESTS, not_before: float = 0.0) -> Step:
        """The next step of a running operation.

        `run`: the workflow execution that takes the step; it need not wait for its own leases. `not_before`: seconds
        since the epoch before which nobody can be asked for the missing slots.
        """
        now = self._clock.now()
        if operation.done:
            return Step(operation.id, "done")
        if operation.missing_slots and not_before <= now:
            return Step(operation.id, "submit")
        waits = [max(operation.deadline - now, _SOONEST)]
        if any(one.live for one in operation.attempts):
            waits.append(self.wait(operation, run, rests))
        again = max(not_before - now, (now - operation.waiting_since) * RARER) if operation.missing_slots else math.inf
        waits.append(again)
        again_at = now + again if operation.missing_slots else 0.0
        return Step(operation.id, "wait", max(_SOONEST, round(min(waits))), now, again_at=again_at)

    def wait(
        self,
        operation: Operation,
        run: str = "",
        rests: Rests = NO_RESTS,
        shortest: float = _SOONEST,
        price: float = POLL_PRICE,
    ) -> float:
        """Seconds until the first of the operation's jobs is worth a look that costs `price`.

        At least `shortest`, unless it is a stream that nobody has opened yet.
        """
        now = self._clock.now()
        waits = [
            max(self._wait(operation, one, shortest, run, price), rests.get(one.number, 0.0) - now)
            for one in operation.attempts
            if one.live
        ]
        return min(waits, default=shortest)

    def stay(self, operation: Operation, run: str, rests: Rests) -> float | None:
        """Seconds to sleep here before the next look; `None` when leaving is cheaper, as the jobs take longer."""
        now = self._clock.now()
        wait = self.wait(operation, run, rests, _SOONEST_HERE, _PRICE_HERE)
        soon = all(self._soon(one) for one in operation.attempts if one.live)
        return wait if soon and wait <= _STAY and now < operation.deadline else None

    def opens_at(self, attempt: Attempt) -> float:
        """When a stream that can be read only once is to be opened, in seconds since the epoch."""
        return attempt.started_at + opening(self._latencies.get(attempt.provider, attempt.model))

    def done_by(self, attempt: Attempt) -> float:
        """When its job has ended, if it is not one of the slowest, in seconds since the epoch."""
        return attempt.started_at + done_by(self._latencies.get(attempt.provider, attempt.model))

    def _wait(self, operation: Operation, attempt: Attempt, shortest: float, run: str, price: float) -> float:
        now = self._clock.now()
        if attempt.state is AttemptState.READY:
            return max((now - attempt.ready_at) * RARER, shortest)
        if attempt.state is AttemptState.SUBMITTING or (attempt.lease_until > now and attempt.lease_run != run):
            return max(attempt.lease_until - now, shortest)
        if self._limits_of(attempt.provider).waits is Waits.HOLD:
            return max(self.opens_at(attempt) - now, shortest if attempt.overheard else 0.0)
        histogram = self._latencies.get(attempt.provider, attempt.model)
        elapsed, remaining = now - attempt.started_at, operation.deadline - now
        return next_look(histogram, elapsed, max(remaining, 0.0), price=price, shortest=shortest)

    def _soon(self, attempt: Attempt) -> bool:
        histogram = self._latencies.get(attempt.provider, attempt.model)
        expected = expected_remaining(histogram, self._clock.now() - attempt.started_at)
        return expected <= (_STAY_UNTAUGHT if histogram.count < _LESSONS else _STAY)


@dataclass(frozen=True, slots=True)
class Visit:
    """One invocation of a workflow's step."""

    run: str
    """The workflow execution's name; it holds the leases taken here."""
    ends_at: float
    """When the function is stopped, whatever it is doing, in seconds since the epoch."""
