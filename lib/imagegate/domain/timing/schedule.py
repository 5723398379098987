"""When to poll a job next, and what callers are told about the wait. Pure: times are numbers (seconds)."""

import math
from dataclasses import dataclass

from imagegate.domain.timing.latency import Curves, Histogram

SHORTEST_WAIT = 1.0
LONGEST_WAIT = 300.0
"""Seconds; also when an upstream requests a longer pause."""

POLL_PRICE = 3.0
"""Seconds of delay that one poll is worth.

A look costs about $0.00008: three state transitions ($0.000075), a short invocation, a read. So 3 says that a picture a
second earlier is worth $0.000027, 10 cents for an hour. Both sides go with the square root: where looks are many, four
times the price is half the looks and twice the delay.
"""

FIRST_POLL = 0.5
"""Seconds after which a job is polled for the first time while its expected duration is a guess."""
_TRAINED_COUNT = 10
"""Observed jobs after which the expected duration is no longer a guess."""
_TRUSTED_COUNT = 120.0  # observations from which a histogram is trusted; before that polls also teach, and cost less
_UNTRUSTED_PRICE = 0.1
_FIRST_SHARE = 0.05
_OPENING_SHARE = 0.2
"""A second of listening costs a function of 512 MB $0.0000067, a quarter of what a second of delay is worth."""
_NEARLY_ALL = 0.9
_LONGEST_RETRY_AFTER = 59  # clients of the OpenAI family take no notice of 60 and more

_LONGEST_OPERATION = 86_400.0
_MAX_POLLS = 520  # fit into a workflow's history (5,000 events, 9 a poll), with rounded waits and other steps


@dataclass(frozen=True, slots=True)
class Outlook:
    """What waiting callers are told."""

    retry_after: int
    """Whole seconds after which asking again is worth it: 1 … 59."""
    ready_at: float
    """When the picture is as likely there as not, in seconds since the epoch."""


def outlook(histogram: Histogram, started_at: float, now: float) -> Outlook:
    """The outlook at `now` for a job that began at `started_at` (both seconds since the epoch)."""
    elapsed = now - started_at
    return Outlook(retry_after(histogram, elapsed), now + expected_remaining(histogram, elapsed))


def next_poll_delay(
    histogram: Histogram,
    elapsed: float,
    deadline_in: float,
    *,
    price: float = POLL_PRICE,
    shortest: float = SHORTEST_WAIT,
) -> float:
    """Seconds to wait before the next poll: `shortest` … LONGEST_WAIT, the last one right at the deadline.

    `elapsed` seconds after its start the job was not finished; `deadline_in` seconds from now it is no longer wanted.
    The wait makes E[delay] + price * E[polls] about as small as it can be. The workflow waits whole seconds: round it.
    """
    elapsed, deadline_in = max(elapsed, 0.0), max(deadline_in, shortest)
    latest = min(LONGEST_WAIT, deadline_in)
    earliest = min(max(shortest, _shortest_wait_for_history(elapsed, elapsed + deadline_in)), latest)
    trust = min(max(histogram.count / _TRUSTED_COUNT, _UNTRUSTED_PRICE), 1.0)
    wait = _cheapest_wait(histogram.curves, elapsed, earliest, latest, price * trust)
    if wait <= deadline_in - shortest:
        return wait
    return deadline_in if deadline_in <= LONGEST_WAIT else deadline_in - shortest


def is_guess(histogram: Histogram) -> bool:
    """True while too few jobs have been observed, so that the duration is what the provider's author expected."""
    return histogram.count < _TRAINED_COUNT


def first_poll_delay(histogram: Histogram) -> float:
    """Seconds before which hardly any job has ever been ready; at most FIRST_POLL while that is a guess."""
    return _known_delay(histogram, _FIRST_SHARE)


def stream_open_delay(histogram: Histogram) -> float:
    """Seconds before which a stream that is listened to until its end is not worth opening."""
    return _known_delay(histogram, _OPENING_SHARE)


def likely_done_after(histogram: Histogram) -> float:
    """Seconds by which nearly every job has ended."""
    return histogram.quantile(_NEARLY_ALL)


def expected_remaining(histogram: Histogram, elapsed: float) -> float:
    """Seconds from now until the picture is as likely there as not: `estimated_ready_at`."""
    return histogram.remaining_quantile(max(elapsed, 0.0), 0.5)


def retry_after(histogram: Histogram, elapsed: float) -> int:
    """What to put in a client's `Retry-After`: 1 … 59 seconds."""
    return min(max(math.ceil(expected_remaining(histogram, elapsed)), 1), _LONGEST_RETRY_AFTER)


def _known_delay(histogram: Histogram, share: float) -> float:
    """Seconds after which `share` of the jobs are done. A guess delays nothing by more than FIRST_POLL."""
    delay = histogram.quantile(share)
    return min(delay, FIRST_POLL) if is_guess(histogram) else delay


def _shortest_wait_for_history(elapsed: float, total: float) -> float:
    """The shortest wait, in seconds, that does not overrun the workflow's history in `total` seconds.

    Waiting a fixed share of the age, but 1 s at first and LONGEST_WAIT at last, takes
    (1 + log(total * share)) / share polls, and one more for each LONGEST_WAIT. Solved for the share, from above.
    """
    total, share = min(total, _LONGEST_OPERATION), 1 / 40
    for _ in range(4):
        capped = max(total / LONGEST_WAIT - 1 / share, 0.0)
        share = (1 + math.log(min(max(total * share, 1.0), LONGEST_WAIT))) / (_MAX_POLLS - capped)
    return elapsed * share


def _cheapest_wait(curves: Curves, elapsed: float, earliest: float, latest: float, price: float) -> float:
    """The wait with the least cost of delay and polls together.

    After the next poll, polling is assumed at the optimal density, sqrt(hazard / (2 * price)):
    it costs sqrt(2 * price) * effort + price * survival / 2. Within an interval of constant density the sum is convex
    and least where sqrt(survival) has fallen by sqrt(price * density / 2), so one candidate an interval is enough.
    """
    alive, waited, _ = curves.at(curves.bucket(elapsed), elapsed)
    start, stop = elapsed + earliest, elapsed + latest
    watching = math.sqrt(2 * price)

    def ideal(bucket: int) -> float:
        density = curves.density[bucket]
        target = max(math.sqrt(alive) - watching / 2 * math.sqrt(density), 0.0) ** 2
        moment = curves.edges[bucket] + (curves.survival[bucket] - target) / density
        return min(max(moment, start, curves.edges[bucket]), stop, curves.edges[bucket + 1])

    def cost(bucket: int, moment: float) -> float:
        still, waited_then, effort = curves.at(bucket, moment)
        delay = alive * (moment - elapsed) - (waited_then - waited)
        return delay + watching * effort + price / 2 * still

    candidates = [(bucket, ideal(bucket)) for bucket in range(curves.bucket(start), curves.bucket(stop) + 1)]
    _, moment = min(candidates, key=lambda candidate: cost(*candidate))
    return min(max(moment - elapsed, earliest), latest)
