"""A YandexART job may take a day: what its workflow writes down stays far below what Step Functions keeps."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from imagegate.dialects.yandexart.requests import DEADLINE
from imagegate.domain.failure import FailureCode
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.outcome import Check, Pending
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.domain.timing.latency import Histogram
from imagegate.providers.yandexart import YandexArt
from imagegate.usecases.start import GenerationRequest
from imagegate.workflow.next_step import Step
from support.fakes import MemoryAdmission, ScriptedProvider, failing
from support.world import World, ready

BUDGET = 5_000
"""Of the 25,000 events a standard workflow's history may have."""
STATES = yaml.safe_load((Path(__file__).parents[2] / "infra/workflow.asl.yaml").read_text())["States"]
EVENTS = {"Task": 5, "Choice": 2, "Wait": 2, "Succeed": 2}
"""What AWS writes for a visit: entered and exited, and for a task scheduled, started and succeeded."""
START_AND_END = 2
HOUR = 3600.0


class Service(ScriptedProvider):
    """An upstream like YandexART whose answer depends on the time."""

    def __init__(self, answer: Callable[[], Check]) -> None:
        super().__init__(limits=YandexArt.limits)
        self.answer = answer

    def check(self, ticket: object, hold_until: float) -> Check:
        return self.answer()


def world_of(answer: Callable[[World], Check], typical: float | None) -> World:
    world = World(alpha=Service(lambda: answer(world)))
    if typical:
        learned = Histogram(YandexArt.limits.expected_seconds)
        for at in range(200):
            learned = learned.observed_between(typical * 0.9, typical * (0.9 + at / 1000))
        world.latencies.known["alpha"] = learned
    return world


def history(world: World, operation: Operation) -> int:
    """Drive the operation to its end as the state machine would; returns the events that writes."""
    events = START_AND_END
    step: Step = world.submit(operation.id)
    state = "Submit"
    while True:
        events += EVENTS[STATES[state]["Type"]] + EVENTS[STATES["Settled?"]["Type"]]
        if step.next == "done":
            return events + EVENTS[STATES["Done"]["Type"]]
        if step.next == "submit":
            state, step = "Submit", world.submit(operation.id)
        else:
            events += EVENTS[STATES["Wait"]["Type"]]
            world.clock.sleep(step.wait)
            state, step = (
                "Poll",
                world.poll(operation.id, "run", step.last_poll_at, step.poll_count, step.submit_not_before),
            )


def begun(world: World) -> Operation:
    request = ImageRequest(model="flux", messages=(Message("a cat"),), output_format="jpeg", lenient=True)
    return world.start(GenerationRequest(request=request, dialect="yandexart", deadline=DEADLINE))


def never(world: World) -> Check:
    return Pending()


def hasty(world: World) -> Check:
    return Pending(1.0)


def unwell(world: World) -> Check:
    raise failing(FailureCode.UPSTREAM_FAILED)


TYPICAL = pytest.mark.parametrize("typical", [None, 3.0, 30.0, 600.0, 4 * HOUR, 20 * HOUR], ids=str)


@pytest.mark.slow
@TYPICAL
@pytest.mark.parametrize("answer", [never, hasty, unwell])
def test_a_job_that_never_ends(answer: Callable[[World], Check], typical: float | None) -> None:
    world = world_of(answer, typical)
    operation = begun(world)
    assert history(world, operation) < BUDGET
    assert world.now(operation).state is State.FAILED
    assert world.clock.now() - operation.created_at == pytest.approx(DEADLINE, abs=2)


@pytest.mark.slow
@TYPICAL
@pytest.mark.parametrize("hours", [1, 6, 23])
def test_a_job_of_hours(hours: int, typical: float | None) -> None:
    began = World().clock.now()
    world = world_of(lambda world: ready() if world.clock.now() > began + hours * HOUR else Pending(), typical)
    operation = begun(world)
    assert history(world, operation) < BUDGET
    ended = world.now(operation)
    assert ended.state is State.SUCCEEDED
    assert ended.pictures[0].content_type == "image/jpeg"
    assert 0 <= world.clock.now() - began - hours * HOUR <= 300


@pytest.mark.parametrize("retry_after", [None, 2.0, 59.0, 3600.0])
def test_upstreams_that_are_full_all_day(retry_after: float | None) -> None:
    world = World()
    world.alpha.submissions = world.beta.submissions = [failing(FailureCode.CAPACITY, retry_after)]
    operation = begun(world)
    assert history(world, operation) < BUDGET
    assert world.now(operation).state is State.FAILED
    assert len(world.alpha.submitted) > 10


class Queue(MemoryAdmission):
    """Always lets another process in first."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def admit(self, provider: str) -> float:
        return self.world.clock.now() + 1.0


def test_a_queue_in_which_its_turn_never_comes() -> None:
    world = World()
    world.admission = Queue(world)
    world.__post_init__()
    operation = begun(world)
    assert history(world, operation) < BUDGET
    assert not world.alpha.submitted
    assert world.now(operation).state is State.FAILED


def test_the_states_are_those_counted_here() -> None:
    assert {name: entry["Type"] for name, entry in STATES.items() if entry["Type"] in ("Wait", "Choice")} == {
        "Settled?": "Choice",
        "Wait": "Wait",
    }
