"""How attempts end: who hears of it, what is stopped, whose reason becomes the operation's."""

import pytest

from imagegate.domain.failure import FailureCode
from imagegate.domain.operation.attempt import AttemptState, Source
from imagegate.domain.operation.operation import State
from imagegate.domain.operation.outcome import Failed, Pending, Ready, Ticket
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import CompletionMode, Limits
from support.fakes import failing, picture
from support.world import URL, World, ready


def test_every_failure_counts_against_its_provider_and_is_measured() -> None:
    world = World()
    world.alpha.submissions = [failing(FailureCode.UPSTREAM_FAILED)]
    world.beta.checks = [Failed(failing(FailureCode.BAD_PAYLOAD).failure)]
    operation = world.begun()
    world.submit(operation.id)
    world.submit(operation.id)
    world.clock.sleep(30)
    world.poll(operation.id)
    assert world.admission.reports == [
        ("alpha", FailureCode.UPSTREAM_FAILED),
        ("beta", FailureCode.BAD_PAYLOAD),
    ]
    assert [(attempt.provider, attempt.state) for attempt in world.telemetry.attempts] == [
        ("alpha", AttemptState.FAILED),
        ("beta", AttemptState.FAILED),
    ]
    assert all(attempt.ended_at is not None and attempt.lease_until == 0.0 for attempt in world.telemetry.attempts)


def test_a_success_has_its_moment() -> None:
    world = World()
    world.alpha.submissions = [Ready(bodies=(picture(),))]
    [attempt] = world.drive(world.begun()).attempts
    assert (attempt.state, attempt.ended_at, attempt.lease_until) == (AttemptState.DONE, world.clock.now(), 0.0)


def test_of_a_cancelled_operation_only_the_jobs_under_way_are_stopped() -> None:
    world = World()
    world.alpha.submissions = [Ticket({"job": 1}), Ticket({"job": 2})]
    world.alpha.checks = [ready(), Ready()]
    operation = world.begun(n=2, seed=7)
    world.submit(operation.id)
    first, second = world.now(operation).attempts
    world.alpha.check = lambda ticket, hold_until: (  # type: ignore[method-assign]
        ready() if ticket.data == {"job": 1} else Failed(failing(FailureCode.UPSTREAM_FAILED).failure)
    )
    world.beta.submissions = [Ticket({"job": 3})]
    world.poll(operation.id)
    world.submit(operation.id)
    states = {attempt.number: attempt.state for attempt in world.now(operation).attempts}
    assert (states[first.number], states[second.number]) == (AttemptState.DONE, AttemptState.FAILED)
    world.cancel(world.now(operation))
    world.submit(operation.id)
    assert (world.alpha.cancelled, world.beta.cancelled) == ([], [Ticket({"job": 3})])
    after = {attempt.number: attempt.state for attempt in world.now(operation).attempts}
    assert after[first.number] is AttemptState.DONE


def test_an_operation_fails_for_what_kept_the_picture_that_is_missing() -> None:
    world = World()
    for provider in (world.alpha, world.beta):
        provider.submissions = [failing(FailureCode.BAD_PAYLOAD), failing(FailureCode.UPSTREAM_FAILED)]
    ended = world.drive(world.begun(n=2, seed=7))
    assert ended.state is State.FAILED
    assert ended.failure
    reasons = [attempt.failure for attempt in ended.attempts if attempt.slots == (0,)]
    assert ended.failure == reasons[-1]


def test_what_a_private_request_was_made_into_is_not_kept_for_a_moment() -> None:
    world = World()
    world.alpha.checks = [Ready(sources=(Source(URL),), revised_prompts=("a secret cat",))]
    operation = world.begun(private=True)
    ended = world.drive(operation)
    assert ended.state is State.SUCCEEDED
    assert not any("a secret cat" in str(version) for version in world.store.history)


def test_more_pictures_than_were_asked_for_are_not_noted() -> None:
    world = World()
    world.alpha.checks = [Ready(sources=(Source(URL), Source(URL + "?2")))]
    operation = world.drive(world.begun())
    noted = [attempt.sources for version in world.store.history for attempt in version.attempts if attempt.sources]
    assert operation.state is State.SUCCEEDED
    assert set(noted) == {(Source(URL),)}


@pytest.mark.parametrize(
    ("hold_seconds", "age", "seconds"),
    [
        (100, 30, 100),  # as long as the upstream's streams last
        (2000, 30, 840),  # as long as the visit, less what bringing the picture home takes
        (840, 850, 170),  # until two minutes after the deadline
    ],
)
def test_a_stream_is_kept_open_as_long_as_it_may_be_worth_it(hold_seconds: float, age: float, seconds: float) -> None:
    world = World()
    world.alpha.limits = Limits(
        completion=CompletionMode.STREAM, grid=Grid(64, 2048, 8), prompt_characters=1000, hold_seconds=hold_seconds
    )
    world.alpha.checks = [Pending()]
    operation = world.begun()
    world.submit(operation.id)
    world.clock.sleep(age)
    world.poll(operation.id)
    assert world.alpha.held_until[0] - operation.created_at - age == seconds
