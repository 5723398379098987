"""Decide what the workflow does next, and when. The state machine's `Settled?` reads the Step."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.outcome import PollHistory
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.domain.timing.client_steps import ClientSteps
from imagegate.domain.timing.schedule import (
    FIRST_POLL,
    POLL_PRICE,
    expected_remaining,
    is_guess,
    likely_done_after,
    next_poll_delay,
    stream_open_delay,
)
from imagegate.ports.runtime import Clock
from imagegate.ports.storage import Latencies

ROUNDING = 0.5
"""Seconds by which the workflow may be early, because it waits for whole seconds."""
_MIN_WAIT = 1
"""Seconds; Step Functions waits for whole seconds."""
MIN_WAIT_SHARE = 1 / 10
"""Minimum wait, as a share of the operation's age, when its providers are throttled, its stream cannot be opened or
its picture cannot be fetched. In a day that makes (1 + log(86,400 * share)) / share rounds of at most 44 events with
four providers, so the history stays below 5,000 events."""
INLINE_LIMIT = 12.0
"""Seconds in which a function of 512 MB costs as much as returning to the workflow: three transitions ($0.000075) and
one invocation."""
DIRECT_INLINE_LIMIT = 5.0
"""Seconds, in a step without an execution: its client has the next one taken, at a hundredth of the price."""
_INLINE_LIMIT_UNTRAINED = 5.0
"""Seconds, while the expected duration is a guess."""
_MIN_INLINE_WAIT = 0.3
HOOKED_PRICE = 10.0
"""Factor of a poll's price when the upstream will say that the job has ended: polls only make up for lost hints."""
_INLINE_POLL_PRICE = 0.1
"""Seconds of detection delay that one inline poll is worth: it costs a read and a request to the upstream."""


PollNotBefore = Mapping[int, float]
"""The earliest time of the next poll, in seconds since the epoch, by attempt number."""
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
    """Decides from the stored operation and from how long such jobs have taken."""

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

        `execution`: the workflow execution that takes the step; it need not wait for its own leases.
        `submit_not_before`: time before which no provider accepts the missing slots, in seconds since the epoch.
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
        """Seconds until the first of the operation's jobs is worth a poll that costs `price`.

        At least `shortest`, unless the job is a stream that has not been opened yet.
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

    def inline_delay(
        self,
        operation: Operation,
        execution: str,
        poll_not_before: PollNotBefore,
        *,
        polled: bool = True,
        limit: float = INLINE_LIMIT,
    ) -> float | None:
        """Seconds to sleep before the next inline poll; `None` when returning to the workflow is cheaper.

        `polled`: false right after a submission. A job whose duration is a guess then gets one early poll.
        `limit`: seconds from which returning is cheaper.
        """
        now = self.clock.now()
        if not polled and any(map(self._ends_any_time, operation.attempts)):
            return FIRST_POLL if limit > FIRST_POLL else None
        wait = self.delay(operation, execution, poll_not_before, _MIN_INLINE_WAIT, _INLINE_POLL_PRICE)
        soon = all(self._ends_soon(attempt, limit) for attempt in operation.attempts if attempt.live)
        return wait if soon and wait < limit and now < operation.deadline else None

    def client_step_delay(self, operation: Operation) -> float:
        """Seconds until the operation's client has the next step taken; at most DIRECT_INLINE_LIMIT."""
        now = self.clock.now()
        steps = ClientSteps(
            lambda attempt: self.latencies.get(attempt.provider, attempt.model),
            lambda attempt: self.limits_of(attempt.provider_key).completion is CompletionMode.STREAM,
        )
        return min(steps.next_after(operation, now).at - now, DIRECT_INLINE_LIMIT)

    def lasts(self, attempt: Attempt) -> bool:
        """Whether the attempt's job is expected to last longer than it is polled inline."""
        return not self._ends_soon(attempt)

    def stream_opens_at(self, attempt: Attempt) -> float:
        """The time to open a stream that can be read only once, in seconds since the epoch."""
        return attempt.started_at + stream_open_delay(self.latencies.get(attempt.provider, attempt.model))

    def likely_done_at(self, attempt: Attempt) -> float:
        """The time by which nearly every such job has ended, in seconds since the epoch."""
        return attempt.started_at + likely_done_after(self.latencies.get(attempt.provider, attempt.model))

    def _delay(self, operation: Operation, attempt: Attempt, shortest: float, execution: str, price: float) -> float:
        now = self.clock.now()
        if attempt.state is AttemptState.SUBMITTING or (attempt.lease_until > now and attempt.lease_run != execution):
            return max(attempt.lease_until - now, shortest)
        if attempt.state is AttemptState.READY:
            return max((now - attempt.ready_at) * MIN_WAIT_SHARE, shortest)
        if self.limits_of(attempt.provider_key).completion is CompletionMode.STREAM:
            return max(self.stream_opens_at(attempt) - now, shortest if attempt.stream_already_read else 0.0)
        histogram = self.latencies.get(attempt.provider, attempt.model)
        elapsed, remaining = now - attempt.started_at, operation.deadline - now
        price *= HOOKED_PRICE if attempt.hook_digest else 1.0
        return next_poll_delay(histogram, elapsed, max(remaining, 0.0), price=price, shortest=shortest)

    def _ends_any_time(self, attempt: Attempt) -> bool:
        submitted = attempt.state is AttemptState.SUBMITTED
        return submitted and is_guess(self.latencies.get(attempt.provider, attempt.model))

    def _ends_soon(self, attempt: Attempt, limit: float = INLINE_LIMIT) -> bool:
        histogram = self.latencies.get(attempt.provider, attempt.model)
        expected = expected_remaining(histogram, self.clock.now() - attempt.started_at)
        return expected <= (min(limit, _INLINE_LIMIT_UNTRAINED) if is_guess(histogram) else limit)


@dataclass(frozen=True, slots=True)
class Invocation:
    """One invocation of a workflow's step."""

    execution: str
    """The name of the workflow execution, which owns the leases taken in this invocation."""
    ends_at: float
    """When Lambda stops the function, in seconds since the epoch."""
    direct: PollHistory | None = None
    """The polls so far, of a step without an execution: `execution` is then the name of this invocation alone."""
