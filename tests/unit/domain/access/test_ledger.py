"""What operations are charged, and the words in which a key is told that it has used its limits."""

from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.access.api_key import ApiKey, KeyLimits, issue
from imagegate.domain.access.ledger import Reservation, charge, day_of, end_of_day, limit_error, open_account, reserve
from imagegate.domain.errors import Forbidden, QuotaExhausted, RateLimited
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.account import Account, Amount
from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.request.request import ImageRequest
from support.fakes import routes

NOON = 1_800_014_400.0
ACCOUNT = Account(key="k", day="2027-01-15", pictures=3, dearest=3000, counts_running=True)


def key(**limits: int) -> ApiKey:
    return issue("test", NOON, limits=KeyLimits(**limits))[0]


def operation(state: State = State.RUNNING, *attempts: Attempt, **changes: Any) -> Operation:
    request = ImageRequest(model="flux", messages=(), n=3)
    return Operation(
        id="0" * 20,
        owner="me",
        dialect="",
        request=request,
        created_at=NOON,
        deadline=NOON,
        due_at=NOON,
        state=state,
        attempts=attempts,
        account=ACCOUNT,
        **changes,
    )


def attempt(number: int, state: AttemptState, *slots: int, code: FailureCode | None = None, **changes: Any) -> Attempt:
    failure = Failure(code, "x") if code else None
    price = 2000 * len(slots)
    return Attempt(
        number=number,
        provider="alpha",
        model="m",
        slots=slots,
        state=state,
        started_at=NOON,
        failure=failure,
        micro_dollars=price,
        **changes,
    )


DONE, FAILED, SUBMITTED = AttemptState.DONE, AttemptState.FAILED, AttemptState.SUBMITTED


def test_days_are_utcs() -> None:
    assert day_of(NOON) == "2027-01-15"
    assert day_of(end_of_day(NOON) - 0.001) == "2027-01-15"
    assert day_of(end_of_day(NOON)) == "2027-01-16"
    assert end_of_day(end_of_day(NOON)) == end_of_day(NOON) + 86_400


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING])
def test_while_it_runs_it_is_charged_all_that_it_may_use(state: State) -> None:
    assert charge(ACCOUNT, operation(state, attempt(1, DONE, 0))) == Amount(1, 3, 9000)


@pytest.mark.parametrize(
    ("attempts", "micro_dollars"),
    [
        ([attempt(1, FAILED, 0, code=FailureCode.UPSTREAM_FAILED)], 9000),
        ([attempt(1, FAILED, 0, code=FailureCode.AUTH), attempt(2, SUBMITTED, 0)], 9000),
        ([attempt(1, FAILED, 0, code=FailureCode.UPSTREAM_FAILED), attempt(2, SUBMITTED, 0)], 10_000),
        # What one picture has left of its reservation is no room for another's second try.
        ([attempt(1, DONE, 0, 1), attempt(2, AttemptState.UNKNOWN, 2), attempt(3, SUBMITTED, 2)], 10_000),
    ],
)
def test_tries_beyond_the_reservation_of_their_picture_are_charged(attempts: list[Attempt], micro_dollars: int) -> None:
    assert charge(ACCOUNT, operation(State.RUNNING, *attempts)) == Amount(1, 3, micro_dollars)


@pytest.mark.parametrize(
    ("attempts", "pictures", "micro_dollars"),
    [
        ([], 0, 0),
        ([attempt(1, DONE, 0, 1, 2)], 3, 6000),
        ([attempt(1, DONE, 0, 1), attempt(2, FAILED, 2, code=FailureCode.RATE_LIMITED)], 2, 4000),
        ([attempt(1, FAILED, 0, code=FailureCode.AUTH)], 0, 0),
        ([attempt(1, FAILED, 0, code=FailureCode.INVALID_REQUEST)], 0, 0),
        ([attempt(1, FAILED, 0, code=FailureCode.UPSTREAM_FAILED)], 1, 2000),
        ([attempt(1, FAILED, 0, code=FailureCode.CONTENT_FILTERED, ticket={"job": 1})], 1, 2000),
        ([attempt(1, AttemptState.UNKNOWN, 0), attempt(2, DONE, 0)], 1, 4000),
        ([attempt(1, AttemptState.UNKNOWN, 0), attempt(2, DONE, 0, recovers=1)], 1, 2000),
        ([attempt(1, AttemptState.UNKNOWN, 0), attempt(2, AttemptState.UNKNOWN, 0, recovers=1)], 1, 2000),
        ([attempt(1, AttemptState.UNKNOWN, 0), attempt(2, FAILED, 0, code=FailureCode.AUTH, recovers=1)], 1, 2000),
        ([attempt(1, SUBMITTED, 0, ticket={"job": 1})], 1, 2000),
        # Cancelled in the middle of a submission that may be paid for: cancelling and retrying must not be a free ride.
        ([attempt(1, AttemptState.SUBMITTING, 0)], 1, 2000),
    ],
)
def test_after_its_end_it_is_charged_what_upstreams_may_charge(
    attempts: list[Attempt], pictures: int, micro_dollars: int
) -> None:
    for state in (State.SUCCEEDED, State.FAILED, State.CANCELLED):
        assert charge(ACCOUNT, operation(state, *attempts)) == Amount(0, pictures, micro_dollars)


def test_what_was_tried_before_a_retry_is_settled() -> None:
    before, after = attempt(1, DONE, 0), attempt(2, DONE, 1)
    assert charge(ACCOUNT, operation(State.FAILED, before, after, retried_after=1)) == Amount(0, 1, 2000)


def test_a_submission_from_before_a_retry_that_is_found_again_is_not_charged_again() -> None:
    lost, found = attempt(1, AttemptState.UNKNOWN, 0), attempt(2, DONE, 0, recovers=1)
    again = operation(State.SUCCEEDED, lost, found, attempt(3, DONE, 1), retried_after=1)
    assert charge(ACCOUNT, again) == Amount(0, 1, 2000)


def test_only_the_difference_is_booked() -> None:
    begun, first = reserve(operation(State.QUEUED), KeyLimits(pictures_per_day=5))
    assert first == Reservation(
        key="k", day="2027-01-15", change=Amount(1, 3, 9000), limits=KeyLimits(pictures_per_day=5)
    )
    assert reserve(replace(begun, state=State.RUNNING)) == (replace(begun, state=State.RUNNING), None)
    ended, last = reserve(replace(begun, state=State.FAILED, attempts=(attempt(1, DONE, 0),)))
    assert last == Reservation(key="k", day="2027-01-15", change=Amount(-1, -2, -7000))
    late = replace(ended, attempts=(attempt(1, DONE, 0), attempt(2, DONE, 1)))
    assert reserve(late)[1] == Reservation(key="k", day="2027-01-15", change=Amount(0, 1, 2000))


def test_without_an_account_nothing_is_booked() -> None:
    unlimited = replace(operation(), account=None)
    assert reserve(unlimited) == (unlimited, None)


def test_only_keys_with_daily_or_concurrent_limits_have_an_account() -> None:
    [route] = routes("alpha", "beta")
    assert open_account(None, route, 1, NOON) is None
    assert open_account(key(), route, 1, NOON) is None
    assert open_account(key(requests_per_minute=3), route, 1, NOON) is None
    limited = key(pictures_per_day=3)
    assert open_account(limited, route, 2, NOON) == Account(
        key=limited.id, day="2027-01-15", pictures=2, dearest=3000, counts_running=False
    )
    crowded = open_account(key(concurrent=3), route, 2, NOON)
    assert crowded
    assert crowded.counts_running


def test_a_budget_in_dollars_needs_prices() -> None:
    [route] = routes("alpha", "unknown-price")
    with pytest.raises(Forbidden, match="price of 'flux' at unknown-price") as refused:
        open_account(key(micro_dollars_per_day=1), route, 1, NOON)
    assert refused.value.param == "model"
    assert "limit on pictures" in str(refused.value.remedy)
    unpriced = open_account(key(pictures_per_day=1), route, 1, NOON)
    assert unpriced
    assert unpriced.dearest == 2000


@pytest.mark.parametrize(
    ("limits", "used", "said", "retry_after"),
    [
        (
            {"pictures_per_day": 50},
            Amount(pictures=48),
            "This API key has 2 of its 50 pictures left today, and this request may make 3.",
            43_200,
        ),
        (
            {"pictures_per_day": 2},
            Amount(),
            "This API key has 2 of its 2 pictures left today, and this request may make 3.",
            None,
        ),
        (
            {"micro_dollars_per_day": 2_500_000},
            Amount(micro_dollars=2_499_000),
            "This API key has $0.001 of its $2.5 left today, and this request may cost $0.009.",
            43_200,
        ),
        (
            {"pictures_per_day": 50, "micro_dollars_per_day": 1000},
            Amount(micro_dollars=2000),
            "This API key has $0 of its $0.001 left today, and this request may cost $0.009.",
            None,
        ),
    ],
)
def test_who_has_used_the_day_up_is_told_how_much_is_left(
    limits: dict[str, int], used: Amount, said: str, retry_after: float | None
) -> None:
    refused = limit_error(
        Reservation(key="k", day="2027-01-15", change=Amount(1, 3, 9000), limits=KeyLimits(**limits)), used, NOON
    )
    assert isinstance(refused, QuotaExhausted)
    assert (refused.message, refused.retry_after) == (said, retry_after)
    assert refused.remedy
    assert refused.remedy.startswith("Ask for fewer" if retry_after is None else "Try again after 00:00 UTC")


def test_who_has_too_much_under_way_is_told_to_wait() -> None:
    refused = limit_error(
        Reservation(key="k", day="d", change=Amount(1, 3, 9000), limits=KeyLimits(concurrent=2)),
        Amount(running=2),
        NOON,
    )
    assert type(refused) is RateLimited
    assert refused.message == "This API key has 2 operations under way, and may have 2 at once."
    assert refused.retry_after == 15


@pytest.mark.parametrize(
    ("change", "used"),
    [
        (Amount(1, 3, 900), Amount(running=2, pictures=2, micro_dollars=100)),
        # The limit was lowered meanwhile; what takes nothing of it is not refused for it.
        (Amount(1, 0, 0), Amount(running=2, pictures=9, micro_dollars=9000)),
    ],
)
def test_a_limit_that_is_just_kept_or_not_touched_is_not_the_reason(change: Amount, used: Amount) -> None:
    limits = KeyLimits(concurrent=2, pictures_per_day=5, micro_dollars_per_day=1000)
    assert type(limit_error(Reservation(key="k", day="d", change=change, limits=limits), used, NOON)) is RateLimited
