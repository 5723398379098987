"""The requests of a waiting client have the steps of its operation taken, each once, from hop to hop."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.operation import State
from support.fakes import MemoryLatencies, MemorySteps
from support.gateway import Answered, Gateway
from support.mcp import FOX, tool

GENERATIONS = "/v1/images/generations"
PROMPT = {"prompt": "a cat", "model": "flux"}
OPENAI = "OpenAI/Python 3.52.0"


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(steps=MemorySteps())


def taken(gateway: Gateway) -> list[tuple[str, float, int]]:
    assert gateway.steps
    return gateway.steps.taken


def submitted(gateway: Gateway) -> str:
    """Have a job running, as the first step leaves it; returns the operation's id."""
    [operation_id] = gateway.store.documents
    found, now = gateway.store.get(operation_id), gateway.clock.now()
    assert found
    attempt = Attempt(
        number=1, provider="alpha", model="schnell", slots=(0,), state=AttemptState.SUBMITTED, started_at=now
    )
    running = found.moved(State.RUNNING, now).with_attempt(attempt)
    gateway.store.replace(replace(running, version=found.version + 1, updated_at=now))
    return operation_id


def test_a_wait_over_many_hops_takes_each_step_once(gateway: Gateway) -> None:
    gateway.latencies = MemoryLatencies(expected_seconds=120, trained=True)
    gateway.__post_init__()
    answer: Answered = gateway.call("POST", GENERATIONS, PROMPT, user_agent=OPENAI)
    operation_id = submitted(gateway)
    for _ in range(12):
        assert answer.status == 303
        answer = gateway.call("GET", answer.headers["location"], user_agent=OPENAI)
    assert not gateway.workflow.runs
    assert taken(gateway)[0] == (operation_id, 0.0, 0)
    polls = taken(gateway)[1:]
    assert len(polls) > 5
    assert [count for _, _, count in polls] == list(range(len(polls))), "none is left out, none is taken twice"
    assert [last for _, last, _ in polls] == sorted(last for _, last, _ in polls)


def test_an_operation_that_nobody_began_is_begun_again(gateway: Gateway) -> None:
    """Perhaps its first step is only queued: it is asked for less and less often."""
    times, note = list[float](), taken(gateway).append

    class Noted(list[tuple[str, float, int]]):
        def append(self, step: tuple[str, float, int]) -> None:
            times.append(gateway.clock.now())
            note(step)

    assert gateway.steps
    gateway.steps.taken = Noted()
    answer = gateway.call("POST", GENERATIONS, PROMPT, user_agent=OPENAI)
    for _ in range(8):
        answer = gateway.call("GET", answer.headers["location"], user_agent=OPENAI)
    pauses = [round(later - earlier) for earlier, later in pairwise(times)]
    assert pauses[:4] == [10, 20, 40, 40]


def test_a_client_that_was_away_has_the_step_taken_that_nobody_took(gateway: Gateway) -> None:
    gateway.latencies = MemoryLatencies(expected_seconds=120, trained=True)
    gateway.__post_init__()
    gateway.call("POST", GENERATIONS, PROMPT, user_agent=OPENAI)
    operation_id = submitted(gateway)
    gateway.clock.sleep(119)
    before, came = len(taken(gateway)), gateway.clock.now()
    gateway.call("POST", GENERATIONS, PROMPT, user_agent=OPENAI, x_stainless_retry_count="1", prefer="wait=1")
    assert taken(gateway)[before][0] == operation_id
    assert gateway.clock.now() - came < 2


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({}, {"user_agent": "a-client/1.0"}),
        ({}, {"user_agent": OPENAI, "prefer": "respond-async"}),
        ({"webhook": {"url": "https://example.com/hook", "secret": "whsec_" + "A" * 32}}, {"user_agent": OPENAI}),
    ],
)
def test_who_may_leave_gets_an_execution(gateway: Gateway, body: dict[str, Any], headers: dict[str, str]) -> None:
    answer = gateway.call("POST", GENERATIONS, PROMPT | body, **headers)
    assert answer.status < 400, answer.text
    assert not taken(gateway)
    assert len(gateway.workflow.runs) == 1


def test_without_holds_there_are_executions() -> None:
    gateway = Gateway(steps=MemorySteps(), hold_seconds=0)
    gateway.call("POST", GENERATIONS, PROMPT, user_agent=OPENAI)
    assert len(gateway.workflow.runs) == 1


def test_waiting_for_an_operation_that_has_an_execution_takes_no_step(gateway: Gateway) -> None:
    started = gateway.call("POST", "/v1/operations", PROMPT)
    gateway.call("GET", f"/v1/operations/{started.json()['id']}/wait", user_agent=OPENAI)
    assert not taken(gateway)


def test_the_long_hold_address_takes_steps_for_every_client() -> None:
    gateway = Gateway(steps=MemorySteps(), redirects=False)
    gateway.call("POST", GENERATIONS, PROMPT, user_agent="guzzlehttp/7")
    assert taken(gateway)
    assert not gateway.workflow.runs


def polled_by_mcp(gateway: Gateway, operation_id: str, wait_seconds: int = 20) -> None:
    found = tool(gateway, "get_operation", {"operation_id": operation_id, "wait_seconds": wait_seconds})
    assert not found["structuredContent"]["done"]


def test_a_client_of_mcp_drives_the_operation_of_one_that_left(gateway: Gateway) -> None:
    gateway.latencies = MemoryLatencies(expected_seconds=60, trained=True)
    gateway.__post_init__()
    gateway.call("POST", GENERATIONS, PROMPT, user_agent=OPENAI)
    operation_id = submitted(gateway)
    gateway.clock.sleep(90)  # the client has left; polls were due meanwhile
    by_client = len(taken(gateway))
    polled_by_mcp(gateway, operation_id, 1)
    at_once = taken(gateway)[by_client:]
    assert at_once[0] == (operation_id, 1_800_000_004.0, 0), "the job has not been polled since it began"
    polled_by_mcp(gateway, operation_id)
    assert len(taken(gateway)) > by_client + len(at_once) + 2, "what is due while it waits is taken too"
    assert not gateway.workflow.runs


def test_an_operation_that_mcp_started_has_an_execution(gateway: Gateway) -> None:
    started = tool(gateway, "generate_image", {**FOX, "wait_seconds": 1})["structuredContent"]["operation_id"]
    polled_by_mcp(gateway, started)
    assert len(gateway.workflow.runs) == 1
    assert not taken(gateway)


def test_a_step_that_is_due_is_not_taken_once_the_picture_is_there(gateway: Gateway) -> None:
    gateway.latencies = MemoryLatencies(expected_seconds=2, trained=True)
    gateway.__post_init__()
    answer: Answered = gateway.call("POST", GENERATIONS, PROMPT, user_agent=OPENAI, prefer="wait=1")
    operation_id, sleep = submitted(gateway), gateway.clock.sleep

    def end(seconds: float) -> None:
        """While the request sleeps until the step, the picture arrives."""
        found = gateway.store.get(operation_id)
        assert found
        if gateway.services.next_step(found, gateway.clock.now()).at <= gateway.clock.now() + seconds:
            now = gateway.clock.now()
            ended = found.moved(State.CANCELLED, now)
            gateway.store.replace(replace(ended, version=found.version + 1, updated_at=now))
        sleep(seconds)

    before = len(taken(gateway))
    gateway.clock.sleep = end  # type: ignore[method-assign]
    answer = gateway.call("GET", answer.headers["location"], user_agent=OPENAI)
    assert answer.status >= 400, "it has ended"
    assert len(taken(gateway)) == before
