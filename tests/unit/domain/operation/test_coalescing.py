"""Repeated requests."""

from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.errors import Failure, FailureCode
from imagegate.domain.operation.coalescing import AFTERLIFE, KEY_LIFE, Claim, answers_repeat, claim_expires_at, digest
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.request.request import ImageRequest, Message

RUNNING = Operation(
    id="0" * 20,
    owner="me",
    dialect="openai_images",
    request=ImageRequest("flux", (Message("x"),)),
    created_at=1.0,
    deadline=900.0,
    due_at=60.0,
)
SUCCEEDED = replace(RUNNING, state=State.SUCCEEDED, ended_at=100.0)
THROTTLED = replace(RUNNING, state=State.FAILED, ended_at=100.0, failure=Failure(FailureCode.RATE_LIMITED, "slow"))
REFUSED = replace(RUNNING, state=State.FAILED, ended_at=100.0, failure=Failure(FailureCode.CONTENT_FILTERED, "no"))


@pytest.mark.parametrize(
    ("holder", "waiting", "repeated", "now", "expected"),
    [
        (RUNNING, 0, False, 50.0, True),
        (SUCCEEDED, 0, False, 101.0, False),
        (SUCCEEDED, 1, False, 101.0, True),
        (SUCCEEDED, 0, True, 101.0, True),
        (SUCCEEDED, 1, True, 100.0 + AFTERLIFE, True),
        (SUCCEEDED, 1, True, 101.0 + AFTERLIFE, False),
        (REFUSED, 1, False, 101.0, True),
        (THROTTLED, 1, True, 101.0, False),
    ],
)
def test_who_is_answered_by_an_operation_that_is_there(
    holder: Operation, waiting: int, repeated: bool, now: float, expected: bool
) -> None:
    assert answers_repeat(holder, Claim(holder.id, waiting), repeated, now) is expected


@pytest.mark.parametrize(
    ("holder", "retry_invited", "expected"),
    [(SUCCEEDED, True, True), (REFUSED, True, True), (THROTTLED, True, False), (THROTTLED, False, True)],
)
def test_a_key_leads_to_its_operation_unless_a_second_try_was_invited(
    holder: Operation, retry_invited: bool, expected: bool
) -> None:
    keyed = replace(holder, claim="key#me#k")
    assert answers_repeat(keyed, Claim(holder.id), False, 101.0 + AFTERLIFE, retry_invited=retry_invited) is expected


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
