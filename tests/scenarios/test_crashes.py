"""Killed at every gap: after each effect on the outside world, at any effect, then driven on.

An effect is a write to the table, a call of an upstream or of the language model that expands prompts (which never
answers twice the same), a picture put in S3, a workflow started. The process dies
right before or right after it; what follows is what production does: Step Functions repeats the step, or, when the
whole execution is gone, `sweep` finds the operation.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from imagegate.domain.access.api_key import KeyLimits, issue
from imagegate.domain.failure import FailureCode
from imagegate.domain.operation.attempt import AttemptState
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.outcome import Pending, Ready
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.usecases.start import GenerationRequest
from imagegate.workflow.next_step import Step
from support import invariants
from support.containers import pixels_in
from support.fakes import MICRO_DOLLARS, MemorySteps, MemoryWorkflow, failing, picture
from support.unrest import before
from support.world import World, ready

KEY = issue(
    "test",
    0.0,
    limits=KeyLimits(requests_per_minute=None, concurrent=1, pictures_per_day=1, micro_dollars_per_day=5000),
)[0]
"""Limits just enough for one picture: what a death left of it in the books would show.

The budget also has room for one submission of unknown outcome before it.
"""


class Killed(BaseException):
    """The process is gone; nothing in it may catch this."""


class Assassin:
    """Counts effects and kills at one of them."""

    def __init__(self, at: int, after: bool) -> None:
        self.at = at
        self.after = after
        self.count = 0
        self.names: list[str] = []

    def watch(self, owner: Any, name: str) -> None:
        """Make `owner.name` an effect."""
        method: Callable[..., Any] = getattr(owner, name)

        def watched(*arguments: Any, **named: Any) -> Any:
            self.count += 1
            self.names.append(name)
            mine = self.count == self.at
            if mine and not self.after:
                raise Killed
            result = method(*arguments, **named)
            if mine:
                raise Killed
            return result

        setattr(owner, name, watched)


def watched_world(assassin: Assassin) -> World:
    world = World()
    world.alpha.checks = [Pending(), ready()]
    world.beta.checks = [Ready(bodies=(picture(),))]
    world.expander.answers = [f"A cat, version {number}." for number in range(9)]
    for owner, name in (
        (world.store, "create"),
        (world.store, "replace"),
        (world.workflow, "start"),
        (world.expander, "expand"),
        (world.alpha, "submit"),
        (world.alpha, "check"),
        (world.http, "download"),
        (world.images, "put"),
    ):
        assassin.watch(owner, name)
    return world


def steps(world: World, operation_id: str, run: str, *, patient: bool) -> Iterator[None]:
    """The state machine; `patient`: it repeats a step that died, as its Retry does."""
    step = Step(operation_id, "submit")
    while step.next != "done":
        try:
            if step.next == "submit":
                step = world.submit(operation_id, run)
            elif step.next == "expand":
                step = world.expand(operation_id)
            else:
                world.clock.sleep(step.wait)
                step = world.poll(operation_id, run, step.last_poll_at)
        except Killed:
            if not patient:
                raise
            world.clock.sleep(2)
        yield


def live_through(world: World, *, patient: bool, expand: bool = False) -> Operation | None:
    """Everything that happens to one request, one death included; `None` when it was never accepted."""
    try:
        world.begun(key=KEY, expand=expand)
    except Killed:
        if not world.store.documents:
            return None
    [operation_id] = world.store.documents
    for _ in range(200):
        for _, run in list(world.workflow.runs):
            try:
                for _ in steps(world, operation_id, run, patient=patient):
                    pass
            except Killed:
                pass
            world.workflow.runs.remove((operation_id, run))
        found = world.store.get(operation_id)
        assert found
        if found.done:
            return found
        world.clock.sleep(60)
        with suppress(Killed):
            world.sweep()
    raise AssertionError(f"stuck: {world.store.get(operation_id)}")


def effects(*, expand: bool) -> int:
    assassin = Assassin(at=-1, after=False)
    live_through(watched_world(assassin), patient=True, expand=expand)
    return assassin.count


@pytest.mark.parametrize("patient", [True, False], ids=["step-repeated", "execution-lost"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("at", "expand"), [(at, expand) for expand in (False, True) for at in range(1, effects(expand=expand) + 1)]
)
def test_no_death_loses_an_accepted_operation(at: int, expand: bool, after: bool, patient: bool) -> None:
    assassin = Assassin(at, after)
    world = watched_world(assassin)
    ended = live_through(world, patient=patient, expand=expand)
    assert assassin.count >= at
    invariants.books_hold_what_operations_use([world.store.history], world.store.usage_ledger, MICRO_DOLLARS)
    assert all(amount.micro_dollars <= 5000 for amount in world.store.usage_ledger.values())
    if ended is None:
        assert assassin.names[0] == "create"
        return
    assert ended.state is State.SUCCEEDED, assassin.names
    assert len(ended.pictures) == 1
    assert pixels_in(world.images.objects[ended.pictures[0].key]) == pixels_in(picture())
    submissions = len(world.alpha.submitted) + len(world.beta.submitted)
    unknown = sum(attempt.state is AttemptState.UNKNOWN for attempt in ended.attempts)
    lost = sum(attempt.state is AttemptState.FAILED for attempt in ended.attempts)
    # A second submission is never silent: each one beyond the first has an attempt that says why.
    assert submissions <= 1 + unknown + lost
    assert unknown <= 1
    # However often the language model was asked: every submission is made from the one answer that was written down.
    made_from = {upstream_request.prompt for upstream_request in (*world.alpha.submitted, *world.beta.submitted)}
    assert made_from == {ended.revised_prompt if expand else "a cat"}
    assert expand == (ended.revised_prompt is not None)
    assert all(operation.revised_prompt in (None, ended.revised_prompt) for operation in world.store.history)
    assert len(world.expander.asked) <= (2 if expand else 0)


def test_the_road_has_as_many_effects_as_we_think() -> None:
    assassin = Assassin(at=-1, after=False)
    live_through(watched_world(assassin), patient=True)
    assert assassin.names == [
        "create",
        "start",
        "replace",  # the attempt, before the call
        "submit",
        "replace",  # the ticket, right after it
        "check",
        "check",
        "replace",  # the picture's address, before it is fetched
        "download",
        "put",
        "put",  # the preview
        "replace",  # the end
    ]


def test_an_expansion_is_two_effects_more() -> None:
    assassin = Assassin(at=-1, after=False)
    live_through(watched_world(assassin), patient=True, expand=True)
    assert assassin.names[:5] == ["create", "start", "expand", "replace", "replace"]


def begin(world: World) -> Operation:
    return world.begun()


def begin_for_client(world: World) -> Operation:
    """One that its waiting client drives."""
    request = ImageRequest(model="flux", messages=(Message("a cat"),))
    return world.start(GenerationRequest(request=request, dialect="openai_images", client_waits=True))


def retry(world: World) -> Operation:
    """One that has failed is tried again."""
    operation = world.begun()
    world.fail(operation.id, "States.Timeout")
    return world.retry(world.now(operation))


def cancel(world: World) -> Operation:
    """Its job at the upstream is still to be cancelled."""
    operation = world.begun()
    world.submit(operation.id)
    return world.cancel(world.now(operation))


def need_more_than_polls(world: World) -> Operation:
    """Its client waits, and no provider takes it now."""
    for provider in (world.alpha, world.beta):
        provider.submissions = [failing(FailureCode.RATE_LIMITED, 20)]
    operation = begin_for_client(world)
    world.direct_step(operation.id)
    return operation


def break_down() -> None:
    raise RuntimeError("a fault of the code")


def fail_in_a_step(world: World) -> Operation:
    """Its client waits, and the step breaks down."""
    operation = begin_for_client(world)
    before(world.store, "get", break_down)
    world.direct_step(operation.id)
    return operation


@pytest.mark.parametrize("ask", [begin, retry, cancel, need_more_than_polls, fail_in_a_step])
def test_what_the_workflow_refuses_is_started_by_the_next_sweep(ask: Callable[[World], Operation]) -> None:
    """Not by the one after the time that a start may take: nothing has been started."""
    world = World(workflow=MemoryWorkflow(refuses=True), steps=MemorySteps())
    operation = ask(world)
    sweep = world.sweep
    assert world.now(operation).due_at <= world.clock.now()
    assert sweep() == 0
    world.clock.sleep(60)
    world.workflow.refuses = False
    assert sweep() == 1
    [(operation_id, run)] = world.workflow.runs
    assert (operation_id, run) != (operation.id, operation.id), "an execution of that name may be there, and dead"
    assert sweep() == 0


def test_what_has_ended_meanwhile_is_not_written_for_sweep() -> None:
    world = World(workflow=MemoryWorkflow(refuses=True))
    operation = world.begun()
    world.fail(operation.id, "States.Timeout")
    ended = world.now(operation)
    world.deployment.start_workflow(operation.id, "run")
    assert world.now(operation) == ended


def test_a_write_beside_the_refusal_stands() -> None:
    """Another process drives the operation, so that sweep need not."""
    world = World(workflow=MemoryWorkflow(refuses=True))
    before(world.store, "replace", lambda: world.submit(next(iter(world.store.documents))))
    operation = world.begun()
    assert world.now(operation).due_at > world.clock.now()
