"""What holds of every operation at every moment, for every driver and whatever happens."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from imagegate.domain.operation.account import Account, Amount
from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.events import event_for
from imagegate.domain.operation.operation import TRANSITIONS, Operation, State
from imagegate.domain.timing.failover import RESUBMISSIONS
from support.moody import MoodyUpstream

History = Sequence[Operation]
"""Every version ever written of one operation, the first one first."""
_FINAL = (AttemptState.DONE, AttemptState.FAILED)


def hold(history: History, objects: Mapping[str, bytes], upstreams: Iterable[MoodyUpstream]) -> None:
    """All of them; `objects` is what is in S3."""
    versions_only_grow(history)
    states_move_along_the_table(history)
    a_slot_has_one_live_attempt_at_most(history)
    attempts_stay_on_record(history)
    unknown_submissions_are_repeated_once_at_most(history[-1])
    pictures_stay_as_they_are(history, objects)
    success_means_every_picture(history[-1])
    every_submission_is_on_record(history[-1], upstreams)
    every_submission_is_made_from_the_same_words(history, upstreams)
    every_state_reached_is_announced_once(history)


def books_hold_what_operations_use(
    histories: Iterable[History], usage_ledger: Mapping[tuple[str, str], Amount], prices: Mapping[str, int]
) -> None:
    """Nothing is left over, forgotten or counted twice, whatever died in between.

    Computed from what every operation looked like at the end of each of its runs (a retry begins the next one).
    """
    expected: Counter[tuple[str, str, str]] = Counter()
    for history in histories:
        for last in _last_of_each_run(history):
            if last.account:
                for (day, what), amount in _use(last, last.account, prices).items():
                    expected[last.account.key, day, what] += amount
    assert +expected == +Counter(
        {
            (key, day, what): getattr(amount, what)
            for (key, day), amount in usage_ledger.items()
            for what in ("running", "pictures", "micro_dollars")
        }
    )
    assert all(min(amount.running, amount.pictures, amount.micro_dollars) >= 0 for amount in usage_ledger.values())


def _last_of_each_run(history: History) -> list[Operation]:
    """The versions right before a retry, and the last one."""
    return [before for before, after in pairwise(history) if before.done and not after.done] + [*history[-1:]]


def _use(last: Operation, account: Account, prices: Mapping[str, int]) -> dict[tuple[str, str], int]:
    day = account.day
    paid = [attempt for attempt in last.attempts[last.retried_after :] if attempt.live or attempt.may_have_cost]
    if last.state in (State.QUEUED, State.RUNNING):
        reserved = max(prices.values())
        tries = [
            sum(prices[attempt.provider] for attempt in paid if slot in attempt.slots) for slot in range(last.request.n)
        ]
        most = account.pictures * reserved + sum(max(0, spent - reserved) for spent in tries)
        running = int(account.counts_running)
        return {("running", "running"): running, (day, "pictures"): account.pictures, (day, "micro_dollars"): most}
    money = sum(prices[attempt.provider] * len(attempt.slots) for attempt in paid)
    return {(day, "pictures"): len({slot for attempt in paid for slot in attempt.slots}), (day, "micro_dollars"): money}


def versions_only_grow(history: History) -> None:
    assert [operation.version for operation in history] == list(range(1, len(history) + 1))


def states_move_along_the_table(history: History) -> None:
    for before, after in pairwise(history):
        assert after.state is before.state or after.state in TRANSITIONS[before.state]


def a_slot_has_one_live_attempt_at_most(history: History) -> None:
    for operation in history:
        slots = Counter(slot for attempt in operation.attempts if attempt.live for slot in attempt.slots)
        assert max(slots.values(), default=0) <= 1, operation.attempts


def attempts_stay_on_record(history: History) -> None:
    """None disappears, none turns into another, and how it ended stays (but for a throttled one's next visit)."""
    for before, after in pairwise(history):
        then = {attempt.number: attempt for attempt in after.attempts}
        for attempt in before.attempts:
            assert _continues(attempt, then[attempt.number]), (attempt, then)


def _continues(before: Attempt, after: Attempt) -> bool:
    if (before.provider, before.slots) != (after.provider, after.slots):
        return False
    again = after.repeats > before.repeats
    found = after.state is AttemptState.DONE  # another run's fetch failed, this one's did not
    return before.state not in _FINAL or after.state is before.state or again or found


def unknown_submissions_are_repeated_once_at_most(operation: Operation) -> None:
    for slot in range(operation.request.n):
        tried = [attempt for attempt in operation.counted_attempts if slot in attempt.slots]
        assert sum(attempt.state is AttemptState.UNKNOWN for attempt in tried) <= 1 + RESUBMISSIONS


def pictures_stay_as_they_are(history: History, objects: Mapping[str, bytes]) -> None:
    for before, after in pairwise(history):
        assert set(before.pictures) <= set(after.pictures)
    for kept in history[-1].pictures:
        assert hashlib.sha256(objects[kept.key]).hexdigest() == kept.sha256


def success_means_every_picture(operation: Operation) -> None:
    if operation.state is State.SUCCEEDED:
        assert [picture.slot for picture in operation.pictures] == list(range(operation.request.n))


def every_submission_is_on_record(operation: Operation, upstreams: Iterable[MoodyUpstream]) -> None:
    """A second one is never silent: each has an attempt, or is one of its repeats while it was throttled."""
    for upstream in upstreams:
        visits = sum(1 + attempt.repeats for attempt in operation.attempts if attempt.provider == upstream.name)
        assert upstream.arrived <= visits, operation.attempts


def every_submission_is_made_from_the_same_words(history: History, upstreams: Iterable[MoodyUpstream]) -> None:
    """Those that were written down first, however often and by whom the prompt was expanded."""
    decided = [
        (operation.revised_prompt, operation.not_expanded)
        for operation in history
        if operation.revised_prompt or operation.not_expanded
    ]
    assert len(set(decided)) <= 1
    [text] = {revised or "a cat" for revised, _ in decided} or {"a cat"}
    assert {message for upstream in upstreams for message in upstream.words} <= {text}
    assert decided or not history[-1].request.expand or not history[-1].attempts


def every_state_reached_is_announced_once(history: History) -> None:
    """With an id that is the version's; a late picture is told as well."""
    events = [event_for(old, new) for old, new in pairwise((None, *history))]
    reported = {event.operation.version: event for event in events if event}
    assert len({event.id for event in reported.values()}) == len([event for event in events if event])
    reached = {1} | {new.version for old, new in pairwise(history) if new.state is not old.state}
    assert reached <= set(reported)
    assert all(version in reached or event.operation.late_pictures for version, event in reported.items())
