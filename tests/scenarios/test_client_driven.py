"""A client that waits drives its operation: no execution does, until the client leaves or a step takes more."""

from dataclasses import replace

import pytest

from imagegate.domain.failure import FailureCode
from imagegate.domain.operation.attempt import AttemptState
from imagegate.domain.operation.operation import State
from imagegate.domain.operation.outcome import Pending, Ticket
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.domain.request.route import Route
from imagegate.domain.request.routes import Routes
from imagegate.domain.timing.client_steps import POLL_PRICE, REPEAT, StepTime
from imagegate.usecases.start import GenerationRequest
from support.fakes import ScriptedProvider, failing, routes
from support.unrest import Killed, before
from support.waiting_client import begun, wait, waited_world
from support.world import World, ready


def stream(world: World) -> None:
    """Have the upstreams tell the end of a job in a stream."""
    limits = Limits(completion=CompletionMode.STREAM, grid=Grid(64, 2048, 8), prompt_characters=1000)
    world.alpha.limits = limits
    [route] = routes("alpha", "beta")
    targets = tuple(replace(target, limits=limits) for target in route.targets)
    world.routes = Routes([Route(model="flux", targets=targets)])
    world.__post_init__()


def fail() -> None:
    raise RuntimeError("a fault of the code")


@pytest.mark.parametrize(("usually", "takes"), [(3, 3.3), (3, 9), (30, 34), (30, 90), (600, 700)])
def test_a_client_that_waits_needs_no_execution(usually: float, takes: float) -> None:
    world = waited_world(usually, takes)
    operation = begun(world)
    world.direct_step(operation.id)
    ended = wait(world, operation)
    assert ended.state is State.SUCCEEDED
    assert not world.workflow.runs
    assert len(world.alpha.submitted) == 1
    late = world.clock.now() - world.alpha.ends_at
    assert 0 <= late < max(2.0, takes / 10)
    [(earliest, latest)] = world.latencies.seen[-1:]
    assert earliest <= takes + 0.01 <= latest + 0.02, "the schedule learns from the last two polls"


@pytest.mark.parametrize(("usually", "takes", "inline"), [(3, 9, False), (8, 8.4, True)])
def test_a_picture_that_a_step_finds_knows_the_polls_before(usually: float, takes: float, inline: bool) -> None:
    """Inline: the step polled the job unfinished, and it ended so soon after that the step waited for it."""
    world = waited_world(usually, takes)
    operation = begun(world)
    world.direct_step(operation.id)
    step = StepTime(0.0)
    while not world.now(operation).done:
        step = world.deployment.wait_services.next_step(world.now(operation), world.clock.now())
        world.clock.sleep(step.at - world.clock.now())
        world.direct_step(operation.id, step.last_poll_at, step.poll_count)
    assert (world.clock.now() > step.at + 0.1) == inline
    [(polls, _)] = world.telemetry.watched
    assert polls == step.poll_count + 1


def test_a_client_that_leaves_is_followed_by_an_execution() -> None:
    world = waited_world()
    operation = begun(world)
    step = world.direct_step(operation.id)
    assert (step.next, world.workflow.runs) == ("wait", [])
    operation = wait(world, operation, seconds=10)
    assert world.now(operation).due_at <= world.clock.now() + 300, "sweep comes within minutes"
    world.clock.sleep(300)
    assert world.sweep() == 1
    [(_, run)] = world.workflow.runs
    ended = world.drive(operation, run)
    assert (ended.state, ended.by_client, len(world.alpha.submitted)) == (State.SUCCEEDED, None, 1)


def test_an_execution_takes_over_for_good() -> None:
    world = waited_world()
    operation = begun(world)
    world.direct_step(operation.id)
    world.submit(operation.id, "swept")
    after = world.clock.now() + 5
    assert world.deployment.wait_services.next_step(world.now(operation), after).at == float("inf")


def test_a_step_that_fails_is_repeated_by_an_execution() -> None:
    world = waited_world()
    operation = begun(world)

    before(world.store, "get", fail)
    world.direct_step(operation.id)
    [(started, run)] = world.workflow.runs
    assert started == operation.id
    world.alpha.ends_at = 0
    assert world.drive(operation, run).state is State.SUCCEEDED


def test_the_execution_after_a_step_that_failed_need_not_wait_for_its_lease() -> None:
    world = waited_world()
    stream(world)
    operation = begun(world)
    world.direct_step(operation.id)
    before(world.alpha, "check", fail)
    steps = world.deployment.wait_services.next_step(world.now(operation), world.clock.now())
    world.clock.sleep(steps.at - world.clock.now())
    world.direct_step(operation.id, steps.last_poll_at, steps.poll_count)
    assert world.now(operation).attempts[0].lease_until > world.clock.now()
    [(_, run)] = world.workflow.runs
    world.submit(operation.id, run)
    assert world.now(operation).state is State.SUCCEEDED


def test_what_takes_more_than_polls_gets_an_execution() -> None:
    world = waited_world()
    # The second picture is throttled at both providers.
    world.alpha.submissions = [Ticket({"job": 1}), failing(FailureCode.RATE_LIMITED, 20)]
    world.beta.submissions = [failing(FailureCode.RATE_LIMITED, 20)]
    operation = begun(world, n=2)
    world.direct_step(operation.id)
    assert world.workflow.runs == [(operation.id, operation.id)]


def test_an_expansion_has_an_execution_from_the_start() -> None:
    world = waited_world()
    request = ImageRequest(model="flux", messages=(Message("a cat"),), expand=True)
    operation = world.start(GenerationRequest(request=request, dialect="openai_images", client_waits=True))
    assert (operation.by_client, world.workflow.runs) == (None, [(operation.id, operation.id)])


def test_an_upstream_that_asks_for_a_pause_gets_it_from_an_execution() -> None:
    """The client's requests plan by what is stored, and a poll's answer is not."""
    world = waited_world()
    operation = begun(world)
    world.direct_step(operation.id)
    world.alpha.check = lambda ticket, hold_until: Pending(retry_after=60)  # type: ignore[method-assign]
    wait(world, operation, seconds=40)
    assert [started for started, _ in world.workflow.runs] == [operation.id]


def test_a_hint_leaves_its_client_to_drive() -> None:
    world = waited_world()
    operation = begun(world)
    world.direct_step(operation.id)
    assert world.submit(operation.id, f"{operation.id}-hook-1").next == "done"
    assert world.now(operation).by_client
    ended = wait(world, operation)
    assert ended.state is State.SUCCEEDED
    assert not world.workflow.runs


def test_so_does_one_that_finds_a_failure_and_goes_on_to_the_next_provider() -> None:
    world = waited_world()
    operation = begun(world)
    world.direct_step(operation.id)
    world.alpha.check = lambda ticket, hold_until: failing(FailureCode.UPSTREAM_FAILED)  # type: ignore[method-assign]
    world.beta.submissions = [Ticket({"job": 2})]
    world.beta.checks = [Pending()]
    world.submit(operation.id, f"{operation.id}-hook-1")
    assert len(world.beta.submitted) == 1
    assert world.now(operation).by_client, "else nothing would drive it once the hint's execution has ended"


def test_a_failure_after_a_poll_is_followed_by_the_next_provider_at_once() -> None:
    world = waited_world(takes=0)
    world.alpha = ScriptedProvider(checks=[failing(FailureCode.UPSTREAM_FAILED)])
    world.__post_init__()
    world.beta.submissions = [ready()]
    operation = begun(world)
    world.direct_step(operation.id)
    world.alpha.checks = [Pending()]
    assert world.now(operation).attempts[-1].state is AttemptState.SUBMITTED


def test_a_first_step_that_was_lost_is_taken_again() -> None:
    world = waited_world()
    operation = begun(world)
    began = world.clock.now()
    ended = wait(world, operation)
    assert ended.state is State.SUCCEEDED
    assert ended.attempts[0].started_at == began + REPEAT


def test_a_submitter_that_died_is_noticed_by_its_client() -> None:
    world = waited_world()
    operation = begun(world)

    def die() -> None:
        raise Killed

    before(world.alpha, "submit", die)
    with pytest.raises(Killed):
        world.direct_step(operation.id)
    world.beta.submissions = [ready()]
    ended = wait(world, operation)
    assert ended.state is State.SUCCEEDED
    assert [attempt.state for attempt in ended.attempts] == [AttemptState.UNKNOWN, AttemptState.DONE]


def test_steps_taken_twice_at_once_submit_and_listen_once() -> None:
    world = waited_world()
    stream(world)
    operation = begun(world)
    before(world.alpha, "submit", lambda: world.direct_step(operation.id))
    world.direct_step(operation.id)
    assert len(world.alpha.submitted) == 1
    before(world.alpha, "check", lambda: world.direct_step(operation.id))
    ended = wait(world, operation)
    assert (ended.state, len(world.alpha.held_until)) == (State.SUCCEEDED, 1)


def test_the_client_polls_more_often_than_an_execution_and_politely() -> None:
    world = waited_world(usually=600, takes=700)
    operation = begun(world)
    world.direct_step(operation.id)
    wait(world, operation)
    assert 3 <= len(world.alpha.held_until) <= 40
    assert POLL_PRICE <= 1


def test_the_step_that_ends_an_overdue_operation_is_repeated_when_it_was_lost() -> None:
    world = waited_world(takes=10_000)
    operation = begun(world)
    world.direct_step(operation.id)
    found = world.now(operation)
    assert world.deployment.wait_services.next_step(found, found.deadline + 1).at == found.deadline + REPEAT


def test_an_overdue_operation_ends_while_its_client_waits() -> None:
    world = waited_world(takes=10_000)
    operation = begun(world)
    world.direct_step(operation.id)
    ended = wait(world, operation)
    assert ended.state is State.FAILED
    assert ended.failure
    assert ended.failure.code is FailureCode.DEADLINE_EXCEEDED
    assert world.clock.now() - ended.deadline < 1
