"""Requests a minute as a token bucket that one number describes (the generic cell rate algorithm). Pure.

The bucket holds a minute's requests and fills steadily. The number is `full_at`: the moment at which it is full
again without further requests. All moments are whole microseconds since the epoch, so that the table can add exactly.
"""

from dataclasses import dataclass

MICROSECONDS = 1_000_000
_WINDOW = 60 * MICROSECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """The remaining requests of a key after one more."""

    limit: int
    """Requests a minute."""
    remaining: int
    """How many more would be granted at once."""
    full_after: float
    """Seconds after which all of them would."""
    retry_after: float | None = None
    """Seconds until the next one; `None` when this one was granted."""


def interval(per_minute: int) -> int:
    """How far one request moves `full_at`."""
    return _WINDOW // per_minute


def latest_full_at(per_minute: int, now: int, cost: int = 1) -> int:
    """The `full_at` at which the bucket still has `cost` requests."""
    return now + _WINDOW - cost * interval(per_minute)


def grant(per_minute: int, full_at: int, now: int) -> Allowance:
    """A request was taken, which left the bucket full at `full_at`."""
    left = max(0, _WINDOW - (full_at - now))
    return Allowance(
        limit=per_minute, remaining=left // interval(per_minute), full_after=(full_at - now) / MICROSECONDS
    )


def refuse(per_minute: int, full_at: int, now: int, cost: int = 1) -> Allowance:
    """There were no `cost` requests to take."""
    wait = full_at - latest_full_at(per_minute, now, cost)
    return Allowance(
        limit=per_minute,
        remaining=0,
        full_after=(full_at - now) / MICROSECONDS,
        retry_after=max(0, wait) / MICROSECONDS,
    )
