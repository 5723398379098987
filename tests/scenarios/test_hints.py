"""An upstream's hint that a job has ended makes the workflow poll now, and nothing else."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.attempt import AttemptState
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.outcome import Failed, Pending
from imagegate.domain.request.route import Route
from imagegate.domain.request.routes import Routes
from imagegate.usecases.take_hint import TakeHint
from support.fakes import FakeClock, MemoryLatencies, MemoryRequestRate, routes
from support.world import World, ready

BASE = "https://images.example.com"


def hooked_world(expected_seconds: float = 600.0, *, calls: bool = True, base: str = BASE) -> World:
    """A world whose upstreams call hooks, with jobs that take so long."""
    [route] = routes("alpha", "beta")
    targets = tuple(replace(each, limits=replace(each.limits, calls_hooks=calls)) for each in route.targets)
    latencies = MemoryLatencies(expected_seconds, trained=True)
    world = World(routes=Routes([Route(model="flux", targets=targets)]), latencies=latencies, public_url=base)
    world.alpha.checks = [Pending()]
    return world


def hint(world: World, operation: Operation, token: str | None = None) -> bool:
    """Call the address that the upstream was given, or one with another token."""
    rate = world.deployment.request_rate
    take = TakeHint(store=world.store, workflow=world.workflow, request_rate=rate)
    return take(operation.id, token or token_of(world))


def token_of(world: World) -> str:
    """The token in the address that alpha was given last."""
    return world.alpha.hooks[-1].rpartition("=")[2]


def hooked_runs(world: World) -> list[str]:
    return [run for _, run in world.workflow.runs if "hook" in run]


def test_the_picture_is_there_as_soon_as_the_upstream_says_so() -> None:
    world = hooked_world()
    operation = world.begun()
    step = world.submit(operation.id)
    assert step.next == "wait"
    assert world.alpha.hooks == [f"{BASE}/v1/hooks/{operation.id}?token={token_of(world)}"]
    world.clock.sleep(step.wait / 2)
    world.alpha.checks = [ready()]
    assert hint(world, operation)
    [run] = hooked_runs(world)
    assert world.submit(operation.id, run).next == "done"
    assert world.now(operation).state is State.SUCCEEDED
    world.clock.sleep(step.wait / 2)
    assert world.poll(operation.id, last_poll_at=step.last_poll_at).next == "done"
    assert len(world.alpha.submitted) == 1


def test_what_is_learned_is_when_the_hint_came() -> None:
    world = hooked_world()
    operation = world.begun()
    world.submit(operation.id)
    world.clock.sleep(100)
    world.alpha.checks = [ready()]
    hint(world, operation)
    world.submit(operation.id, hooked_runs(world)[0])
    assert world.latencies.seen == [(100.0, 100.0)]


def test_a_hint_in_vain_costs_one_poll() -> None:
    world = hooked_world()
    operation = world.begun()
    world.submit(operation.id)
    before = world.now(operation)
    hint(world, operation)
    assert world.submit(operation.id, hooked_runs(world)[0]).next == "done"
    assert len(world.alpha.held_until) == 1
    assert world.now(operation) == before, "nothing was written"


def test_hints_for_one_submission_start_one_execution_however_often_they_come() -> None:
    world = hooked_world()
    operation = world.begun()
    world.submit(operation.id)
    started: list[str] = []
    world.workflow.start = lambda operation_id, run: started.append(run)  # type: ignore[method-assign]
    assert all(hint(world, operation) for _ in range(100))
    assert len(set(started)) == 1
    assert len(started) == 10, "the rest did not even ask Step Functions"


@pytest.mark.parametrize("end", ["succeeded", "cancelled"])
def test_a_hint_after_the_end_starts_nothing(end: str) -> None:
    world = hooked_world()
    operation = world.begun()
    world.submit(operation.id)
    if end == "cancelled":
        world.cancel(operation)
    else:
        world.alpha.checks = [ready()]
        world.clock.sleep(600)
        world.poll(operation.id)
    assert world.now(operation).done
    assert hint(world, operation)
    assert hooked_runs(world) == []


@pytest.mark.parametrize("token", ["x", "\ud800", "é" * 5000, "a" * 32])
def test_any_other_token_is_refused(token: str) -> None:
    world = hooked_world()
    operation = world.begun()
    world.submit(operation.id)
    assert not hint(world, operation, token)
    assert not TakeHint(store=world.store, workflow=world.workflow, request_rate=MemoryRequestRate(FakeClock()))(
        "0" * 20, token_of(world)
    )
    other = world.begun()
    assert not hint(world, other), "a token is for its own operation"
    assert hooked_runs(world) == []


def test_the_token_is_not_in_the_path_which_access_logs_hold() -> None:
    world = hooked_world()
    world.submit(world.begun().id)
    [address] = world.alpha.hooks
    assert len(token_of(world)) == 32
    assert token_of(world) not in urlsplit(address).path


def test_the_table_holds_no_token() -> None:
    world = hooked_world()
    operation = world.begun()
    world.submit(operation.id)
    assert token_of(world) not in world.store.documents[operation.id]


def test_a_hint_of_a_failure_lets_the_next_provider_begin_at_once() -> None:
    world = hooked_world()
    operation = world.begun()
    world.submit(operation.id)
    world.alpha.checks = [Failed(Failure(FailureCode.UPSTREAM_FAILED, "broke"))]
    hint(world, operation)
    world.beta.checks = [Pending()]
    assert world.submit(operation.id, hooked_runs(world)[0]).next == "wait"
    assert [attempt.provider for attempt in world.now(operation).attempts] == ["alpha", "beta"]


def test_a_hint_that_overtakes_its_own_submission_starts_nothing() -> None:
    """The job cannot be polled yet; the operation's own execution does so later."""
    world = hooked_world()
    operation = world.begun()
    world.submit(operation.id)
    submitted = world.now(operation)
    early = replace(submitted.attempts[0], state=AttemptState.SUBMITTING, ticket=None)
    world.update_with_retry(submitted, lambda current: replace(current, attempts=(early,)), sweep_after=60)
    assert hint(world, operation)
    assert hooked_runs(world) == []


@pytest.mark.parametrize(
    "world",
    [
        hooked_world(expected_seconds=3.0),
        hooked_world(calls=False),
        hooked_world(base=""),
    ],
    ids=["short job", "upstream without webhooks", "no public URL"],
)
def test_where_a_hint_is_of_no_use_none_is_asked_for(world: World) -> None:
    world.alpha.checks = [ready()]
    operation = world.begun()
    world.submit(operation.id)
    assert world.alpha.hooks == [""]
    assert world.now(operation).attempts[0].hook_digest == ""


def test_without_its_hint_the_picture_arrives_all_the_same() -> None:
    world = hooked_world()
    world.alpha.checks = [Pending(), ready()]
    assert world.drive(world.begun()).state is State.SUCCEEDED
