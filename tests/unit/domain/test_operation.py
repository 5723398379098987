"""The transition table and the values around it."""

import itertools
from dataclasses import replace

import pytest

from imagegate.domain.attempt import Attempt, AttemptState, Source
from imagegate.domain.document import dumps, loads
from imagegate.domain.errors import Failure, FailureCode, WrongState
from imagegate.domain.events import announced
from imagegate.domain.geometry import Size
from imagegate.domain.operation import Operation, Picture, State
from imagegate.domain.request import ImageRequest, Message

ALLOWED = {
    (State.QUEUED, State.RUNNING),
    (State.QUEUED, State.SUCCEEDED),
    (State.QUEUED, State.FAILED),
    (State.QUEUED, State.CANCELLED),
    (State.RUNNING, State.SUCCEEDED),
    (State.RUNNING, State.FAILED),
    (State.RUNNING, State.CANCELLED),
    (State.FAILED, State.QUEUED),
    (State.CANCELLED, State.QUEUED),
}


def operation(n: int = 1, state: State = State.QUEUED) -> Operation:
    request = ImageRequest("flux", (Message("a cat"),), n=n)
    return Operation("0" * 20, "me", "openai_images", request, created_at=1.5, deadline=900, due_at=60, state=state)


def attempt(number: int, slot: int, state: AttemptState) -> Attempt:
    return Attempt(number, "alpha", "schnell", (slot,), state, 1.0)


def a_picture(slot: int) -> Picture:
    return Picture(slot, f"images/{slot}.png", "ab", "image/png", 8, 8, 100, "alpha", 7)


@pytest.mark.parametrize(("old", "new"), list(itertools.product(State, State)))
def test_only_the_transitions_of_the_table_happen(old: State, new: State) -> None:
    if (old, new) in ALLOWED:
        assert operation(state=old).moved(new, 2.0).state is new
    else:
        with pytest.raises(WrongState):
            operation(state=old).moved(new, 2.0)


def test_done_is_true_in_the_three_last_states() -> None:
    assert [state for state in State if operation(state=state).done] == [
        State.SUCCEEDED,
        State.FAILED,
        State.CANCELLED,
    ]


def test_moving_stamps_start_and_end() -> None:
    running = operation().moved(State.RUNNING, 3.0)
    ended = running.moved(State.FAILED, 9.0, failure=Failure(FailureCode.INTERNAL, "x"))
    assert (running.started_at, running.ended_at) == (3.0, None)
    assert (ended.started_at, ended.ended_at) == (3.0, 9.0)


def test_a_slot_is_missing_unless_it_has_a_picture_or_a_live_attempt() -> None:
    one = operation(n=4).with_attempt(attempt(1, 0, AttemptState.SUBMITTED))
    one = one.with_attempt(attempt(2, 1, AttemptState.FAILED)).with_pictures((a_picture(2),))
    assert one.missing_slots == (1, 3)


def test_a_filled_slot_keeps_its_picture() -> None:
    one = operation(n=2).with_pictures((a_picture(1),))
    again = one.with_pictures((replace(a_picture(1), sha256="other"), a_picture(0)))
    assert [(picture.slot, picture.sha256) for picture in again.pictures] == [(0, "ab"), (1, "ab")]


def test_settled_only_with_every_picture_and_only_once() -> None:
    half = operation(n=2, state=State.RUNNING).with_pictures((a_picture(0),))
    assert half.settled(5.0) is half
    whole = half.with_pictures((a_picture(1),)).settled(5.0)
    assert whole.state is State.SUCCEEDED
    assert whole.settled(6.0) is whole


def test_documents_bring_back_every_field() -> None:
    request = ImageRequest(
        "flux", (Message("кот", 2.5), Message("b")), 2, Size(640, 480), (2, 1), 7, 4, 3.5, "no dogs", "webp", "alpha"
    )
    source = Source("https://x.invalid/a")
    failure = Failure(FailureCode.RATE_LIMITED, "slow down", 2.5)
    full = replace(
        operation(),
        request=request,
        reply={"response_format": "url"},
        state=State.FAILED,
        version=9,
        started_at=2.0,
        ended_at=3.0,
        failure=failure,
        attempts=(
            replace(attempt(1, 0, AttemptState.READY), ticket={"id": 1}, sources=(source,), seed=4, failure=failure),
        ),
        pictures=(a_picture(0),),
    )
    assert loads(dumps(full)) == full


def test_one_announcement_per_state_reached() -> None:
    new = operation()
    running = replace(new.moved(State.RUNNING, 2.0), version=2)
    touched = replace(running, version=3)
    ended = replace(touched.moved(State.SUCCEEDED, 3.0), version=4)
    steps = [announced(None, new), announced(new, running), announced(running, touched), announced(touched, ended)]
    assert [event and (event.detail_type, event.id) for event in steps] == [
        ("Image Generation Queued", f"{new.id}.1"),
        ("Image Generation Started", f"{new.id}.2"),
        None,
        ("Image Generation Succeeded", f"{new.id}.4"),
    ]


@pytest.mark.parametrize(
    ("known", "word", "then"),
    [
        (AttemptState.SUBMITTING, AttemptState.SUBMITTED, AttemptState.SUBMITTED),
        (AttemptState.DONE, AttemptState.READY, AttemptState.DONE),
        (AttemptState.DONE, AttemptState.FAILED, AttemptState.DONE),
        (AttemptState.FAILED, AttemptState.READY, AttemptState.FAILED),
        (AttemptState.FAILED, AttemptState.DONE, AttemptState.DONE),
        (AttemptState.UNKNOWN, AttemptState.SUBMITTED, AttemptState.SUBMITTED),
    ],
)
def test_of_two_drivers_words_the_better_informed_counts(
    known: AttemptState, word: AttemptState, then: AttemptState
) -> None:
    before = operation(state=State.RUNNING).with_attempt(attempt(1, 0, known))
    assert before.informed(attempt(1, 0, word)).attempts[0].state is then


def test_a_ticket_that_comes_too_late_is_noted_but_not_waited_for() -> None:
    before = operation(state=State.RUNNING).with_attempt(attempt(1, 0, AttemptState.UNKNOWN))
    resubmitted = before.with_attempt(attempt(2, 0, AttemptState.SUBMITTED))
    late = replace(attempt(1, 0, AttemptState.SUBMITTED), ticket={"job": 1})
    first, second = resubmitted.informed(late).attempts
    assert (first.state, first.ticket) == (AttemptState.UNKNOWN, {"job": 1})
    assert second.state is AttemptState.SUBMITTED
