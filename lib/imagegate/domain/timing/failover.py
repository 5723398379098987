"""Which provider comes next, and when. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imagegate.domain.errors import Failure, FailureCode
from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.request.route import Route, Target

TRIES = 2
"""Failures after which a provider has had its turns."""
RESUBMISSIONS = 1
"""Submissions of unknown outcome that are repeated, though they may be paid for twice."""
_THROTTLED = {FailureCode.RATE_LIMITED, FailureCode.CAPACITY}
_HOPELESS = {FailureCode.AUTH, FailureCode.NO_CREDIT, FailureCode.NOT_FOUND}
_FIRST_BACKOFF = 5.0
_LONGEST_BACKOFF = 300.0
_GROWTH = 1.1
"""Of the least rest, in seconds, with each time that a provider which says when to come back has turned us away."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A provider to try, not before `at` (seconds since the epoch)."""

    target: Target
    at: float


def choose(route: Route, attempts: Sequence[Attempt], closed_until: Mapping[str, float], now: float) -> Choice | None:
    """The next try for a slot that has had `attempts`; `None` when every provider has had its turns.

    `closed_until`: providers that are being spared, and until when (their circuit is open).
    A throttled provider loses no turn: it is waited for, unless another can be asked sooner. One that can recover a
    submission of unknown outcome comes first, if it may be asked now.
    """
    if sum(attempt.state is AttemptState.UNKNOWN for attempt in attempts) > RESUBMISSIONS:
        return None
    best: tuple[float, int, Choice] | None = None
    for target in route.targets:
        tried = [attempt for attempt in attempts if attempt.provider == target.provider]
        failures = [attempt for attempt in tried if not _throttled(attempt)]
        if len(failures) >= TRIES or any(map(_hopeless, failures)):
            continue
        at = max(now, closed_until.get(target.provider, 0), *map(_free_again, tried))
        turns = -1 if target.limits.recovers_submissions and _is_lost(tried) else len(failures)
        if best is None or (at, turns) < best[:2]:
            best = (at, turns, Choice(target, at))
    return best[2] if best else None


def last_throttled(attempts: Sequence[Attempt], provider: str) -> Attempt | None:
    """The provider's last attempt if it was throttled: the next one takes its place on the record."""
    tried = [attempt for attempt in attempts if attempt.provider == provider]
    return tried[-1] if tried and _throttled(tried[-1]) else None


def last_failure(attempts: Sequence[Attempt]) -> Failure:
    """Why a slot got no picture: what the providers said last, rather than that one has no key."""
    reasons = [attempt.failure for attempt in attempts if attempt.failure]
    telling = [reason for reason in reasons if reason.code not in _HOPELESS] or reasons
    return telling[-1]


def _throttled(attempt: Attempt) -> bool:
    """True when it was turned away, so that nothing was made and nothing is lost by asking again."""
    return attempt.failure is not None and attempt.failure.code in _THROTTLED and not attempt.ready_at


def _is_lost(tried: Sequence[Attempt]) -> bool:
    """True when the provider may have a job of which it is not known."""
    return bool(tried) and tried[-1].state is AttemptState.UNKNOWN


def _hopeless(attempt: Attempt) -> bool:
    return attempt.failure is not None and attempt.failure.code in _HOPELESS


def _free_again(attempt: Attempt) -> float:
    """When a throttled attempt's provider may be asked again."""
    if not _throttled(attempt) or attempt.failure is None:
        return 0.0
    message, repeats = attempt.failure.retry_after, min(attempt.repeats, 100)
    # It grows in either case: a round of submissions may itself take longer than the pace that providers name.
    backoff = _GROWTH**repeats if message else _FIRST_BACKOFF * 2**repeats
    return (attempt.ended_at or 0.0) + max(message or 0.0, min(backoff, _LONGEST_BACKOFF))
