"""Clients of Responses and Chat Completions wait for their picture, also for one that takes 70 s. `make test-node`."""

import hashlib
from collections.abc import Iterator, Mapping

import pytest

from clients.outcome import Ask
from clients.register import FOR_AGENTS
from imagegate.local.stack.stack import Stack
from support.client_runs import Run, Runs, under_way, waiting_for

pytestmark = [pytest.mark.node, pytest.mark.integration, pytest.mark.timeout(400)]
PATIENCE = 350.0
UPSTREAM_SECONDS = 70


@pytest.fixture(scope="module")
def runs(impatient_stack: Stack) -> Iterator[Runs]:
    with under_way(impatient_stack, waiting_for(12, FOR_AGENTS)) as running:
        yield running


@pytest.fixture(scope="module")
def long_runs(real_time_stack: Stack) -> Iterator[Runs]:
    asked: Mapping[str, tuple[object, Ask]] = {
        name: (entry.generate, Ask(f"a fox in no hurry for the agent {name}", deadline=300))
        for name, entry in FOR_AGENTS.items()
    }
    with under_way(real_time_stack, asked) as running:  # type: ignore[arg-type]
        yield running


def assert_made_once(run: Run) -> None:
    """The client has, byte for byte, the one picture of its one operation, which one upstream was asked for."""
    assert run.outcome.error is None
    assert run.outcome.sha256 == hashlib.sha256(run.stored_picture()).hexdigest()
    assert run.submissions() == 1
    assert run.door.posts == 1


@pytest.mark.xdist_group("impatient")
@pytest.mark.parametrize("name", FOR_AGENTS)
def test_the_client_gets_its_picture(runs: Runs, name: str) -> None:
    run = runs[name].result(PATIENCE)
    assert_made_once(run)
    assert bool(run.door.hops) is (name != "responses background")


@pytest.mark.xdist_group("real-time")
@pytest.mark.parametrize("name", FOR_AGENTS)
def test_it_does_so_after_70_seconds(long_runs: Runs, name: str) -> None:
    run = long_runs[name].result(PATIENCE)
    assert_made_once(run)
    assert run.seconds > UPSTREAM_SECONDS
