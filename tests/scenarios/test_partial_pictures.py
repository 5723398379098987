"""Partial pictures are stored while their picture is made, and nothing about them can cost it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from imagegate.domain.errors import UnknownOperation
from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.attempt import AttemptState
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Ready, Submission
from imagegate.domain.request.limits import Limits
from imagegate.domain.request.routes import Routes
from imagegate.usecases.delete import Delete
from support.fakes import MemoryDeliveries, MemoryImages, ScriptedProvider, failing, picture, routes
from support.world import World

LIMITS = replace(ScriptedProvider().limits, capabilities=frozenset({"partial_images"}))
SKETCHES = (picture(32, 24), picture(48, 36))


@dataclass
class Sketcher(ScriptedProvider):
    """Sends partial pictures before its picture."""

    limits: Limits = LIMITS
    sketches: tuple[bytes, ...] = SKETCHES
    meanwhile: Callable[[], None] = lambda: None
    """Happens after each of them."""
    asked: list[int | None] = field(default_factory=list)
    end: UpstreamError | None = None

    def submit(self, upstream_request: UpstreamRequest) -> Submission:
        super().submit(upstream_request)
        self.asked.append(upstream_request.request.partial_images if upstream_request.on_partial else None)
        for index, body in enumerate(self.sketches):
            if upstream_request.on_partial:
                upstream_request.on_partial(index, body)
                self.meanwhile()
        if self.end:
            raise self.end
        return Ready(bodies=(picture(),))


def world(**changes: object) -> tuple[World, Sketcher]:
    sketcher = Sketcher(**changes)  # type: ignore[arg-type]
    [route] = routes("alpha")
    able = replace(route, targets=tuple(replace(target, limits=LIMITS) for target in route.targets))
    return World(alpha=sketcher, routes=Routes([able])), sketcher


def submitted(one: World, partial_images: int | None = 2) -> Operation:
    begun = one.begun(partial_images=partial_images)
    one.submit(begun.id)
    return one.now(begun)


def test_readers_see_them_while_the_picture_is_made() -> None:
    one, sketcher = world()
    seen = list[tuple[State, int, float]]()
    begun = one.begun(partial_images=2)

    def look() -> None:
        now = one.now(begun)
        seen.append((now.state, len(now.partials), now.due_at))

    sketcher.meanwhile = look
    one.submit(begun.id)
    assert [(state, count) for state, count, _ in seen] == [(State.RUNNING, 1), (State.RUNNING, 2)]
    assert len({due_at for _, _, due_at in seen}) == 1
    ended = one.now(begun)
    assert ended.state is State.SUCCEEDED
    assert [(each.index, each.slot, each.attempt, each.width) for each in ended.partials] == [
        (0, 0, 1, 32),
        (1, 0, 1, 48),
    ]
    assert [one.images.objects[each.key] for each in ended.partials] == list(SKETCHES)
    assert all(each.key.startswith(f"images/{begun.id[-2:]}/{begun.id}/partial-1-") for each in ended.partials)
    assert ended.attempts[0].not_honoured == ()


def test_none_are_asked_for_unless_the_request_wants_them() -> None:
    one, sketcher = world()
    assert submitted(one, None).partials == ()
    assert sketcher.asked == [None]


def test_a_provider_that_makes_none_is_not_asked_and_named() -> None:
    sketcher = Sketcher(limits=ScriptedProvider().limits)
    one = World(alpha=sketcher, routes=routes("alpha"))
    ended = submitted(one)
    assert (ended.state, ended.partials, sketcher.asked) == (State.SUCCEEDED, (), [None])
    assert ended.attempts[0].not_honoured == ("partial_images",)


def test_where_none_came_the_field_is_named() -> None:
    one, _ = world(sketches=())
    ended = submitted(one)
    assert ended.state is State.SUCCEEDED
    assert ended.attempts[0].not_honoured == ("partial_images",)


def test_what_is_no_picture_is_left_out() -> None:
    one, _ = world(sketches=(b"<html>", SKETCHES[0]))
    ended = submitted(one)
    assert (ended.state, [each.index for each in ended.partials]) == (State.SUCCEEDED, [1])


def test_more_than_were_asked_for_are_not_stored() -> None:
    one, _ = world(sketches=tuple(picture(16 + side, 16) for side in range(9)))
    assert len(submitted(one).partials) == 2


@dataclass
class FullImages(MemoryImages):
    """A bucket that refuses partial pictures."""

    refused: int = 0

    def put(self, key: str, body: bytes, content_type: str, *, overwrite: bool = False) -> None:
        if "/partial-" in key:
            self.refused += 1
            raise OSError("SlowDown")
        super().put(key, body, content_type, overwrite=overwrite)


def test_a_storage_that_refuses_one_costs_no_picture(caplog: pytest.LogCaptureFixture) -> None:
    images = FullImages()
    [route] = routes("alpha")
    able = replace(route, targets=tuple(replace(target, limits=LIMITS) for target in route.targets))
    one = World(alpha=Sketcher(), routes=Routes([able]), images=images)
    ended = submitted(one)
    assert (ended.state, ended.partials, images.refused) == (State.SUCCEEDED, (), 1)
    assert "a partial picture was not stored" in caplog.text


@pytest.mark.parametrize(
    ("code", "state"),
    [(FailureCode.AMBIGUOUS, AttemptState.UNKNOWN), (FailureCode.BAD_PAYLOAD, AttemptState.FAILED)],
)
def test_a_stream_that_breaks_is_judged_as_a_broken_answer(code: FailureCode, state: AttemptState) -> None:
    one, sketcher = world(end=failing(code))
    ended = submitted(one)
    assert ended.attempts[0].state is state
    assert len(ended.partials) == 2 * len(sketcher.asked)
    assert {each.attempt for each in ended.partials} == {attempt.number for attempt in ended.attempts}


def test_an_operation_cancelled_meanwhile_gets_none_any_more() -> None:
    one, sketcher = world()
    begun = one.begun(partial_images=2)
    sketcher.meanwhile = lambda: None if one.now(begun).done else one.cancel(one.now(begun)) and None
    one.submit(begun.id)
    assert (one.now(begun).state, len(one.now(begun).partials)) == (State.CANCELLED, 1)


def test_an_operation_deleted_meanwhile_does_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    one, sketcher = world()
    begun = one.begun(partial_images=2)

    def delete() -> None:
        one.cancel(one.now(begun))
        one.store.delete(one.now(begun))
        sketcher.meanwhile = lambda: None

    sketcher.meanwhile = delete
    with pytest.raises(UnknownOperation):
        one.submit(begun.id)
    assert "a partial picture was not stored" in caplog.text


def test_deleting_an_operation_deletes_them() -> None:
    one, _ = world()
    ended = submitted(one)
    Delete(store=one.store, images=one.images, deliveries=MemoryDeliveries(one.clock))(ended)
    assert one.images.objects == {}
