"""Which provider comes next. Pure."""

from collections import Counter

from imagegate.domain.operation import Attempt, AttemptState
from imagegate.domain.route import Route, Target

TRIES_PER_TARGET = 2


def next_target(route: Route, attempts: tuple[Attempt, ...]) -> Target | None:
    """The target tried least so far, in the route's order; `None` when all are used up."""
    used = (AttemptState.FAILED, AttemptState.UNKNOWN)
    failures = Counter(attempt.provider for attempt in attempts if attempt.state in used)
    target = min(route.targets, key=lambda one: failures[one.provider])
    return target if failures[target.provider] < TRIES_PER_TARGET else None
