"""start, submit, poll, fail, sweep, publish: the road of an operation, with scripted upstreams."""

from dataclasses import dataclass, field, replace

import pytest

from imagegate.adapters.pillow_pictures import PillowPictures
from imagegate.domain.errors import Conflict, Failure, FailureCode, UnknownModel, UnknownOperation
from imagegate.domain.operation import AttemptState, Operation, Source, State
from imagegate.domain.outcome import Failed, Pending, Ready, Ticket
from imagegate.domain.request import ImageRequest, Message
from imagegate.usecases.conclude import Conclude
from imagegate.usecases.fail import Fail
from imagegate.usecases.keep import Keep
from imagegate.usecases.poll import Poll
from imagegate.usecases.publish import Publish
from imagegate.usecases.read import Read
from imagegate.usecases.revise import Revise
from imagegate.usecases.start import Ask, Start
from imagegate.usecases.step import SUBMIT_LEASE
from imagegate.usecases.submit import Submit
from imagegate.usecases.sweep import Sweep
from support.fakes import (
    FakeClock,
    MemoryBus,
    MemoryImages,
    MemoryStore,
    MemoryWorkflow,
    ScriptedHttp,
    ScriptedProvider,
    failing,
    picture,
    routes,
)

URL = "https://alpha.invalid/p.png"


@dataclass
class World:
    """Everything wired to fakes, as wiring.py wires it to AWS."""

    clock: FakeClock = field(default_factory=FakeClock)
    store: MemoryStore = field(default_factory=MemoryStore)
    images: MemoryImages = field(default_factory=MemoryImages)
    workflow: MemoryWorkflow = field(default_factory=MemoryWorkflow)
    http: ScriptedHttp = field(default_factory=lambda: ScriptedHttp(downloads={URL: picture()}))
    alpha: ScriptedProvider = field(default_factory=ScriptedProvider)
    beta: ScriptedProvider = field(default_factory=lambda: ScriptedProvider("beta", "https://beta.invalid"))

    def __post_init__(self) -> None:
        self.routes = routes("alpha", "beta")
        self.revise = Revise(self.store, self.clock)
        providers = {"alpha": self.alpha, "beta": self.beta}.__getitem__
        keep = Keep(self.images, self.http, PillowPictures())
        conclude = Conclude(keep, providers, self.revise, self.clock)
        self.start = Start(self.store, self.workflow, self.routes, self.clock, deadline=900)
        self.submit = Submit(self.store, self.routes, providers, conclude, self.revise, self.clock)
        self.poll = Poll(self.store, providers, conclude, self.revise, self.clock)
        self.fail = Fail(self.store, self.revise, self.clock)
        self.sweep = Sweep(self.store, self.workflow, self.revise, self.clock)

    def begun(self, n: int = 1, **changes: object) -> Operation:
        request = replace(ImageRequest("flux", (Message("a cat"),), n=n), **changes)
        return self.start(Ask(request, "openai_images"), "me").operation

    def now(self, operation: Operation) -> Operation:
        stored = self.store.get(operation.id)
        assert stored is not None
        return stored


@pytest.fixture
def world() -> World:
    return World()


def ready(seed: int = 7) -> Ready:
    return Ready(sources=(Source(URL),), seed=seed)


def test_an_accepted_request_is_written_before_its_workflow_starts(world: World) -> None:
    operation = world.begun()
    assert world.now(operation).state is State.QUEUED
    assert world.workflow.runs == [(operation.id, operation.id)]


def test_an_unknown_model_writes_nothing(world: World) -> None:
    with pytest.raises(UnknownModel):
        world.start(Ask(ImageRequest("nope", (Message("x"),)), "openai_images"), "me")
    assert not world.store.documents
    assert not world.workflow.runs


def test_the_whole_road(world: World) -> None:
    world.alpha.checks = [Pending(), ready()]
    operation = world.begun()
    first = world.submit(operation.id)
    assert first.next == "wait"
    assert world.poll(operation.id).next == "wait"
    assert world.poll(operation.id).payload() == {"id": operation.id, "next": "done", "wait": 0}
    ended = world.now(operation)
    assert ended.state is State.SUCCEEDED
    assert ended.provider == "alpha"
    [kept] = ended.pictures
    assert (kept.width, kept.height, kept.content_type, kept.seed) == (64, 48, "image/png", 7)
    assert world.images.objects[kept.key] == picture()


def test_the_attempt_is_written_before_the_call_and_the_ticket_right_after(world: World) -> None:
    operation = world.begun()
    world.submit(operation.id)
    states = [[attempt.state for attempt in version.attempts] for version in world.store.history]
    assert states == [[], [AttemptState.SUBMITTING], [AttemptState.SUBMITTED]]


def test_an_address_is_written_before_the_picture_is_fetched(world: World) -> None:
    world.alpha.checks = [ready()]
    operation = world.begun()
    world.submit(operation.id)
    world.poll(operation.id)
    states = [version.attempts[0].state for version in world.store.history[1:]]
    assert states == [AttemptState.SUBMITTING, AttemptState.SUBMITTED, AttemptState.READY, AttemptState.DONE]


def test_a_crash_between_address_and_fetch_needs_no_second_look(world: World) -> None:
    world.alpha.checks = [ready()]
    operation = world.begun()
    world.submit(operation.id)
    world.http.downloads = {URL: KeyboardInterrupt()}
    with pytest.raises(KeyboardInterrupt):
        world.poll(operation.id)
    world.http.downloads = {URL: picture()}
    world.alpha.checks = [failing(FailureCode.EXPIRED)]
    assert world.poll(operation.id).next == "done"
    assert world.now(operation).state is State.SUCCEEDED


def test_n_pictures_are_n_submissions_with_neighbouring_seeds(world: World) -> None:
    world.alpha.checks = [ready()]
    operation = world.begun(n=3, seed=100)
    world.submit(operation.id)
    assert [request.seed for request in world.alpha.submitted] == [100, 101, 102]
    assert world.poll(operation.id).next == "done"
    assert len(world.images.objects) == 3


def test_submitting_twice_submits_once(world: World) -> None:
    operation = world.begun()
    world.submit(operation.id)
    assert world.submit(operation.id).next == "wait"
    assert len(world.alpha.submitted) == 1


def test_a_full_upstream_hands_over_to_the_next(world: World) -> None:
    world.alpha.submissions = [failing(FailureCode.CAPACITY)]
    operation = world.begun()
    assert world.submit(operation.id).next == "submit"
    assert world.submit(operation.id).next == "wait"
    assert [attempt.provider for attempt in world.now(operation).attempts] == ["alpha", "beta"]


def test_a_late_failure_hands_over_too(world: World) -> None:
    world.alpha.checks = [Failed(Failure(FailureCode.UPSTREAM_FAILED, "crashed"))]
    operation = world.begun()
    world.submit(operation.id)
    assert world.poll(operation.id).next == "submit"


def test_a_refused_prompt_is_final(world: World) -> None:
    world.alpha.submissions = [failing(FailureCode.CONTENT_FILTERED)]
    operation = world.begun()
    assert world.submit(operation.id).next == "done"
    failure = world.now(operation).failure
    assert failure
    assert failure.code is FailureCode.CONTENT_FILTERED
    assert not world.beta.submitted


def test_when_everybody_failed_the_last_reason_is_the_operations(world: World) -> None:
    world.alpha.submissions = [failing(FailureCode.CAPACITY)]
    world.beta.submissions = [failing(FailureCode.RATE_LIMITED, 5)]
    operation = world.begun()
    while world.submit(operation.id).next == "submit":
        pass
    ended = world.now(operation)
    assert ended.state is State.FAILED
    assert ended.failure == Failure(FailureCode.RATE_LIMITED, "said rate_limited", 5)
    assert len(ended.attempts) == 4


def test_an_ambiguous_submission_is_marked_unknown(world: World) -> None:
    world.alpha.submissions = [failing(FailureCode.AMBIGUOUS)]
    operation = world.begun()
    world.submit(operation.id)
    assert world.now(operation).attempts[0].state is AttemptState.UNKNOWN


def test_a_lost_submitter_is_noticed_after_its_lease(world: World) -> None:
    operation = world.begun()
    world.alpha.submissions = [KeyboardInterrupt()]  # type: ignore[list-item]
    with pytest.raises(KeyboardInterrupt):
        world.submit(operation.id)
    assert world.poll(operation.id).next == "wait"
    world.clock.time += SUBMIT_LEASE + 1
    assert world.poll(operation.id).next == "submit"
    assert world.now(operation).attempts[0].state is AttemptState.UNKNOWN


def test_a_failed_look_is_no_failed_job(world: World) -> None:
    world.alpha.checks = [failing(FailureCode.UPSTREAM_TIMEOUT), ready()]
    operation = world.begun()
    world.submit(operation.id)
    assert world.poll(operation.id).next == "wait"
    assert world.poll(operation.id).next == "done"


def test_what_is_no_picture_fails_the_attempt(world: World) -> None:
    world.http.downloads = {URL: b"<html>sorry</html>"}
    world.alpha.checks = [ready()]
    operation = world.begun()
    world.submit(operation.id)
    assert world.poll(operation.id).next == "submit"
    failure = world.now(operation).attempts[0].failure
    assert failure
    assert failure.code is FailureCode.BAD_PAYLOAD


def test_pictures_are_converted_to_the_format_asked_for(world: World) -> None:
    world.alpha.checks = [ready()]
    operation = world.begun(output_format="jpeg")
    world.submit(operation.id)
    world.poll(operation.id)
    [kept] = world.now(operation).pictures
    assert kept.content_type == "image/jpeg"
    assert world.images.objects[kept.key].startswith(b"\xff\xd8")


def test_the_deadline_ends_an_operation(world: World) -> None:
    world.alpha.checks = [Pending()]
    operation = world.begun()
    world.submit(operation.id)
    world.clock.time = operation.deadline
    assert world.poll(operation.id).next == "done"
    failure = world.now(operation).failure
    assert failure
    assert failure.code is FailureCode.DEADLINE_EXCEEDED


def test_an_upstream_that_says_when_is_not_asked_before(world: World) -> None:
    world.alpha.checks = [Pending(retry_after=40)]
    operation = world.begun()
    world.submit(operation.id)
    assert world.poll(operation.id).wait == 40


def test_a_broken_workflow_ends_its_operation(world: World) -> None:
    operation = world.begun()
    world.fail(operation.id, "States.Timeout")
    assert world.now(operation).state is State.FAILED
    assert world.fail(operation.id, "again").next == "done"
    assert world.now(operation).version == 2


def test_steps_for_an_operation_that_is_gone_end_its_workflow(world: World) -> None:
    assert [step("0" * 20).next for step in (world.submit, world.poll)] == ["done", "done"]
    assert world.fail("0" * 20, "x").next == "done"


def test_sweep_restarts_what_nobody_drives_once_per_chance(world: World) -> None:
    operation = world.begun()
    assert world.sweep() == 0
    world.clock.time += 61
    assert world.sweep() == 1
    assert world.sweep() == 0
    assert world.workflow.runs[1:] == [(operation.id, f"{operation.id}-2")]


def test_sweep_leaves_ended_operations_alone(world: World) -> None:
    world.fail(world.begun().id, "x")
    world.clock.time += 10_000
    assert world.sweep() == 0


def test_writers_in_a_race_both_get_their_word(world: World) -> None:
    stale = world.begun()
    world.revise(stale, lambda one: replace(one, due_at=1), due_in=1)
    written = world.revise(stale, lambda one: one.moved(State.RUNNING, 1.0), due_in=2)
    assert written.version == 3


def test_a_hopeless_race_is_given_up(world: World) -> None:
    operation = world.begun()
    world.store.replace = lambda _: (_ for _ in ()).throw(Conflict("always"))  # type: ignore[method-assign]
    with pytest.raises(Conflict, match="too many"):
        world.revise(operation, lambda one: replace(one, due_at=1), due_in=1)


def test_a_foreign_operation_does_not_exist(world: World) -> None:
    operation = world.begun()
    read = Read(world.store, world.clock, 30)
    assert read(operation.id, "me") == operation
    for operation_id, owner in ((operation.id, "you"), ("0" * 20, "me"), ("../etc", "me")):
        with pytest.raises(UnknownOperation):
            read(operation_id, owner)


def test_publish_names_what_the_bus_did_not_take(world: World) -> None:
    operation = world.begun()
    touched = replace(operation, version=2)
    running = replace(touched.moved(State.RUNNING, 1.0), version=3)
    bus = MemoryBus(refuse={1})
    assert Publish(bus)([(None, operation), (operation, touched), (touched, running)]) == [2]
    assert [event.detail_type for event in bus.events] == ["Image Generation Queued"]


def test_tickets_are_handed_back_as_they_were(world: World) -> None:
    seen = []
    world.alpha.submissions = [Ticket({"event_id": "e", "deep": {"a": [1, "x"]}})]
    world.alpha.check = lambda ticket, hold_until: seen.append(ticket) or Pending()  # type: ignore[method-assign]
    operation = world.begun()
    world.submit(operation.id)
    world.poll(operation.id)
    assert seen == [Ticket({"event_id": "e", "deep": {"a": [1, "x"]}})]
