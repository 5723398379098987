"""What the workflow does next, and when. The state machine's `Settled?` reads the Step."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.operation import Operation
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.domain.timing.schedule import (
    POLL_PRICE,
    expected_remaining,
    likely_done_after,
    next_poll_delay,
    stream_open_delay,
)
from imagegate.ports.runtime import Clock
from imagegate.ports.storage import Latencies

ROUNDING = 0.5
"""The workflow waits whole seconds, so it may come that much too early."""
_MIN_WAIT = 1
"""Seconds; Step Functions waits for whole ones."""
MIN_WAIT_SHARE = 1 / 10
"""Share of its age for which what nobody takes, opens or hands out is left alone at least: in a day, at whatever pace
its providers name, it makes (1 + log(86,400 * share)) / share rounds, of 44 events with four providers: below 5,000."""
_INLINE_LIMIT = 12.0
"""Seconds for which a function of 512 MB costs what leaving it does: three transitions ($0.000075), one more start."""
_INLINE_LIMIT_UNTRAINED = 5.0
"""Seconds, while what is expected is a guess."""
_TRAINED_COUNT = 10
"""Jobs that have been watched until it is not."""
_MIN_INLINE_WAIT = 0.3
_INLINE_POLL_PRICE = 0.1
"""Seconds of delay that one more look is worth while a function stays: a read, and the upstream's patience."""


PollNotBefore = Mapping[int, float]
"""Numbers of attempts, and before when (seconds since the epoch) their upstreams do not want to be asked for them."""
POLL_ANY_TIME: PollNotBefore = {}


@dataclass(frozen=True, slots=True)
class Step:
    """What a task function hands to the workflow, and the workflow to `Poll`."""

    operation_id: str
    next: Literal["expand", "submit", "wait", "done"]
    wait: int = field(default=0, kw_only=True)
    """Seconds to wait before `Poll`, when `next` is `wait`."""
    last_poll_at: float = field(default=0.0, kw_only=True)
    """Time of the last poll, in seconds since the epoch."""
    poll_count: int = field(default=0, kw_only=True)
    """Invocations of `Poll` so far. Counted here, which takes no write."""
    submit_not_before: float = field(default=0.0, kw_only=True)
    """Time before which the missing slots cannot be submitted, in seconds since the epoch."""

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Self:
        """The step in the workflow's payload. Executions begun before an update may lack the later keys."""
        return cls(
            event["id"],
            event.get("next", "wait"),
            wait=event.get("wait", 0),
            last_poll_at=event.get("looked_at", 0.0),
            poll_count=event.get("looks", 0),
            submit_not_before=event.get("again_at", 0.0),
        )

    def payload(self) -> dict[str, Any]:
        """The workflow's payload; running executions hold these keys, so their names do not change."""
        return {
            "id": self.operation_id,
            "next": self.next,
            "wait": self.wait,
            "looked_at": self.last_poll_at,
            "looks": self.poll_count,
            "again_at": self.submit_not_before,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Decides from what is written down and from how long such jobs have taken."""

    latencies: Latencies
    limits_of: Callable[[str], Limits]
    clock: Clock

    def next_step(
        self,
        operation: Operation,
        execution: str = "",
        poll_not_before: PollNotBefore = POLL_ANY_TIME,
        submit_not_before: float = 0.0,
    ) -> Step:
        """The next step of a running operation.

        `run`: the workflow execution that takes the step; it need not wait for its own leases. `not_before`: seconds
        since the epoch before which nobody can be asked for the missing slots.
        """
        now = self.clock.now()
        if operation.done:
            return Step(operation.id, "done")
        if operation.missing_slots and submit_not_before <= now:
            return Step(operation.id, "submit")
        waits = [max(operation.deadline - now, _MIN_WAIT)]
        if any(attempt.live for attempt in operation.attempts):
            waits.append(self.delay(operation, execution, poll_not_before))
        again = (
            max(submit_not_before - now, (now - operation.waiting_since) * MIN_WAIT_SHARE)
            if operation.missing_slots
            else math.inf
        )
        waits.append(again)
        submit_not_before = now + again if operation.missing_slots else 0.0
        seconds = max(_MIN_WAIT, round(min(waits)))
        return Step(operation.id, "wait", wait=seconds, last_poll_at=now, submit_not_before=submit_not_before)

    def delay(
        self,
        operation: Operation,
        execution: str = "",
        poll_not_before: PollNotBefore = POLL_ANY_TIME,
        shortest: float = _MIN_WAIT,
        price: float = POLL_PRICE,
    ) -> float:
        """Seconds until the first of the operation's jobs is worth a look that costs `price`.

        At least `shortest`, unless it is a stream that nobody has opened yet.
        """
        now = self.clock.now()
        waits = [
            max(
                self._delay(operation, attempt, shortest, execution, price),
                poll_not_before.get(attempt.number, 0.0) - now,
            )
            for attempt in operation.attempts
            if attempt.live
        ]
        return min(waits, default=shortest)

    def inline_delay(self, operation: Operation, execution: str, poll_not_before: PollNotBefore) -> float | None:
        """Seconds to sleep here before the next look; `None` when leaving is cheaper, as the jobs take longer."""
        now = self.clock.now()
        wait = self.delay(operation, execution, poll_not_before, _MIN_INLINE_WAIT, _INLINE_POLL_PRICE)
        soon = all(self._ends_soon(attempt) for attempt in operation.attempts if attempt.live)
        return wait if soon and wait <= _INLINE_LIMIT and now < operation.deadline else None

    def stream_opens_at(self, attempt: Attempt) -> float:
        """When a stream that can be read only once is to be opened, in seconds since the epoch."""
        return attempt.started_at + stream_open_delay(self.latencies.get(attempt.provider, attempt.model))

    def likely_done_at(self, attempt: Attempt) -> float:
        """When its job has ended, if it is not one of the slowest, in seconds since the epoch."""
        return attempt.started_at + likely_done_after(self.latencies.get(attempt.provider, attempt.model))

    def _delay(self, operation: Operation, attempt: Attempt, shortest: float, execution: str, price: float) -> float:
        now = self.clock.now()
        if attempt.state is AttemptState.READY:
            return max((now - attempt.ready_at) * MIN_WAIT_SHARE, shortest)
        if attempt.state is AttemptState.SUBMITTING or (attempt.lease_until > now and attempt.lease_run != execution):
            return max(attempt.lease_until - now, shortest)
        if self.limits_of(attempt.provider).completion is CompletionMode.STREAM:
            return max(self.stream_opens_at(attempt) - now, shortest if attempt.stream_already_read else 0.0)
        histogram = self.latencies.get(attempt.provider, attempt.model)
        elapsed, remaining = now - attempt.started_at, operation.deadline - now
        return next_poll_delay(histogram, elapsed, max(remaining, 0.0), price=price, shortest=shortest)

    def _ends_soon(self, attempt: Attempt) -> bool:
        histogram = self.latencies.get(attempt.provider, attempt.model)
        expected = expected_remaining(histogram, self.clock.now() - attempt.started_at)
        return expected <= (_INLINE_LIMIT_UNTRAINED if histogram.count < _TRAINED_COUNT else _INLINE_LIMIT)


@dataclass(frozen=True, slots=True)
class Invocation:
    """One invocation of a workflow's step."""

    execution: str
    """The workflow execution's name; it holds the leases taken here."""
    ends_at: float
    """When the function is stopped, whatever it is doing, in seconds since the epoch."""
