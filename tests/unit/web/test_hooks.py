"""The address that upstreams call: a token of ours is its credential, and shows nothing."""

from dataclasses import replace

import pytest

from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.hook import digest_of
from imagegate.domain.operation.operation import State
from support.gateway import Gateway

TOKEN = "t" * 32


@pytest.fixture
def gateway() -> Gateway:
    """With one running operation, whose upstream was given the token."""
    gateway = Gateway(access="keys")
    _, key = gateway.key()
    headers = {"authorization": f"Bearer {key}", "prefer": "respond-async"}
    gateway.call("POST", "/v1/operations", {"model": "flux", "prompt": "a fox"}, **headers)
    [operation_id] = gateway.store.documents
    operation = gateway.store.get(operation_id)
    assert operation
    attempt = Attempt(
        number=1,
        provider="alpha",
        model="schnell",
        slots=(0,),
        state=AttemptState.SUBMITTED,
        started_at=gateway.clock.now(),
        ticket={},
        hook_digest=digest_of(TOKEN),
    )
    running = operation.moved(State.RUNNING, gateway.clock.now()).with_attempt(attempt)
    gateway.store.replace(replace(running, version=operation.version + 1))
    return gateway


def test_the_token_alone_is_enough(gateway: Gateway) -> None:
    [operation_id] = gateway.store.documents
    answer = gateway.call("POST", f"/v1/hooks/{operation_id}?token={TOKEN}", {"status": "OK", "payload": {}})
    assert (answer.status, answer.text) == (204, "")
    assert gateway.workflow.runs[1:] == [(operation_id, f"{operation_id}-hook-1-0")]


@pytest.mark.parametrize(
    "path",
    [
        "{id}?token=" + "x" * 32,
        "{id}?token=%ff",
        "{id}?token=",
        "{id}",
        "0" * 20 + "?token=" + TOKEN,
        "no-id?token=" + TOKEN,
    ],
)
def test_any_other_finds_nothing_whatever_is_wrong_with_it(gateway: Gateway, path: str) -> None:
    [operation_id] = gateway.store.documents
    answer = gateway.call("POST", f"/v1/hooks/{path.format(id=operation_id)}", {})
    assert (answer.status, answer.text) == (404, "")
    assert len(gateway.workflow.runs) == 1


def test_the_token_opens_nothing_else(gateway: Gateway) -> None:
    [operation_id] = gateway.store.documents
    assert gateway.call("GET", f"/v1/hooks/{operation_id}?token={TOKEN}").status == 401
    assert gateway.call("GET", f"/v1/operations/{operation_id}?token={TOKEN}").status == 401
    assert gateway.call("GET", f"/v1/operations/{operation_id}", authorization=f"Bearer {TOKEN}").status == 401


def test_no_answer_shows_the_token_or_its_digest(gateway: Gateway) -> None:
    [operation_id] = gateway.store.documents
    operation = gateway.store.get(operation_id)
    assert operation
    _, key = gateway.key(owner=operation.owner)
    shown = gateway.call("GET", f"/v1/operations/{operation_id}", authorization=f"Bearer {key}")
    assert shown.status == 200
    assert digest_of(TOKEN) not in shown.text
