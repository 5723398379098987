"""Requests release their function early while their operation's workflow may be waiting for one."""

from dataclasses import replace

import pytest

from imagegate.domain.timing.long_poll import HOP_SHARE, SHORTEST_HOLD, STARTS_WITHIN
from support.gateway import Answered, Gateway

PROMPT = {"prompt": "a cat", "model": "flux"}


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(starts_within=STARTS_WITHIN)


def post(gateway: Gateway, body: object = None, **headers: str) -> Answered:
    return gateway.call("POST", "/v1/images/generations", body or PROMPT, **headers)


def begin(gateway: Gateway) -> None:
    """Write to the operation, as the first step does."""
    found = gateway.store.get(list(gateway.store.documents)[-1])
    assert found
    gateway.store.replace(replace(found, version=found.version + 1, updated_at=gateway.clock.now()))


def begin_after(gateway: Gateway, seconds: float) -> None:
    """Run the first step while a request is held."""
    sleep, at = gateway.clock.sleep, gateway.clock.now() + seconds

    def slept(pause: float) -> None:
        sleep(pause)
        if gateway.clock.now() >= at:
            gateway.clock.sleep = sleep  # type: ignore[method-assign]
            begin(gateway)

    gateway.clock.sleep = slept  # type: ignore[method-assign]


def held(gateway: Gateway, url: str = "") -> tuple[float, Answered]:
    began = gateway.clock.now()
    answer = gateway.call("GET", url) if url else post(gateway)
    return gateway.clock.now() - began, answer


def test_a_hold_is_short_until_the_workflow_begins_and_long_from_then_on(gateway: Gateway) -> None:
    seconds, answer = held(gateway)
    assert (seconds, answer.status) == (pytest.approx(STARTS_WITHIN), 303)
    seconds, answer = held(gateway, answer.headers["location"])
    assert (seconds, answer.status) == (pytest.approx(SHORTEST_HOLD), 303)
    begin(gateway)
    seconds, answer = held(gateway, answer.headers["location"])
    assert (seconds, answer.status) == (pytest.approx(25 * HOP_SHARE), 303)


def test_the_redirects_of_a_client_last_for_more_than_a_minute_even_so(gateway: Gateway) -> None:
    began, answer = gateway.clock.now(), post(gateway)
    while answer.status == 303:
        answer = gateway.call("GET", answer.headers["location"])
    assert answer.json()["error"]["code"] == "operation_pending"
    assert gateway.clock.now() - began > 60


def test_a_workflow_that_begins_in_time_changes_nothing(gateway: Gateway) -> None:
    begin_after(gateway, 1.5)
    assert held(gateway)[0] == pytest.approx(25)


def test_who_asks_to_be_held_is_held(gateway: Gateway) -> None:
    began = gateway.clock.now()
    answer = post(gateway, prefer="wait=20")
    assert (gateway.clock.now() - began, answer.headers["preference-applied"]) == (pytest.approx(20), "wait=20")


def test_a_prompt_that_is_being_expanded_is_no_sign_of_want(gateway: Gateway) -> None:
    """Its first step passes it on without a write."""
    began = gateway.clock.now()
    assert post(gateway, PROMPT | {"expand": True}).status == 303
    assert gateway.clock.now() - began == pytest.approx(25)


def test_at_the_long_hold_address_nobody_is_sent_away_early() -> None:
    gateway = Gateway(hold_seconds=840, redirects=False)
    assert held(gateway)[0] == pytest.approx(840)


def test_no_hold_is_made_longer_by_it() -> None:
    gateway = Gateway(hold_seconds=1, starts_within=STARTS_WITHIN)
    assert held(gateway)[0] == pytest.approx(1)
