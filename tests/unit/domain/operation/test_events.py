"""Announcements: which changes deserve one, what it carries, and how large it gets at most."""

import json
from dataclasses import replace

import pytest

from imagegate.domain.characters import masked
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.attempt import Attempt, AttemptState, Source
from imagegate.domain.operation.events import DETAIL_TYPES, LONGEST_PART, LONGEST_TEXT, MOST_ATTEMPTS, Event, event_for
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.picture import Picture
from imagegate.domain.request.request import ImageRequest, Message

PICTURE = Picture(
    slot=0,
    key="images/2m/0/0.webp",
    sha256="f" * 64,
    content_type="image/webp",
    width=16384,
    height=16384,
    bytes=10**9,
    provider="black-forest-labs",
    seed=2**63,
)


def operation(**changes: object) -> Operation:
    made = Operation(
        id="0" * 20,
        owner="me",
        dialect="operations",
        request=ImageRequest(model="flux", messages=(Message("a cat"),)),
        created_at=1.0,
        deadline=901.0,
        due_at=61.0,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", State)
def test_every_state_reached_is_announced_under_its_own_name(state: State) -> None:
    before = operation(state=State.FAILED if state is State.QUEUED else State.QUEUED)
    after = replace(before, state=state, version=2)
    event = event_for(before, after)
    assert (event is None) is (state is before.state)
    if event:
        assert event.detail_type == DETAIL_TYPES[state]
        assert (event.id, event.detail()["sequence"]) == (f"{'0' * 20}.2", 2)


def test_a_new_operation_is_announced_and_a_mere_touch_is_not() -> None:
    first = operation()
    event = event_for(None, first)
    assert event
    assert event.detail_type == "Image Generation Queued"
    assert event_for(first, replace(first, version=2, due_at=99.0)) is None


def test_a_late_picture_is_announced_as_a_success_of_the_failed_operation() -> None:
    failed = operation(state=State.FAILED)
    late = replace(failed, version=2, pictures=(replace(PICTURE, late=True),))
    event = event_for(failed, late)
    assert event
    assert event.detail_type == "Image Generation Succeeded"
    assert event.detail()["operation"]["state"] == "failed"
    assert event.detail()["operation"]["late"]


def test_a_retry_after_a_late_picture_is_announced_as_what_it_is() -> None:
    late = operation(state=State.FAILED, pictures=(replace(PICTURE, late=True),))
    event = event_for(late, late.moved(State.QUEUED, 2.0, failure=None))
    assert event
    assert event.detail_type == "Image Generation Queued"


def attempt(number: int, message: str) -> Attempt:
    failure = Failure(FailureCode.UPSTREAM_FAILED, message)
    return Attempt(
        number=number,
        provider="p" * 40,
        model="m" * 100,
        slots=(9,),
        state=AttemptState.FAILED,
        started_at=1.0,
        ended_at=2.0,
        failure=failure,
    )


@pytest.mark.slow
@pytest.mark.parametrize("letter", ["x", "ж", "🦊", '"', "\x01"])
def test_an_announcement_stays_far_below_what_the_bus_takes(letter: str) -> None:
    largest = operation(
        request=ImageRequest(model="flux", messages=(Message(letter * 32_000),), n=10),
        metadata={f"{at:02}" + letter * 62: letter * 512 for at in range(16)},
        attempts=tuple(attempt(at, letter * 10_000) for at in range(500)),
        pictures=tuple(replace(PICTURE, slot=slot, revised_prompt=letter * 32_000) for slot in range(10)),
        failure=Failure(FailureCode.UPSTREAM_FAILED, letter * 10_000),
    )
    detail = Event(largest).detail()
    assert len(json.dumps(detail, ensure_ascii=False).encode()) < 160 * 1024
    assert detail["abridged"]
    reported = detail["operation"]
    assert reported["prompt"] == letter * LONGEST_TEXT
    assert [entry["number"] for entry in reported["attempts"]] == list(range(500 - MOST_ATTEMPTS, 500))
    assert reported["attempts"][0]["error"]["message"] == masked(letter) * LONGEST_PART
    assert [entry["revised_prompt"] for entry in reported["images"]] == [letter * LONGEST_PART] * 10


def test_an_ordinary_announcement_is_whole() -> None:
    detail = Event(operation(attempts=(attempt(1, "It is overloaded."),), pictures=(PICTURE,))).detail()
    assert not detail["abridged"]
    assert detail["operation"]["prompt"] == "a cat"


def test_an_announcement_holds_neither_tickets_nor_addresses_nor_claims() -> None:
    secret = "s3cr3t"
    one = replace(attempt(1, "no"), ticket={"token": secret}, sources=(Source(f"https://x/?sig={secret}"),))
    reported = Event(
        operation(attempts=(one,), claim=f"key#me#{secret}", reply={"user": secret}, digest=secret)
    ).detail()
    assert secret not in json.dumps(reported)
