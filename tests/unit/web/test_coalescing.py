"""Identical requests: which are orders of their own, and which repeat an operation that is there."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.operation.coalescing import BURST, BodyClaim
from support.gateway import Answered, Gateway, event
from unit.web.test_long_polling import end, follow

GENERATIONS = "/v1/images/generations"
BODY = {"prompt": "a cat", "model": "flux"}
AI_SDK = "ai/6.0.0 ai-sdk/provider-utils/3.0.0 runtime/node.js/22"
"""Marks no retry."""
OPENAI = "AsyncOpenAI/Python 3.52.0"


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


def burst(
    gateway: Gateway, count: int = 4, late: float = 0, agent: str = AI_SDK, apart: float = 0.05, **headers: str
) -> list[Answered]:
    """The answers to POSTs that arrive `apart` seconds after each other; the first one is `late`."""
    now = gateway.clock.time
    answers = []
    for at in range(count):
        gateway.clock.time = now + late + at * apart
        request = event("POST", GENERATIONS, json.dumps(BODY).encode(), {"user-agent": agent, **named(headers)})
        request["requestContext"]["timeEpoch"] = round(gateway.clock.time * 1000)
        answers.append(gateway.handle(request))
    return answers


def named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def ids(answers: Sequence[Answered]) -> list[str]:
    """The operations that the answers are about."""
    return [answer.headers["location"].split("/")[3] for answer in answers]


def end_all(gateway: Gateway) -> None:
    for name in list(gateway.store.documents):
        gateway.store.documents[name] = gateway.store.documents.pop(name)  # `end` ends the newest
        end(gateway)


def test_a_burst_is_as_many_orders_with_pictures_of_their_own(gateway: Gateway) -> None:
    answers = burst(gateway)
    assert set(ids(answers)) == set(gateway.store.documents)
    assert len(gateway.workflow.runs) == 4
    end_all(gateway)
    documents = [follow(gateway, answer)[0].json() for answer in answers]
    assert [document["operation_id"] for document in documents] == ids(answers)


def test_marked_retries_find_an_operation_each(gateway: Gateway) -> None:
    first = ids(burst(gateway, agent=OPENAI))
    for count in (1, 2):
        again = ids(burst(gateway, late=8, agent=OPENAI, x_stainless_retry_count=str(count)))
        assert again == first
    assert len(gateway.store.documents) == 4


def test_a_marked_retry_finds_its_operation_at_once(gateway: Gateway) -> None:
    [first] = ids(burst(gateway, 1, agent=OPENAI))
    assert ids(burst(gateway, 1, late=0.5, agent=OPENAI, x_stainless_retry_count="1")) == [first]


def test_unmarked_requests_after_a_time_limit_find_an_operation_each(gateway: Gateway) -> None:
    first = ids(burst(gateway))
    assert ids(burst(gateway, late=8)) == first
    assert ids(burst(gateway, late=8)) == first
    assert len(gateway.workflow.runs) == 4


def test_one_more_than_before_is_one_new_order(gateway: Gateway) -> None:
    first = ids(burst(gateway))
    again = ids(burst(gateway, 5, late=8))
    assert again[:4] == first
    assert set(gateway.store.documents) - set(first) == set(again[4:])


def test_clients_told_to_come_back_find_an_operation_each(gateway: Gateway) -> None:
    answers = burst(gateway)
    first = ids(answers)
    told = [follow(gateway, answer, AI_SDK)[0] for answer in answers]
    assert {answer.status for answer in told} == {503}
    again = burst(gateway, late=30, apart=0)
    assert sorted(ids(again)) == sorted(first)
    end_all(gateway)
    assert {follow(gateway, answer, AI_SDK)[0].json()["operation_id"] for answer in again} == set(first)
    # Each has its picture: what follows is a new order.
    burst(gateway, 1, late=BURST)
    assert len(gateway.store.documents) == 5


def test_who_was_told_to_come_back_does_not_get_the_picture_of_one_who_still_waits(gateway: Gateway) -> None:
    waits, leaves = burst(gateway, 2)
    assert follow(gateway, leaves, AI_SDK)[0].status == 503
    [again] = ids(burst(gateway, 1, late=30))
    assert [again] == ids([leaves])
    assert again not in ids([waits])


def test_who_was_told_to_come_back_may_do_so_at_once(gateway: Gateway) -> None:
    gateway = Gateway(redirects=False)
    [told] = burst(gateway, 1)
    assert told.status == 503
    [again] = burst(gateway, 1)
    assert ids([told]) == ids([again])


def test_pictures_that_came_meanwhile_go_to_the_repetitions_one_each(gateway: Gateway) -> None:
    first = burst(gateway)
    end_all(gateway)
    again = burst(gateway, late=8)
    assert [answer.json()["operation_id"] for answer in again] == ids(first)
    assert len(gateway.store.documents) == 4


def test_retries_of_answers_lost_on_their_way_get_a_picture_each(gateway: Gateway) -> None:
    first = burst(gateway, agent=OPENAI)
    end_all(gateway)
    for answer in first:
        follow(gateway, answer)
    again = burst(gateway, late=1, agent=OPENAI, x_stainless_retry_count="1")
    assert {answer.json()["operation_id"] for answer in again} == set(ids(first))


@pytest.mark.parametrize("left", range(4))
def test_of_several_that_have_ended_who_waited_longest_has_left(gateway: Gateway, left: int) -> None:
    """A client gives up on one of its requests when the others have their pictures."""
    first = ids(burst(gateway, agent=OPENAI))
    [(name, claim)] = gateway.store.claims.items()
    assert isinstance(claim, BodyClaim)
    held = [replace(each, waiting=0) for each in claim.candidates]  # they left before their POST was answered
    gateway.store.claims[name] = replace(claim, candidates=held)
    again = burst(gateway, late=8, agent=OPENAI, x_stainless_retry_count="1")
    end_all(gateway)
    for answer in [*again[:left], *again[left + 1 :]]:
        follow(gateway, answer)
    [last] = burst(gateway, 1, late=8, agent=OPENAI, x_stainless_retry_count="2")
    assert last.json()["operation_id"] == first[left]


@pytest.mark.parametrize("slow", range(4))
def test_of_several_that_have_ended_who_was_answered_last_has_left(gateway: Gateway, slow: int) -> None:
    first = burst(gateway, agent=OPENAI)
    for at in (*(each for each in range(4) if each != slow), slow):
        gateway.clock.time += 1
        name = ids(first)[at]
        gateway.store.documents[name] = gateway.store.documents.pop(name)
        end(gateway)
        follow(gateway, first[at])
    [last] = burst(gateway, 1, late=0.5, agent=OPENAI, x_stainless_retry_count="1")
    assert last.json()["operation_id"] == ids(first)[slow]


def test_who_repeated_an_asynchronous_request_is_owed_nothing(gateway: Gateway) -> None:
    made = []
    for _ in range(3):
        made.append(gateway.call("POST", GENERATIONS, BODY, prefer="respond-async").json()["id"])
        gateway.clock.sleep(BURST)
        if len(made) == 2:
            end(gateway)
    assert made[0] == made[1] != made[2]


def test_a_retry_that_was_faster_than_its_first_request_is_found_by_it(gateway: Gateway) -> None:
    [retry] = ids(burst(gateway, 1, late=8, agent=OPENAI, x_stainless_retry_count="1"))
    assert ids(burst(gateway, 1, late=-33, agent=OPENAI)) == [retry]


def test_retries_of_a_burst_that_was_lost_are_orders_of_their_own(gateway: Gateway) -> None:
    retries = ids(burst(gateway, agent=OPENAI, x_stainless_retry_count="1"))
    assert set(retries) == set(gateway.store.documents)
    assert len(retries) == len(set(retries)) == 4


def test_a_retry_after_a_newer_order_finds_the_newest_that_was_delivered(gateway: Gateway) -> None:
    for answer in burst(gateway, 1):
        end(gateway)
        follow(gateway, answer)
    [newer] = burst(gateway, 1, late=BURST)
    end(gateway)
    follow(gateway, newer)
    [again] = burst(gateway, 1, late=1, x_stainless_retry_count="1")
    assert [again.json()["operation_id"]] == ids([newer])


@pytest.mark.parametrize("header", ["x", "-1", "1.5", "٣", ""])
def test_a_count_that_is_none_marks_a_retry(gateway: Gateway, header: str) -> None:
    answers: list[Any] = burst(gateway, 1) + burst(gateway, 1, x_stainless_retry_count=header)
    assert len(set(ids(answers))) == 1
