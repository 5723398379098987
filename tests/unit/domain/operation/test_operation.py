"""The transition table and the values around it."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.errors import WrongState
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.attempt import Attempt, AttemptState, Source
from imagegate.domain.operation.document import dumps, loads
from imagegate.domain.operation.events import event_for
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.picture import Picture
from imagegate.domain.operation.usage import Usage
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message

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
    request = ImageRequest(model="flux", messages=(Message("a cat"),), n=n)
    return Operation(
        id="0" * 20,
        owner="me",
        dialect="openai_images",
        request=request,
        created_at=1.5,
        deadline=900,
        due_at=60,
        state=state,
    )


def attempt(number: int, slot: int, state: AttemptState) -> Attempt:
    return Attempt(number=number, provider="alpha", model="schnell", slots=(slot,), state=state, started_at=1.0)


def a_picture(slot: int) -> Picture:
    return Picture(
        slot=slot,
        key=f"images/{slot}.png",
        sha256="ab",
        content_type="image/png",
        width=8,
        height=8,
        bytes=100,
        provider="alpha",
        seed=7,
    )


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
    assert half.complete_if_done(5.0) is half
    whole = half.with_pictures((a_picture(1),)).complete_if_done(5.0)
    assert whole.state is State.SUCCEEDED
    assert whole.complete_if_done(6.0) is whole


def test_documents_bring_back_every_field() -> None:
    request = ImageRequest(
        model="flux",
        messages=(Message("кот", 2.5), Message("b")),
        n=2,
        size=Size(640, 480),
        ratio=(2, 1),
        seed=7,
        steps=4,
        guidance=3.5,
        negative_prompt="no dogs",
        output_format="webp",
        output_compression="alpha",
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
    assert loads(Operation, dumps(full)) == full


def test_one_announcement_per_state_reached() -> None:
    new = operation()
    running = replace(new.moved(State.RUNNING, 2.0), version=2)
    touched = replace(running, version=3)
    ended = replace(touched.moved(State.SUCCEEDED, 3.0), version=4)
    steps = [event_for(None, new), event_for(new, running), event_for(running, touched), event_for(touched, ended)]
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
    assert before.merge_attempt(attempt(1, 0, word)).attempts[0].state is then


def test_a_ticket_that_comes_too_late_is_noted_but_not_waited_for() -> None:
    before = operation(state=State.RUNNING).with_attempt(attempt(1, 0, AttemptState.UNKNOWN))
    resubmitted = before.with_attempt(attempt(2, 0, AttemptState.SUBMITTED))
    late = replace(attempt(1, 0, AttemptState.SUBMITTED), ticket={"job": 1})
    first, second = resubmitted.merge_attempt(late).attempts
    assert (first.state, first.ticket) == (AttemptState.UNKNOWN, {"job": 1})
    assert second.state is AttemptState.SUBMITTED


def test_what_several_pictures_took_is_told_although_an_attempt_failed() -> None:
    took = Usage(input_tokens=1, output_tokens=2, total_tokens=3)
    one = operation(n=2).with_attempt(attempt(1, 0, AttemptState.FAILED))
    one = one.with_attempt(replace(attempt(2, 0, AttemptState.DONE), usage=took))
    assert one.usage == took


def test_before_the_first_picture_nobody_has_made_it() -> None:
    assert operation().provider is None
    assert operation().with_pictures((a_picture(0),)).provider == "alpha"


def test_a_retry_begins_with_a_clean_sheet() -> None:
    again = replace(operation(state=State.FAILED), started_at=3.0, ended_at=9.0).moved(State.QUEUED, 10.0)
    assert (again.started_at, again.ended_at, again.queued_at) == (None, None, 10.0)


@pytest.mark.parametrize(("private", "kept"), [(False, "a cat, expanded"), (True, None)])
def test_after_the_end_only_a_private_request_is_forgotten(private: bool, kept: str | None) -> None:
    ended = operation(state=State.FAILED)
    ended = replace(ended, request=replace(ended.request, private=private))
    late = replace(attempt(1, 0, AttemptState.DONE), prompt="a cat, expanded")
    assert ended.with_attempt(late).attempts[0].prompt == kept


def test_a_forgotten_job_that_still_runs_keeps_where_its_picture_is() -> None:
    source = Source("https://x.invalid/a")
    ready, done = (
        replace(attempt(1, 0, state), sources=(source,)) for state in (AttemptState.READY, AttemptState.DONE)
    )
    assert (ready.redacted().sources, done.redacted().sources) == ((source,), ())


def test_a_word_on_an_earlier_submission_does_not_end_its_repetition() -> None:
    """A throttled provider is asked again under the same number: the first answer may come after the second call."""
    repeated = replace(attempt(1, 0, AttemptState.SUBMITTED), repeats=1)
    before = operation(state=State.RUNNING).with_attempt(repeated)
    assert before.merge_attempt(attempt(1, 0, AttemptState.FAILED)) is before


def test_of_two_drivers_who_know_as_much_the_first_counts() -> None:
    first = replace(attempt(1, 0, AttemptState.FAILED), failure=Failure(FailureCode.UPSTREAM_FAILED, "first"))
    before = operation(state=State.RUNNING).with_attempt(first)
    assert before.merge_attempt(replace(first, failure=Failure(FailureCode.AUTH, "second"))) is before


@pytest.mark.parametrize("told", [None, {"job": 2}])
def test_a_ticket_once_known_stays(told: dict[str, int] | None) -> None:
    done = replace(attempt(1, 0, AttemptState.DONE), ticket={"job": 1})
    before = operation(state=State.RUNNING).with_attempt(done)
    assert before.merge_attempt(replace(attempt(1, 0, AttemptState.SUBMITTED), ticket=told)) is before


LOST = replace(
    attempt(1, 0, AttemptState.UNKNOWN),
    ticket={"job": 1},
    keep_until=100.0,
    ended_at=5.0,
    failure=Failure(FailureCode.AMBIGUOUS, "Interrupted."),
)


def test_a_job_that_was_given_up_is_looked_for_again_as_if_it_never_was() -> None:
    [found] = operation(state=State.RUNNING).with_attempt(LOST).reopen_lost(99.0).attempts
    assert found == replace(LOST, state=AttemptState.SUBMITTED, ended_at=None, failure=None)


@pytest.mark.parametrize(
    "others",
    [
        {"ticket": None},
        {"keep_until": 99.0},
        {"state": AttemptState.FAILED},
        {"slots": (0, 1)},
    ],
)
def test_a_job_nobody_can_find_or_needs_stays_given_up(others: dict[str, Any]) -> None:
    before = operation(n=2, state=State.RUNNING).with_attempt(replace(LOST, **others))
    before = before.with_pictures((a_picture(1),))
    assert before.reopen_lost(99.0) is before


def test_an_attempt_that_made_fewer_pictures_gives_the_other_slots_back_and_costs_less() -> None:
    batch = replace(attempt(1, 0, AttemptState.READY), slots=(0, 1, 2), micro_dollars=9000)
    assert batch.reduced(3) is batch.reduced(5) is batch
    assert (batch.reduced(2).slots, batch.reduced(2).micro_dollars) == ((0, 1), 6000)
    assert (batch.reduced(0).slots, batch.reduced(0).micro_dollars) == ((0,), 3000)


def test_only_a_stream_that_is_still_open_is_overheard() -> None:
    listened = replace(attempt(1, 0, AttemptState.SUBMITTED), lease_until=9.0)
    assert listened.stream_already_read
    assert not replace(listened, lease_until=0.0).stream_already_read
    assert not replace(listened, state=AttemptState.SUBMITTING).stream_already_read
