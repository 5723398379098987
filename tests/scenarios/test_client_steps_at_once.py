"""Steps that a waiting client has taken follow one another; where two meet, one of them stores the picture."""

from collections import Counter

import pytest

from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.outcome import Ready
from imagegate.workflow.claim_result import STORING_SECONDS
from support.fakes import MemoryImages, picture
from support.unrest import Killed, before, die
from support.waiting_client import begun, wait, waited_world
from support.world import World, ready

FINISHED = {"at a URL": ready(), "as bytes": Ready(sources=(), bodies=(picture(),))}


class CountedImages(MemoryImages):
    """A bucket that knows how often each object was sent to it."""

    def __init__(self) -> None:
        super().__init__()
        self.puts = Counter[str]()

    def put(self, key: str, body: bytes, content_type: str, *, overwrite: bool = False) -> None:
        self.puts[key] += 1
        super().put(key, body, content_type, overwrite=overwrite)


def finished(result: Ready) -> tuple[World, CountedImages, Operation]:
    """A world whose job has ended, which no step has seen yet."""
    world, images = waited_world(), CountedImages()
    world.images = images
    world.__post_init__()
    operation = begun(world)
    world.direct_step(operation.id)
    assert not images.puts
    world.alpha.check = lambda ticket, hold_until: result  # type: ignore[method-assign]
    return world, images, operation


def died_over(result: Ready) -> tuple[World, CountedImages, Operation]:
    """The same, after a step that saw it and died as it stored the picture."""
    world, images, operation = finished(result)
    before(images, "put", die)
    with pytest.raises(Killed):
        world.direct_step(operation.id)
    return world, images, operation


def assert_stored_once(world: World, images: CountedImages, operation: Operation) -> None:
    assert world.now(operation).state is State.SUCCEEDED
    assert len(images.puts) == 2, "the picture and its preview"
    assert set(images.puts.values()) == {1}
    assert len(world.telemetry.watched) == 1
    assert not world.workflow.runs


@pytest.mark.parametrize(("usually", "takes"), [(1, 1.2), (3, 3.6), (5, 7), (8, 9.6), (30, 34), (30, 42)])
def test_a_step_has_ended_when_the_next_one_is_due(usually: float, takes: float) -> None:
    world = waited_world(usually, takes)
    operation, after = begun(world), world.clock.now()
    world.direct_step(operation.id)
    while not (found := world.now(operation)).done:
        step = world.deployment.wait_services.next_step(found, after)
        assert world.clock.now() < step.at
        world.clock.sleep(step.at - world.clock.now())
        world.direct_step(operation.id, step.last_poll_at, step.poll_count)
        after = step.at
    assert not world.workflow.runs


@pytest.mark.parametrize("result", FINISHED.values(), ids=FINISHED)
def test_a_step_that_meets_one_at_its_poll_leaves_the_picture_to_it(result: Ready) -> None:
    world, images, operation = finished(result)
    before(world.alpha, "check", lambda: world.direct_step(operation.id))
    world.direct_step(operation.id)
    assert_stored_once(world, images, operation)


@pytest.mark.parametrize("result", FINISHED.values(), ids=FINISHED)
def test_a_step_does_not_poll_a_job_whose_picture_is_being_stored(result: Ready) -> None:
    world, images, operation = finished(result)

    def meet() -> None:
        before(world.alpha, "check", lambda: pytest.fail("It is polled."))
        world.direct_step(operation.id)

    before(images, "put", meet)
    world.direct_step(operation.id)
    assert_stored_once(world, images, operation)


@pytest.mark.parametrize("result", FINISHED.values(), ids=FINISHED)
def test_so_does_an_upstreams_hint(result: Ready) -> None:
    world, images, operation = finished(result)
    before(images, "put", lambda: world.submit(operation.id, f"{operation.id}-hook-1"))
    world.direct_step(operation.id)
    assert_stored_once(world, images, operation)


@pytest.mark.parametrize("result", FINISHED.values(), ids=FINISHED)
def test_the_client_has_a_picture_stored_whose_step_died_over_it(result: Ready) -> None:
    world, images, operation = died_over(result)
    died_at = world.clock.now()
    wait(world, operation)
    assert_stored_once(world, images, operation)
    assert world.clock.now() - died_at < STORING_SECONDS + 2


@pytest.mark.parametrize("result", FINISHED.values(), ids=FINISHED)
def test_so_does_sweep_when_the_client_has_left(result: Ready) -> None:
    world, images, operation = died_over(result)
    world.clock.sleep(310)
    assert world.sweep() == 1
    [(_, run)] = world.workflow.runs
    assert world.drive(operation, run).state is State.SUCCEEDED
    assert set(images.puts.values()) == {1}
