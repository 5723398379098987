"""Which provider comes next, and when. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.request.route import Route, Target

TRIES = 2
"""Failures after which a provider is not tried again."""
RESUBMISSIONS = 1
"""Submissions of unknown outcome that are repeated, though they may be paid for twice. Free ones are repeated until
the operation's deadline."""
_THROTTLED = {FailureCode.RATE_LIMITED, FailureCode.CAPACITY}
_HOPELESS = {FailureCode.AUTH, FailureCode.NO_CREDIT, FailureCode.NOT_FOUND}
_FIRST_BACKOFF = 5.0
_LONGEST_BACKOFF = 300.0
_GROWTH = 1.1
"""Factor by which the minimum pause grows each time that a provider with a retry time throttles the attempt."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A provider to try, not before `at` (seconds since the epoch)."""

    target: Target
    at: float


def choose(route: Route, attempts: Sequence[Attempt], closed_until: Mapping[str, float], now: float) -> Choice | None:
    """The next attempt for a slot that has had `attempts`; `None` when no provider is left.

    `closed_until`: providers whose circuit is open, and until when. Throttling does not count as a failure: the
    provider is tried again later, unless another is available sooner. A provider that recovers a submission of unknown
    outcome comes first, if it is available now.
    """
    free = {target.provider for target in route.targets if target.is_free}
    risked = sum(attempt.state is AttemptState.UNKNOWN and attempt.provider not in free for attempt in attempts)
    best: tuple[float, int, Choice] | None = None
    for target in route.targets:
        tried = [attempt for attempt in attempts if attempt.provider == target.provider]
        failures = [attempt for attempt in tried if not _throttled(attempt)]
        lost = [attempt for attempt in failures if target.is_free and attempt.state is AttemptState.UNKNOWN]
        if len(failures) - len(lost) >= TRIES or any(map(_hopeless, failures)):
            continue
        if risked > RESUBMISSIONS and not target.is_free:
            continue
        at = max(now, closed_until.get(target.provider, 0), *map(_free_again, tried), _lost_retry_at(lost))
        turns = -1 if target.limits.recovers_submissions and _is_lost(tried) else len(failures)
        if best is None or (at, turns) < best[:2]:
            best = (at, turns, Choice(target, at))
    return best[2] if best else None


def pause_beyond(attempts: Sequence[Attempt], deadline: float) -> Failure | None:
    """The refusal of a provider that has named a pause which lasts until the deadline or longer; `None` for none."""
    lasting = [attempt.failure for attempt in attempts if _free_again(attempt) >= deadline]
    return next((failure for failure in reversed(lasting) if failure and failure.retry_after), None)


def last_throttled(attempts: Sequence[Attempt], provider: str) -> Attempt | None:
    """The provider's last attempt if it was throttled; the next one replaces it."""
    tried = [attempt for attempt in attempts if attempt.provider == provider]
    return tried[-1] if tried and _throttled(tried[-1]) else None


def last_failure(attempts: Sequence[Attempt]) -> Failure:
    """Why a slot has no picture: the last failure, preferably not that of a provider without a key."""
    reasons = [attempt.failure for attempt in attempts if attempt.failure]
    specific = [reason for reason in reasons if reason.code not in _HOPELESS] or reasons
    return specific[-1]


def _throttled(attempt: Attempt) -> bool:
    """True when the upstream refused it for capacity, so that nothing was made or charged."""
    return attempt.failure is not None and attempt.failure.code in _THROTTLED and not attempt.ready_at


def _is_lost(tried: Sequence[Attempt]) -> bool:
    """True when the provider may have a job of which it is not known."""
    return bool(tried) and tried[-1].state is AttemptState.UNKNOWN


def _lost_retry_at(lost: Sequence[Attempt]) -> float:
    """When a free submission may be repeated after `lost`: the first time at once, later with a growing pause."""
    if len(lost) < 2:
        return 0.0
    pause = min(_FIRST_BACKOFF * 2.0 ** min(len(lost) - 2, 100), _LONGEST_BACKOFF)
    return max(attempt.ended_at or 0.0 for attempt in lost) + pause


def _hopeless(attempt: Attempt) -> bool:
    return attempt.failure is not None and attempt.failure.code in _HOPELESS


def _free_again(attempt: Attempt) -> float:
    """When a throttled attempt may be submitted again."""
    if not _throttled(attempt) or attempt.failure is None:
        return 0.0
    message, repeats = attempt.failure.retry_after, min(attempt.repeats, 100)
    # It grows in either case, because a round of submissions may take longer than the retry times of providers.
    backoff = _GROWTH**repeats if message else _FIRST_BACKOFF * 2**repeats
    return (attempt.ended_at or 0.0) + max(message or 0.0, min(backoff, _LONGEST_BACKOFF))
