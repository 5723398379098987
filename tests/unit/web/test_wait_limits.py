"""How many requests may wait at the same time, and how long without the key that started the wait."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.access.api_key import ApiKey, KeyLimits
from imagegate.domain.operation.coalescing import BURST
from imagegate.domain.timing.long_poll import HANDOVER, HOP_SHARE
from support.gateway import Answered, Gateway

GENERATIONS, OPERATIONS = "/v1/images/generations", "/v1/operations"
BODY = {"model": "flux", "prompt": "a cat"}
REQUESTS = "python-requests/2.32.5"
"""The client that follows longest: 28 redirects, 13 minutes."""
HELD = {303}


class Client:
    """The holder of a key with some limits."""

    def __init__(self, **limits: int) -> None:
        self.gateway = Gateway(access="keys")
        self.key: ApiKey
        self.key, self.text = self.gateway.key(limits=KeyLimits(**limits))

    def call(self, method: str, url: str, body: Any = None, **headers: str) -> Answered:
        return self.gateway.call(method, url, body, **{"x_api_key": self.text, "user_agent": REQUESTS, **headers})

    def bare(self, url: str) -> Answered:
        """A request with a link and no key."""
        return self.gateway.call("GET", url, user_agent=REQUESTS)

    def link(self) -> str:
        """The target of the first redirect."""
        location: str = self.call("POST", GENERATIONS, BODY).headers["location"]
        return location

    def at_once(self, times: int, method: str, url: str, body: Any = None, **headers: str) -> list[Answered]:
        """Requests that arrive at the same time."""
        now, answers = self.gateway.clock.time, []
        for _ in range(times):
            self.gateway.clock.time = now
            answers.append(self.gateway.call(method, url, body, user_agent=REQUESTS, **headers))
        return answers


def follow(answer: Answered, client: Client, *, showing: bool) -> Iterator[Answered]:
    """All answers while following the redirects."""
    while answer.status in HELD:
        url = answer.headers["location"]
        answer = client.call("GET", url) if showing else client.bare(url)
        yield answer


def pending(answer: Answered) -> bool:
    return (answer.status, answer.json()["error"]["code"]) == (504, "operation_pending")


@pytest.mark.parametrize("limits", [{}, {"requests_per_minute": 6}, {"concurrent": 40}])
def test_of_40_requests_on_one_link_a_few_are_held(limits: dict[str, int]) -> None:
    client = Client(**limits)
    answers = client.at_once(40, "GET", client.link())
    held = [answer for answer in answers if answer.status in HELD]
    assert len(held) == 4
    assert all(pending(answer) for answer in answers if answer not in held)
    assert all(answer.headers["location"].endswith("/wait") for answer in answers if answer not in held)


def test_a_link_is_no_way_past_the_requests_a_minute_of_its_key() -> None:
    client = Client(requests_per_minute=6)
    answers = client.at_once(40, "GET", client.link(), x_api_key=client.text)
    assert len([answer for answer in answers if answer.status in HELD]) == 4


def test_links_of_one_wait_are_counted_together() -> None:
    """Hopping ahead without waiting makes links, but no more room."""
    client = Client()
    links, answer = [], client.call("POST", GENERATIONS, BODY)
    for _ in range(10):
        links.append(answer.headers["location"])
        answer = client.gateway.call("GET", links[-1], user_agent=REQUESTS, prefer="wait=0")
    now, held = client.gateway.clock.time, 0
    for link in links * 4:
        client.gateway.clock.time = now
        held += client.bare(link).status in HELD
    assert held == 4


def test_each_request_that_began_a_wait_has_room_of_its_own() -> None:
    client = Client()
    first, second = client.link(), client.link()
    assert [client.bare(first).status, client.bare(second).status] == [303, 303]
    held = [answer.status in HELD for link in (first, second) for answer in client.at_once(9, "GET", link)]
    assert sum(held) >= 8


@pytest.mark.parametrize(("concurrent", "held"), [(1, 4), (3, 12)])
def test_a_key_with_a_limit_on_operations_has_one_on_waiting(concurrent: int, held: int) -> None:
    client = Client(concurrent=concurrent)
    path = client.link().partition("?")[0]
    answers = client.at_once(40, "GET", path, x_api_key=client.text)
    assert len([answer for answer in answers if answer.status in HELD]) == held


def test_repeated_posts_are_bounded_by_it_as_well() -> None:
    client = Client(concurrent=1)
    client.link()
    client.gateway.clock.sleep(BURST)
    answers = client.at_once(60, "POST", GENERATIONS, BODY, x_api_key=client.text, x_stainless_retry_count="1")
    held = client.gateway.hold_seconds  # in full: such early retries come from clients that follow no redirect
    assert len([answer for answer in answers if answer.status in HELD]) == 120 // held, "two minutes a minute"
    assert len(client.gateway.store.documents) == 1


def test_posts_that_start_an_operation_are_not_counted() -> None:
    """A key can wait for any number of pictures, one after another."""
    client = Client(concurrent=1)
    for at in range(40):
        answer = client.call("POST", GENERATIONS, BODY | {"prompt": str(at)})
        assert answer.status in HELD
        [operation_id] = re.findall(r"/v1/operations/(\w+)/", answer.headers["location"])
        assert client.call("POST", f"{OPERATIONS}/{operation_id}:cancel").status == 200
        client.gateway.clock.time -= 25


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_native_caller_beyond_the_limit_gets_the_operation_at_once(method: str) -> None:
    client = Client(concurrent=1)
    operation = client.call("POST", OPERATIONS, BODY).json()
    answers = client.at_once(9, method, operation["urls"]["wait"], x_api_key=client.text, prefer="wait=20")
    refused = [answer for answer in answers if answer.status not in HELD]
    assert len(refused) == 3
    assert all((answer.status, answer.json()["id"]) == (202, operation["id"]) for answer in refused)
    assert all("preference-applied" not in answer.headers for answer in refused)


def test_what_has_ended_is_told_to_everybody() -> None:
    client = Client(concurrent=1)
    operation = client.call("POST", OPERATIONS, BODY).json()
    client.call("POST", operation["urls"]["cancel"])
    answers = client.at_once(40, "GET", operation["urls"]["wait"], x_api_key=client.text)
    assert {answer.status for answer in answers} == {200}


def test_a_key_without_limits_that_is_shown_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(pictures_per_day=9)
    monkeypatch.setattr(client.gateway.services.request_rate, "take", lambda *_: pytest.fail("counted"))
    assert {answer.status for answer in client.at_once(9, "GET", client.link(), x_api_key=client.text)} == HELD


def test_where_no_key_is_asked_for_nothing_is_counted() -> None:
    gateway = Gateway()
    path = gateway.call("POST", GENERATIONS, BODY).headers["location"]
    for _ in range(9):
        gateway.clock.time = 1_800_000_000.0
        assert gateway.call("GET", path).status in HELD


@pytest.mark.parametrize("limits", [{}, {"requests_per_minute": 1, "concurrent": 1}])
def test_who_shows_the_key_at_every_hop_waits_as_long_as_the_client_follows(limits: dict[str, int]) -> None:
    client = Client(**limits)
    began = client.gateway.clock.now()
    answers = list(follow(client.call("POST", GENERATIONS, BODY), client, showing=True))
    assert (len(answers), pending(answers[-1])) == (28, True)
    assert client.gateway.clock.now() - began == pytest.approx(HANDOVER + 28 * 25 * HOP_SHARE)


def test_without_the_key_a_wait_ends_after_ten_minutes() -> None:
    client = Client()
    began = client.gateway.clock.now()
    answers = list(follow(client.call("POST", GENERATIONS, BODY), client, showing=False))
    assert pending(answers[-1])
    assert 600 <= client.gateway.clock.now() - began < 627


def test_showing_the_key_once_more_gives_ten_minutes_more() -> None:
    client = Client()
    answer = client.call("POST", GENERATIONS, BODY)
    for _ in range(20):
        answer = client.bare(answer.headers["location"])
    answer = client.call("GET", answer.headers["location"])
    document = client.gateway.clock.now()
    *_, last = follow(answer, client, showing=False)
    assert pending(last)
    assert client.gateway.clock.now() - document == pytest.approx(7 * 25 * HOP_SHARE), (
        "the client's own end, not the link's"
    )


def test_another_owners_key_gives_no_more_time() -> None:
    client = Client()
    _, foreign = client.gateway.key()
    began, answer = client.gateway.clock.now(), client.call("POST", GENERATIONS, BODY)
    while answer.status in HELD:
        answer = client.call("GET", answer.headers["location"], x_api_key=foreign)
    assert client.gateway.clock.now() - began < 627


@pytest.mark.parametrize("end", ["revoked", "expired", "gone"])
def test_a_link_dies_with_its_key(end: str) -> None:
    client = Client()
    link, keys, now = client.link(), client.gateway.keys, client.gateway.clock.now()
    if end == "revoked":
        keys.put(client.key.revoked(now))
    elif end == "gone":
        del keys.keys[client.key.id]
    else:
        keys.keys[client.key.id] = replace(client.key, expires_at=now + 50)
    client.gateway.clock.sleep(60)
    answer = client.bare(link)
    assert (answer.status, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    _, other = client.gateway.key(owner=client.key.owner)
    assert client.call("GET", link, x_api_key=other).status in HELD, "another key of the owner is enough"


@pytest.mark.parametrize(
    "change",
    [
        ("hop=1", "hop=2"),
        ("hop=1", "hop=01"),
        ("hop=1&", ""),
        ("wait=", "wait=0"),
        ("wait=", "waits="),
        ("token=", "token=9"),
    ],
)
def test_no_part_of_a_link_can_be_changed(change: tuple[str, str]) -> None:
    client = Client()
    link = client.link()
    assert client.bare(link.replace(*change)).status == 401
    assert client.bare(f"{link}&hop=2").status == 401
    assert client.bare(link).status in HELD
