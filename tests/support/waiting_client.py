"""A client that waits for its picture, and has the steps of its operation taken."""

from collections.abc import Callable
from typing import Any

from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.outcome import Check, Pending, Ticket
from imagegate.domain.request.limits import CompletionMode
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.usecases.start import GenerationRequest
from support.fakes import MemoryLatencies, MemorySteps, ScriptedProvider
from support.world import World, ready


class Timed(ScriptedProvider):
    """A provider whose jobs end at a moment; it remembers when it was asked."""

    ends_at = 0.0
    now: Callable[[], float]

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        self.held_until.append(self.now())
        if self.limits.completion is CompletionMode.STREAM:
            return ready()  # read to its end
        return ready() if self.now() >= self.ends_at else Pending()


def waited_world(usually: float = 30.0, takes: float = 34.0) -> World:
    """A world whose jobs usually take so long, and this time so long."""
    latencies = MemoryLatencies(expected_seconds=usually)
    for _ in range(200):
        latencies.observe("alpha", "schnell", usually * 0.8, usually * 1.2)
    world = World(steps=MemorySteps(), latencies=latencies)
    world.alpha = Timed()
    world.alpha.now, world.alpha.ends_at = world.clock.now, world.clock.now() + takes
    world.__post_init__()
    return world


def begun(world: World, **changes: Any) -> Operation:
    """An operation of a client that will wait, whose first step is to be taken."""
    request = ImageRequest(model="flux", messages=(Message("a cat"),), **changes)
    operation = world.start(GenerationRequest(request=request, dialect="openai_images", client_waits=True))
    assert world.steps
    assert world.steps.taken == [(operation.id, 0.0, 0)]
    assert not world.workflow.runs
    return operation


def wait(world: World, operation: Operation, seconds: float = 1000.0) -> Operation:
    """What the requests of a waiting client do, for so long: have each step taken when it is due."""
    services, until, after = world.deployment.wait_services, world.clock.now() + seconds, world.clock.now()
    while not (operation := world.now(operation)).done:
        step = services.next_step(operation, max(after, operation.updated_at))
        if step.at >= until:
            break
        world.clock.sleep(max(step.at - world.clock.now(), 0.0))
        after = step.at
        services.take_step(operation, step)
        assert world.steps
        world.direct_step(*world.steps.taken[-1])
    return operation
