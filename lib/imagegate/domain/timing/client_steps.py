"""When an operation that its waiting client drives needs its next step. Pure: times are seconds since the epoch.

The client's requests keep no state, so the times are a function of what is stored: each request finds the same ones.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.operation import Operation
from imagegate.domain.timing.latency import Histogram
from imagegate.domain.timing.schedule import next_poll_delay, stream_open_delay

POLL_PRICE = 1.0
"""Seconds of delay that one poll is worth. Without an execution it costs little, but the upstream is asked."""
REPEAT = 10.0
"""Seconds after which a step counts as lost that should have written something. Then twice, then four times as many:
perhaps it is only queued, because many functions start at once, and what is asked for again is queued as well."""
_OPENING = 3.0
"""Seconds after which a stream is opened again that could not be opened, or that its listener has let go."""


@dataclass(frozen=True, slots=True)
class StepTime:
    """When a step is due, and the polls of its job up to then."""

    at: float
    last_poll_at: float = 0.0
    poll_count: int = 0


@dataclass(frozen=True, slots=True)
class ClientSteps:
    """Plans by how long such jobs have taken."""

    histogram_of: Callable[[Attempt], Histogram]
    is_stream: Callable[[Attempt], bool]

    def next_after(self, operation: Operation, after: float) -> StepTime:
        """The first step of a running operation that is due later than `after`."""
        times = [self._of_attempt(operation, attempt, after) for attempt in operation.attempts if attempt.live]
        if not times:  # its first step has not run, or the one that submits again
            times = [StepTime(_repeated(operation.updated_at, REPEAT, after))]
        times.append(StepTime(_repeated(operation.deadline, REPEAT, after)))
        return min(times, key=lambda step: step.at)

    def _of_attempt(self, operation: Operation, attempt: Attempt, after: float) -> StepTime:
        if attempt.state is AttemptState.SUBMITTING or attempt.lease_until > after:
            return StepTime(_repeated(attempt.lease_until + 1, REPEAT, after))
        if attempt.state is AttemptState.READY:
            return StepTime(_repeated(attempt.ready_at, REPEAT, after))
        histogram = self.histogram_of(attempt)
        if self.is_stream(attempt):
            opening = attempt.started_at + stream_open_delay(histogram)
            return StepTime(_repeated(opening, _OPENING, after), attempt.started_at)
        last = attempt.started_at
        for count, at in enumerate(_polls(attempt.started_at, operation.deadline, histogram)):
            if at > after:
                return StepTime(at, last, count)
            last = at
        return StepTime(math.inf)


def _polls(started_at: float, deadline: float, histogram: Histogram) -> Iterator[float]:
    at = started_at
    while at <= deadline:
        at += next_poll_delay(histogram, at - started_at, deadline - at, price=POLL_PRICE)
        yield at


def _repeated(first: float, interval: float, after: float) -> float:
    """The first time later than `after` of: `first`, an interval later, two more later, and from then on every four."""
    for pause in (interval, 2 * interval):
        if first > after:
            return first
        first += pause
    pause = 4 * interval
    return first if first > after else first + (math.floor((after - first) / pause) + 1) * pause
