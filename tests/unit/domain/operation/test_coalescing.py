"""Repeated requests."""

from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.coalescing import (
    AFTERLIFE,
    BURST,
    KEY_LIFE,
    Arrival,
    BodyClaim,
    Candidate,
    answers_body,
    answers_key,
    claim_expires_at,
    digest,
)
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.request.request import ImageRequest, Message

RUNNING = Operation(
    id="0" * 20,
    owner="me",
    dialect="openai_images",
    request=ImageRequest(model="flux", messages=(Message("x"),)),
    created_at=1.0,
    deadline=900.0,
    due_at=60.0,
)
SUCCEEDED = replace(RUNNING, state=State.SUCCEEDED, ended_at=100.0)
THROTTLED = replace(RUNNING, state=State.FAILED, ended_at=100.0, failure=Failure(FailureCode.RATE_LIMITED, "slow"))
REFUSED = replace(RUNNING, state=State.FAILED, ended_at=100.0, failure=Failure(FailureCode.CONTENT_FILTERED, "no"))


START = 50.0


def candidate(name: str = "one", **changes: Any) -> Candidate:
    return replace(Candidate(operation_id=name, begun_at=START, taken_at=START), **changes)


@pytest.mark.parametrize(
    ("retry_count", "seconds", "changes", "expected"),
    [
        # An unmarked request: of the same burst, or after a time-out.
        (0, 0.0, {}, False),
        (0, BURST - 0.1, {}, False),
        (0, BURST, {}, True),
        (0, -BURST, {}, True),  # the retry was faster than the request that it repeats
        # A client of the same burst has taken it already, or was told to come back.
        (0, 20.0, {"taken_at": START + 19.0}, False),
        (0, 20.0, {"taken_at": START + 19.0, "invited": 1}, True),
        (0, 0.1, {"invited": 1}, True),
        (0, 20.0, {"waiting": 1}, True),
        (0, 0.1, {"waiting": 1}, False),
        # A marked retry finds what it repeats at once.
        (1, 0.1, {}, True),
        (2, 0.1, {"retry_count": 1}, True),
        # Retries of requests that were lost are of one burst too; later they share what is there.
        (1, 0.1, {"retry_count": 1}, False),
        (1, 20.0, {"retry_count": 1, "taken_at": START + 19.9}, True),
    ],
)
def test_which_requests_an_operation_suits(
    retry_count: int, seconds: float, changes: dict[str, Any], expected: bool
) -> None:
    assert candidate(**changes).suits(Arrival(START + seconds, retry_count)) is expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, False),
        ({"waiting": 1}, True),
        ({"invited": 1}, True),
        ({"taken_at": START + 9}, True),
        ({"taken_at": START + 9, "answered_at": START + 8}, True),
        ({"taken_at": START + 9, "answered_at": START + 9}, False),
    ],
)
def test_which_operations_a_caller_has_not_seen_the_end_of(changes: dict[str, Any], expected: bool) -> None:
    assert candidate(**changes).owed is expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, START + 11),  # the answers of first requests are not noted: they come when the operation ends
        ({"taken_at": START + 9, "answered_at": START + 9}, START + 11),
        ({"answered_at": START + 12}, START + 12),
    ],
)
def test_until_when_the_last_caller_had_no_answer(changes: dict[str, Any], expected: float) -> None:
    assert candidate(**changes).unanswered_until(START + 11) == expected


@pytest.mark.parametrize(
    ("retry_count", "candidates", "expected"),
    [
        (0, [candidate("a", taken_at=3.0), candidate("b", taken_at=1.0), candidate("c", taken_at=2.0)], "bca"),
        (0, [candidate("a"), candidate("b", taken_at=99.0, invited=1), candidate("c", taken_at=99.0)], "ba"),
        (1, [candidate("a", retry_count=1), candidate("b", taken_at=60.0)], "ba"),
    ],
)
def test_who_was_told_to_come_back_is_served_first_and_then_the_one_that_waited_longest(
    retry_count: int, candidates: list[Candidate], expected: str
) -> None:
    chosen = BodyClaim(candidates).choose(Arrival(START + 50, retry_count))
    assert "".join(each.operation_id for each in chosen) == expected


@pytest.mark.parametrize(
    ("existing", "changes", "retry_count", "now", "expected"),
    [
        (RUNNING, {}, 0, 50.0, True),
        (SUCCEEDED, {}, 0, 101.0, False),
        (SUCCEEDED, {"waiting": 1}, 0, 101.0, True),
        (SUCCEEDED, {"invited": 1}, 0, 101.0, True),
        (SUCCEEDED, {}, 1, 101.0, True),
        (SUCCEEDED, {"waiting": 1}, 1, 100.0 + AFTERLIFE, True),
        (SUCCEEDED, {"waiting": 1}, 1, 101.0 + AFTERLIFE, False),
        (REFUSED, {"waiting": 1}, 0, 101.0, True),
        (THROTTLED, {"waiting": 1}, 1, 101.0, False),
    ],
)
def test_who_is_answered_by_an_operation_that_is_there(
    existing: Operation, changes: dict[str, int], retry_count: int, now: float, expected: bool
) -> None:
    assert answers_body(existing, candidate(**changes), Arrival(now, retry_count), now) is expected


@pytest.mark.parametrize(
    ("existing", "retry_invited", "expected"),
    [(SUCCEEDED, True, True), (REFUSED, True, True), (THROTTLED, True, False), (THROTTLED, False, True)],
)
def test_a_key_leads_to_its_operation_unless_a_second_try_was_invited(
    existing: Operation, retry_invited: bool, expected: bool
) -> None:
    assert answers_key(existing, retry_invited=retry_invited) is expected


CANONICAL = {"a": "я", "b": [1, {"x": 1, "y": 2}]}


@pytest.mark.parametrize("same", [{"b": [1, {"y": 2, "x": 1}], "a": "я"}, {**CANONICAL, "c": None}])
def test_order_and_nulls_make_no_difference(same: dict[str, Any]) -> None:
    assert digest(same) == digest(CANONICAL)


@pytest.mark.parametrize("other", [{"a": 1}, {"a": "2"}, {"a": 2, "b": 0}, {}])
def test_any_other_body_is_another_request(other: dict[str, Any]) -> None:
    assert digest(other) != digest({"a": 2})


@pytest.mark.parametrize(
    ("claim", "deadline", "lapses"),
    [
        ("key#me#k", 900.0, 1.0 + KEY_LIFE),
        ("key#me#k", 100_000.0, 100_000.0),
        ("same#me#openai_images#b", 900.0, 900.0 + AFTERLIFE),
        (None, 900.0, 900.0 + AFTERLIFE),
    ],
)
def test_a_key_is_held_for_a_day_and_a_body_until_a_client_has_given_up(
    claim: str | None, deadline: float, lapses: float
) -> None:
    assert claim_expires_at(replace(RUNNING, claim=claim, deadline=deadline)) == lapses
