"""A job that will soon be done is stayed for in the function: that costs less than the workflow's transitions."""

import pytest

from imagegate.domain.operation.operation import State
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Pending, Submission, Ticket
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import CompletionMode, Limits
from support.fakes import MemoryLatencies, ScriptedProvider
from support.world import World, ready

LONGEST = 60 + 12
"""Seconds: the longest stay, and the wait it may end with."""


class Watched(ScriptedProvider):
    """A provider whose jobs end at a moment; it remembers when it was asked."""

    def __init__(self, world: World, takes: float) -> None:
        super().__init__()
        self.world, self.until, self.asked = world, world.clock.now() + takes, list[float]()

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        self.asked.append(self.world.clock.now())
        return ready() if self.world.clock.now() >= self.until else Pending()


def jobs_take(world: World, usually: float, now: float) -> Watched:
    world.latencies = MemoryLatencies(expected_seconds=usually)
    for _ in range(200):
        world.latencies.observe("alpha", "schnell", usually * 0.8, usually * 1.2)
    world.alpha = Watched(world, now)
    world.__post_init__()
    return world.alpha


def test_a_poll_in_vain_stays_for_what_is_left_of_a_job() -> None:
    world = World()
    jobs_take(world, usually=30, now=34)
    operation = world.begun()
    step = world.submit(operation.id)
    assert step.next == "wait"
    world.clock.sleep(step.wait)
    assert world.poll(operation.id, last_poll_at=step.last_poll_at).next == "done"
    assert world.now(operation).state is State.SUCCEEDED
    assert world.clock.now() - world.alpha.until < 1


@pytest.mark.parametrize("usually", [3, 11, 30, 600])
def test_no_visit_stays_for_ever(usually: float) -> None:
    world = World()
    jobs_take(world, usually, now=10_000)
    operation = world.begun()
    step, visits = world.submit(operation.id), 0
    while step.next == "wait":
        world.clock.sleep(step.wait)
        began = world.clock.now()
        step, visits = world.poll(operation.id, last_poll_at=step.last_poll_at), visits + 1
        assert world.clock.now() - began <= LONGEST
    assert visits > 1
    assert world.now(operation).state is State.FAILED
    assert world.clock.now() <= operation.deadline + 1


def test_a_long_job_is_left_to_the_workflow() -> None:
    world = World()
    alpha = jobs_take(world, usually=600, now=600)
    operation = world.begun()
    assert world.submit(operation.id).next == "wait"
    assert alpha.asked == []
    assert world.clock.now() == operation.created_at


def test_who_stays_sees_that_the_caller_has_cancelled() -> None:
    world = World()
    alpha = jobs_take(world, usually=5, now=10_000)
    operation = world.begun()
    sent = alpha.check

    def check(ticket: Ticket, hold_until: float) -> Check:
        world.cancel(world.now(operation))
        return sent(ticket, hold_until)

    alpha.check = check  # type: ignore[method-assign]
    assert world.submit(operation.id).next == "done"
    assert world.now(operation).state is State.CANCELLED
    assert len(alpha.asked) == 1
    assert alpha.cancelled == [Ticket({"job": 1})]


def test_an_upstream_that_wants_to_be_left_alone_is_not_stayed_for() -> None:
    world = World()
    world.latencies = MemoryLatencies(expected_seconds=3)
    world.alpha.checks = [Pending(retry_after=40.0)]
    world.__post_init__()
    operation = world.begun()
    step = world.submit(operation.id)
    assert (step.next, step.wait) == ("wait", 40)


@pytest.mark.parametrize("usually", [30, 600])
def test_an_operation_that_goes_on_is_never_due_before_its_next_look(usually: float) -> None:
    world = World()
    jobs_take(world, usually, now=10_000)
    operation = world.begun(n=1)
    step = world.submit(operation.id)
    while step.next == "wait":
        next_look = world.clock.now() + step.wait
        assert world.now(operation).due_at >= next_look + 60
        assert world.now(operation).due_at <= next_look + 10 * 60
        world.clock.sleep(step.wait)
        step = world.poll(operation.id, last_poll_at=step.last_poll_at)


def test_who_has_seen_few_jobs_stays_for_quick_ones_only() -> None:
    world = World()
    world.latencies = MemoryLatencies(expected_seconds=6)
    world.alpha = Watched(world, 3)
    world.__post_init__()
    assert world.submit(world.begun().id).next == "wait"
    for _ in range(20):
        world.latencies.observe("alpha", "schnell", 6, 6)
    assert world.submit(world.begun().id).next == "done"


@pytest.mark.parametrize("expected", [3, 20, 600])
def test_a_job_of_a_model_that_has_made_nothing_yet_is_polled_once_within_a_second(expected: float) -> None:
    world = World(latencies=MemoryLatencies(expected_seconds=expected))
    world.alpha = Watched(world, 0.4)
    world.__post_init__()
    operation = world.begun()
    assert world.submit(operation.id).next == "done"
    assert world.clock.now() - operation.created_at < 1

    world = World(latencies=MemoryLatencies(expected_seconds=expected))
    world.alpha = Watched(world, 10_000)
    world.__post_init__()
    operation = world.begun()
    assert world.submit(operation.id).next == "wait"
    assert world.alpha.asked[0] - operation.created_at < 1
    assert len(world.alpha.asked) == 1 or expected < 5, "the workflow waits for longer jobs, as the guess says"


def test_the_first_dozen_pictures_of_a_model_come_within_a_second_and_then_as_learned() -> None:
    world = World(latencies=MemoryLatencies(expected_seconds=40))
    for _ in range(30):
        world.alpha = Watched(world, 0.4)
        world.__post_init__()
        operation = world.drive(world.begun())
        assert (operation.ended_at or 0.0) - operation.created_at <= 1


class Told(ScriptedProvider):
    """A stream that sends its result to every listener when the job is done."""

    def __init__(self, world: World, takes: float) -> None:
        super().__init__(
            limits=Limits(completion=CompletionMode.STREAM, grid=Grid(64, 2048, 8), prompt_characters=1000)
        )
        self.world, self.takes, self.began = world, takes, 0.0

    def submit(self, upstream_request: UpstreamRequest) -> Submission:
        self.began = self.world.clock.now()
        return super().submit(upstream_request)

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        self.world.clock.sleep(max(self.began + self.takes - self.world.clock.now(), 0.0))
        return ready()


@pytest.mark.parametrize(("takes", "after"), [(0.1, 15), (3.0, 15), (25.0, 15)])
def test_a_stream_that_tells_at_once_teaches_to_open_it_earlier(takes: float, after: int) -> None:
    """Jobs of a tenth of a second were found after three, for ever: each opening was taken for the job's own time."""
    world = World(latencies=MemoryLatencies(expected_seconds=20))
    world.alpha = Told(world, takes)
    world.__post_init__()
    delays = []
    for _ in range(after + 1):
        operation = world.drive(world.begun())
        delays.append((operation.ended_at or 0.0) - operation.created_at - takes)
    assert delays[0] < 1
    assert delays[-1] < max(0.2, takes / 10)


@pytest.mark.parametrize("takes", [0.1, 0.9, 25.0])
def test_the_stream_of_a_model_that_has_made_nothing_yet_is_opened_within_a_second(takes: float) -> None:
    world = World(latencies=MemoryLatencies(expected_seconds=20))
    world.alpha = Told(world, takes)
    world.__post_init__()
    operation = world.begun()
    assert world.submit(operation.id).next == "done"
    assert (world.now(operation).ended_at or 0.0) - operation.created_at <= max(takes, 0.5) + 0.1


def test_a_visit_that_has_little_time_left_opens_no_stream() -> None:
    """Blocking upstreams may have taken minutes of it; a stream that the function's end cuts off is lost."""
    world = World()
    operation = world.begun(n=2)
    world.alpha = Told(world, 0.1)
    world.__post_init__()
    submit = world.alpha.submit

    def slow(upstream_request: UpstreamRequest) -> Submission:
        world.clock.sleep(200)
        return submit(upstream_request)

    world.alpha.submit = slow  # type: ignore[method-assign]
    assert world.submit(operation.id).next == "wait"
    assert world.poll(operation.id).next == "done"


def test_a_stream_is_let_go_before_its_function_is_stopped() -> None:
    world = World()
    world.alpha.limits = Limits(completion=CompletionMode.STREAM, grid=Grid(64, 2048, 8), prompt_characters=1000)
    world.alpha.checks = [ready()]
    operation = world.begun()
    world.clock.sleep(world.submit(operation.id).wait)
    ends_at = world.clock.now() + 900
    world.poll(operation.id)
    assert world.alpha.held_until == [ends_at - 60]
