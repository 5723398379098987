"""What goes into one submission, and how many one visit makes."""

from dataclasses import replace

from imagegate.domain.failure import Failure, FailureCode, SecretsUnreadable, UpstreamError
from imagegate.domain.operation.operation import State
from imagegate.domain.operation.order import InputBody, UpstreamRequest
from imagegate.domain.operation.outcome import Submission, Ticket
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.domain.request.request import InputImage
from imagegate.domain.request.routes import Routes
from support.fakes import ScriptedProvider, failing, routes
from support.world import World

BATCHES = Limits(
    completion=CompletionMode.POLL,
    grid=Grid(64, 2048, 8),
    prompt_characters=1000,
    images_per_call=4,
    input_images=2,
    supports_masks=True,
    capabilities=frozenset({"seed", "steps"}),
)


class Recorder(ScriptedProvider):
    """A provider that remembers whole orders."""

    def submit(self, upstream_request: UpstreamRequest) -> Submission:
        self.orders = [*getattr(self, "orders", []), upstream_request]
        return super().submit(upstream_request)


def world(limits: Limits = BATCHES) -> World:
    [route] = routes("alpha")
    one = replace(route, targets=tuple(replace(target, limits=limits) for target in route.targets))
    return World(alpha=Recorder(limits=limits), routes=Routes([one]))


def orders(one: World) -> list[UpstreamRequest]:
    assert isinstance(one.alpha, Recorder)
    return one.alpha.orders


def test_pictures_and_mask_reach_the_upstream_as_they_came() -> None:
    one = world()
    one.images.objects |= {"inputs/a": b"first", "inputs/b": b"second", "inputs/m": b"mask"}
    images = (InputImage("inputs/a", "image/png"), InputImage("inputs/b", "image/webp"))
    begun = one.begun(inputs=images, mask=InputImage("inputs/m", "image/png"))
    one.clock.sleep(10)
    one.submit(begun.id)
    [upstream_request] = orders(one)
    assert upstream_request.inputs == (InputBody(b"first", "image/png"), InputBody(b"second", "image/webp"))
    assert upstream_request.mask == InputBody(b"mask", "image/png")
    assert one.images.ages == dict.fromkeys(one.images.objects, begun.created_at)


def test_pictures_alike_go_together_where_the_upstream_takes_several() -> None:
    one = world()
    one.submit(one.begun(n=6).id)
    assert [upstream_request.count for upstream_request in orders(one)] == [4, 2]


def test_pictures_with_seeds_of_their_own_go_one_by_one() -> None:
    one = world()
    one.submit(one.begun(n=2, seed=7).id)
    assert [(upstream_request.count, upstream_request.request.seed) for upstream_request in orders(one)] == [
        (1, 7),
        (1, 8),
    ]


def test_what_failed_together_is_tried_again_one_by_one() -> None:
    one = world()
    one.alpha.submissions = [failing(FailureCode.UPSTREAM_FAILED), Ticket({"job": 1})]
    operation = one.begun(n=2)
    assert one.submit(operation.id).next == "submit"
    one.submit(operation.id)
    assert [upstream_request.count for upstream_request in orders(one)] == [2, 1, 1]


def test_a_slot_does_not_continue_the_throttled_attempt_of_another() -> None:
    one = world()
    one.alpha.submissions = [failing(FailureCode.RATE_LIMITED, 40), Ticket({"job": 1})]
    operation = one.begun(n=2, seed=7)
    one.submit(operation.id)
    assert [attempt.slots for attempt in one.now(operation).attempts] == [(0,), (1,)]


def test_the_slot_that_may_be_tried_first_says_how_long_to_wait() -> None:
    one = world()
    one.alpha.submissions = [failing(FailureCode.RATE_LIMITED, 40), failing(FailureCode.RATE_LIMITED, 10)]
    operation = one.begun(n=2, seed=7)
    one.submit(operation.id)
    step = one.submit(operation.id)
    assert (step.next, step.wait) == ("wait", 10)


def test_a_visit_begins_no_submission_that_it_may_not_live_to_see_the_end_of() -> None:
    one = world(replace(BATCHES, images_per_call=1))
    at_once = one.alpha.submit

    def slow(upstream_request: UpstreamRequest) -> Submission:
        one.clock.sleep(200)
        return at_once(upstream_request)

    one.alpha.submit = slow  # type: ignore[method-assign]
    operation = one.begun(n=4)
    assert one.submit(operation.id).next == "submit"
    assert len(orders(one)) == 2


def test_while_credentials_cannot_be_read_no_provider_is_judged_and_none_is_asked_instead() -> None:
    """SSM takes 40 reads a second, and a burst starts more functions than that."""
    unread = [True, True]

    def prepare(provider_key: str, model: str) -> None:
        if unread and unread.pop():
            raise SecretsUnreadable(Failure(FailureCode.CAPACITY, "The upstream's credentials cannot be read."))

    world = World()
    world.deployment.prepare = prepare
    operation = world.begun()
    for _ in range(2):
        step = world.submit(operation.id)
        assert (step.next, step.wait) == ("wait", 5)
        assert not world.now(operation).attempts
        assert not world.now(operation).done
        world.clock.sleep(step.wait)
        step = world.poll(operation.id, submit_not_before=step.submit_not_before)
        assert step.next == "submit"
    world.submit(operation.id)
    assert [attempt.provider for attempt in world.now(operation).attempts] == ["alpha"]


QUOTA = 3000.0
"""Seconds, longer than an operation's deadline."""


def quota_used_up() -> UpstreamError:
    return UpstreamError(Failure(FailureCode.RATE_LIMITED, "GPU quota exceeded, retry in 0:50:00", QUOTA))


def test_a_pause_beyond_the_deadline_ends_the_operation_with_the_upstreams_words() -> None:
    one = World()
    one.alpha.submissions, one.beta.submissions = [quota_used_up()], [quota_used_up()]
    operation = one.begun()
    step = one.submit(operation.id)
    while step.next == "submit":
        step = one.submit(operation.id)
    ended = one.now(operation)
    assert (ended.state, step.next) == (State.FAILED, "done")
    assert ended.failure == quota_used_up().failure
    assert one.clock.now() < operation.deadline - 600


def test_another_provider_is_asked_during_such_a_pause() -> None:
    one = World()
    one.alpha.submissions, one.beta.submissions = [quota_used_up()], [failing(FailureCode.RATE_LIMITED, 10)]
    operation = one.begun()
    step = one.submit(operation.id)
    while step.next == "submit":
        step = one.submit(operation.id)
    assert (one.now(operation).state, step.next, step.wait) == (State.RUNNING, "wait", 10)


def test_a_pause_that_ends_before_the_deadline_is_waited_for() -> None:
    one = world()
    one.alpha.submissions = [failing(FailureCode.RATE_LIMITED, 40)]
    operation = one.begun()
    one.submit(operation.id)
    step = one.submit(operation.id)
    assert (one.now(operation).state, step.next) == (State.RUNNING, "wait")
