"""What the machine test found, each as the least that shows it: drivers that overtake each other, late retries.

And what it cannot find, as it nests one driver in another: two that are both in the middle of something.
"""

import threading
from contextlib import suppress

from imagegate.domain.errors import Conflict
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.attempt import AttemptState
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Failed, Pending, Ready, Submission, Ticket
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.domain.timing.latency import Histogram
from support.fakes import failing, picture
from support.unrest import Killed, before, die
from support.world import URL, World, overtaken, ready


def test_an_attempt_of_another_driver_is_not_overwritten() -> None:
    """Two drivers both took number 1: the one submission vanished from the record."""
    world = World()
    operation = world.begun()
    world.alpha.submissions = [failing(FailureCode.UPSTREAM_FAILED), Ticket({"job": 1})]
    before(world.admission, "admit", lambda: world.submit(operation.id, "other"))
    world.submit(operation.id, "one")
    assert len(world.alpha.submitted) + len(world.beta.submitted) == len(world.now(operation).attempts)


def test_a_submitter_overtaken_by_its_lease_does_not_live_twice() -> None:
    """Stopped for a minute before the call: its slot was given to another attempt, and then both were live."""
    world = World()
    operation = world.begun()
    overtaken(world, operation)
    first, second = world.now(operation).attempts
    assert (first.state, second.state) == (AttemptState.UNKNOWN, AttemptState.SUBMITTED)
    assert first.ticket


def test_a_retried_operation_takes_the_picture_of_its_earlier_job() -> None:
    """Queued with a job still under way, its picture could not make it succeed: Poll broke down until it failed."""
    world = World()
    operation = world.begun()
    world.submit(operation.id)
    world.retry(world.cancel(world.now(operation)))
    world.alpha.checks = [ready()]
    world.poll(operation.id)
    assert world.now(operation).state is State.SUCCEEDED
    assert len(world.alpha.submitted) == 1


def test_a_retried_operation_that_has_every_picture_ends() -> None:
    """All pictures had come late: nothing was missing, nothing was waited for, and nothing ended it."""
    world = World()
    operation = world.begun()
    world.submit(operation.id)
    world.fail(operation.id, "States.Timeout")
    world.alpha.checks = [ready()]
    world.poll(operation.id)
    late = world.now(operation)
    assert late.late_pictures
    world.retry(late)
    assert world.submit(operation.id).next == "done"
    assert world.now(operation).state is State.SUCCEEDED


def test_the_deadline_of_an_operation_whose_submitter_died() -> None:
    """No attempt had a reason yet: Poll broke down, and the operation failed as `internal`."""
    world = World()
    operation = world.begun()
    world.clock.sleep(890)
    before(world.alpha, "submit", die)
    with suppress(Killed):
        world.submit(operation.id)
    world.clock.sleep(20)
    world.poll(operation.id)
    failure = world.now(operation).failure
    assert failure
    assert failure.code is FailureCode.DEADLINE_EXCEEDED


def test_a_run_that_begins_anew_does_not_wait_for_its_own_lease() -> None:
    """Resumed after a restart, at Submit: it waited for the listener that it was itself, until the deadline."""
    world = World()
    world.alpha.limits = Limits(completion=CompletionMode.STREAM, grid=Grid(64, 2048, 8), prompt_characters=1000)
    operation = world.begun()
    world.submit(operation.id, "run")
    world.clock.sleep(30)
    world.alpha.check = lambda ticket, hold_until: die()  # type: ignore[method-assign, assignment, return-value]
    with suppress(Killed):
        world.poll(operation.id, "run")
    assert world.submit(operation.id, "run").wait <= 1
    assert world.submit(operation.id, "another").wait > 100
    world.alpha.check = lambda ticket, hold_until: Ready(bodies=(picture(),))  # type: ignore[method-assign]
    assert world.poll(operation.id, "run").next == "done"


def test_a_job_whose_operation_is_cancelled_during_the_submission_is_stopped() -> None:
    """Its ticket was not stored yet when the upstreams were told to cancel: it continued, and was paid for."""
    world = World()
    operation = world.begun()

    def cancel() -> None:
        assert world.cancel(world.now(operation)).may_have_cost
        world.submit(operation.id, "the cancel's own run")

    before(world.alpha, "submit", cancel)
    assert world.submit(operation.id).next == "done"
    assert world.alpha.cancelled == [Ticket({"job": 1})]
    [attempt] = world.now(operation).attempts
    assert (attempt.state, attempt.ticket) == (AttemptState.FAILED, {"job": 1})
    assert world.now(operation).may_have_cost


def test_a_release_does_not_end_the_retry_that_came_before_it() -> None:
    """The job of the cancelled try was given up after the caller had asked to try again: the new try failed with it."""
    world = World()
    operation = world.begun()
    world.submit(operation.id)
    world.cancel(world.now(operation))
    before(world.alpha, "cancel", lambda: world.retry(world.now(operation)))
    world.submit(operation.id, "the cancel's own run")
    assert world.now(operation).state is State.QUEUED
    world.alpha.checks = [ready()]
    assert world.drive(operation).state is State.SUCCEEDED


def test_a_stream_whose_listener_died_is_soon_given_up() -> None:
    """Had it been told the result, the second listener heard heartbeats until the deadline."""
    world = World()
    world.alpha.limits = Limits(completion=CompletionMode.STREAM, grid=Grid(64, 2048, 8), prompt_characters=1000)
    world.alpha.checks = [Killed(), ready()]  # type: ignore[list-item]
    operation = world.begun()
    world.submit(operation.id)
    world.clock.sleep(30)
    begun = world.clock.now()
    with suppress(Killed):
        world.poll(operation.id)
    world.poll(operation.id)
    first, second = world.alpha.held_until
    assert first > begun + 800
    assert begun + 30 <= second < begun + 120


def test_a_stream_that_nobody_may_have_opened_gets_the_time_its_job_needs() -> None:
    """The listener may have died before it could open it: half a minute would lose what takes five."""
    world = World()
    world.alpha.limits = Limits(completion=CompletionMode.STREAM, grid=Grid(64, 2048, 8), prompt_characters=1000)
    learned = Histogram()
    for _ in range(50):
        learned = learned.with_observation(300.0)
    world.latencies.known["alpha"] = learned
    world.alpha.checks = [Killed(), ready()]  # type: ignore[list-item]
    operation = world.begun()
    step = world.submit(operation.id)
    world.clock.sleep(step.wait)
    with suppress(Killed):
        world.poll(operation.id)
    world.poll(operation.id)
    assert world.alpha.held_until[1] >= operation.created_at + 300


def test_a_submitter_that_died_and_the_deadline_leave_nothing_submitting() -> None:
    """The operation had ended and was left alone; its record said `submitting` for ever."""
    world = World()
    operation = world.begun()
    before(world.alpha, "submit", die)
    with suppress(Killed):
        world.submit(operation.id)
    world.fail(operation.id, "States.Timeout")
    world.clock.sleep(400)
    assert world.sweep() == 1
    world.submit(operation.id, "the sweep's run")
    [attempt] = world.now(operation).attempts
    assert attempt.state is AttemptState.UNKNOWN
    world.clock.sleep(400)
    assert world.sweep() == 0


def test_a_job_is_stopped_though_the_cancels_run_died() -> None:
    """A cancelled operation was not polled: the upstream continued, and was paid."""
    world = World()
    operation = world.begun()
    world.submit(operation.id)
    world.cancel(world.now(operation))
    world.clock.sleep(400)
    assert world.sweep() == 1
    world.submit(operation.id, "the sweep's run")
    assert world.alpha.cancelled == [Ticket({"job": 1})]
    world.clock.sleep(400)
    assert world.sweep() == 0


def test_the_address_a_blocking_upstream_told_is_fetched_from_after_the_end() -> None:
    """Without a ticket it was not polled: the picture was paid for, and lost."""
    world = World()
    world.alpha.submissions = [ready()]
    operation = world.begun()
    before(world.http, "download", die)
    with suppress(Killed):
        world.submit(operation.id)
    world.fail(operation.id, "States.Timeout")
    world.clock.sleep(400)
    assert world.sweep() == 1
    world.submit(operation.id, "the sweep's run")
    assert len(world.now(operation).late_pictures) == 1


def overtaken_by_its_submitter(world: World, operation: Operation, answer: Submission) -> None:
    """A look that finds a submitter beyond its lease, who is not dead, and writes what he heard a moment earlier."""
    sent, answered = threading.Event(), threading.Event()

    def submit(upstream_request: UpstreamRequest) -> Submission:
        world.alpha.submitted.append(upstream_request.request)
        sent.set()
        answered.wait(10)
        return answer

    def meanwhile() -> None:
        answered.set()
        submitter.join(10)

    world.alpha.submit = submit  # type: ignore[method-assign]
    submitter = threading.Thread(target=world.submit, args=(operation.id, "slow"))
    submitter.start()
    sent.wait(10)
    world.clock.sleep(60)
    before(world.store, "replace", meanwhile)
    world.poll(operation.id, "other")


def test_a_ticket_is_not_forgotten_for_an_older_verdict() -> None:
    """The submitter had been thought dead: its job was lost, and another bought."""
    world = World()
    operation = world.begun()
    world.alpha.checks = [Pending(), ready()]
    overtaken_by_its_submitter(world, operation, Ticket({"job": 1}))
    assert world.drive(operation, "other").state is State.SUCCEEDED
    assert (len(world.alpha.submitted), len(world.beta.submitted)) == (1, 0)


def test_an_address_is_not_forgotten_for_an_older_verdict() -> None:
    """It had been told once, and its host was out of reach for a moment."""
    world = World()
    operation = world.begun()
    world.http.downloads[URL] = failing(FailureCode.UPSTREAM_FAILED)
    overtaken_by_its_submitter(world, operation, ready())
    world.http.downloads[URL] = picture()
    assert world.drive(operation, "other").state is State.SUCCEEDED
    assert (len(world.alpha.submitted), len(world.beta.submitted)) == (1, 0)


def test_a_job_that_ends_nobody_knows_how_is_not_looked_for_again() -> None:
    """With its ticket it was taken up again as soon as it was given up, without end."""
    world = World()
    operation = world.begun()
    world.alpha.checks = [Failed(Failure(FailureCode.AMBIGUOUS, "It may have worked."))]
    world.beta.checks = [ready()]
    assert world.drive(operation, steps=50).state is State.SUCCEEDED
    assert world.now(operation).attempts[0].may_have_cost


def test_a_retry_whose_write_was_repeated_is_begun() -> None:
    """Its answer was lost: the caller was told that it is already queued, and no workflow ran."""
    world = World()
    operation = world.begun()
    world.cancel(operation)

    def lost() -> None:
        raise Conflict("The SDK wrote once more.")

    before(world.store, "replace", lost, after=True)
    again = world.retry(world.now(operation))
    assert again.state is State.QUEUED
    assert (again.id, f"{again.id}-{again.version}") in world.workflow.runs
