"""Requests that change an operation while others change it."""

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.errors import Conflict
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.picture import Picture
from imagegate.domain.webhooks.delivery import Delivery
from support.fakes import picture
from support.gateway import Gateway

OPERATIONS = "/v1/operations"
BODY = {"model": "flux", "prompt": "a cat", "n": 2}
FAILURE = Failure(FailureCode.EXPIRED, "too late")


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


def started(gateway: Gateway, **fields: Any) -> Operation:
    """A running operation of two pictures."""
    stored = gateway.store.get(gateway.call("POST", OPERATIONS, BODY | fields).json()["id"])
    assert stored
    return stored


def failed(gateway: Gateway, **fields: Any) -> Operation:
    """An operation that ended with one of its two pictures."""
    found = started(gateway, **fields)
    gateway.images.put("k", picture(), "image/png")
    kept = found.with_pictures(
        (
            Picture(
                slot=0,
                key="k",
                sha256="s",
                content_type="image/png",
                width=64,
                height=48,
                bytes=9,
                provider="beta",
                seed=7,
            ),
        )
    )
    ended = replace(kept.moved(State.FAILED, gateway.clock.now(), failure=FAILURE), version=2)
    gateway.store.replace(ended)
    return ended


def overtaking(gateway: Gateway, by: Callable[[], object], times: int = 1) -> None:
    """Let something happen just before each of the next attempts to delete a record."""
    delete, left = gateway.store.delete, [by] * times

    def deleting(operation: Operation) -> None:
        if left:
            left.pop()()
        delete(operation)

    gateway.store.delete = deleting  # type: ignore[method-assign]


def rewrite(gateway: Gateway, operation_id: str) -> None:
    """The next version of an operation."""
    found = gateway.store.get(operation_id)
    assert found
    gateway.store.replace(replace(found, version=found.version + 1))


def test_a_retry_that_came_first_keeps_the_pictures(gateway: Gateway) -> None:
    operation = failed(gateway)
    overtaking(gateway, lambda: gateway.services.retry(operation))
    answer = gateway.call("DELETE", f"{OPERATIONS}/{operation.id}")
    assert (answer.status, answer.json()["code"], answer.json()["remedy"]) == (409, "wrong_state", "Cancel it first.")
    assert list(gateway.images.objects) == ["k"]


@pytest.mark.parametrize(("times", "status"), [(3, 204), (100, 409)])
def test_deleting_what_others_write_is_tried_again_a_few_times(gateway: Gateway, times: int, status: int) -> None:
    operation_id = failed(gateway).id
    overtaking(gateway, lambda: rewrite(gateway, operation_id), times)
    answer = gateway.call("DELETE", f"{OPERATIONS}/{operation_id}")
    assert (answer.status, not gateway.images.objects) == (status, status == 204)
    if status == 409:
        assert (answer.json()["code"], answer.headers["retry-after"]) == ("conflict", "1")
        assert answer.json()["remedy"]


def test_of_two_who_delete_both_have_it_their_way(gateway: Gateway) -> None:
    operation_id = failed(gateway).id
    overtaking(gateway, gateway.store.documents.clear)
    assert gateway.call("DELETE", f"{OPERATIONS}/{operation_id}").status == 204
    assert not gateway.images.objects


@pytest.mark.parametrize("action", [":cancel", ":retry", ":redeliver"])
def test_who_loses_every_race_is_told_to_try_again(gateway: Gateway, action: str) -> None:
    secret = "whsec_" + base64.b64encode(bytes(32)).decode()
    begin = failed if action == ":retry" else started
    operation_id = begin(gateway, webhook={"url": "https://hooks.example.com/", "secret": secret}).id
    gateway.deliveries.put(
        Delivery(
            operation_id=operation_id,
            sequence=1,
            event="queued",
            event_id="e",
            body="",
            announced_at=1.0,
            expires_at=2e9,
            version=1,
        )
    )

    def lost(*_: Any) -> None:
        raise Conflict("by others")

    gateway.store.replace = gateway.deliveries.put = lost  # type: ignore[method-assign]
    answer = gateway.call("POST", f"{OPERATIONS}/{operation_id}{action}")
    assert (answer.status, answer.json()["code"]) == (409, "conflict")
