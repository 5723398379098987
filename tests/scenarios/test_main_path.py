"""start, submit, poll, fail, sweep, publish: the road of an operation, with scripted upstreams."""

import hashlib
import io
from dataclasses import replace

import pytest
from PIL import Image

from imagegate.adapters.pillow_pictures import PillowPictures
from imagegate.dialects.response import ignored_fields
from imagegate.domain.errors import Conflict, UnknownModel, UnknownOperation
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.attempt import AttemptState
from imagegate.domain.operation.operation import State
from imagegate.domain.operation.outcome import Failed, Pending, Ready, Ticket
from imagegate.domain.operation.representation import represent
from imagegate.domain.operation.usage import Usage
from imagegate.domain.pictures.marks import Provenance
from imagegate.domain.pictures.xmp import MADE_BY_MODEL
from imagegate.domain.request.geometry import Grid, Size
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.usecases.publish import Publish
from imagegate.usecases.read import Read
from imagegate.usecases.start import GenerationRequest
from support.containers import pixels_in, xmp_in
from support.fakes import MemoryBus, MemoryLatencies, MemoryTelemetry, ScriptedProvider, failing, picture
from support.world import URL, World, ready

HOLD = Limits(completion=CompletionMode.STREAM, grid=Grid(64, 2048, 8), prompt_characters=1000)


@pytest.fixture
def world() -> World:
    return World()


def test_an_accepted_request_is_written_before_its_workflow_starts(world: World) -> None:
    operation = world.begun()
    assert world.now(operation).state is State.QUEUED
    assert world.workflow.runs == [(operation.id, operation.id)]


def test_an_unknown_model_writes_nothing(world: World) -> None:
    with pytest.raises(UnknownModel):
        world.start(
            GenerationRequest(request=ImageRequest(model="nope", messages=(Message("x"),)), dialect="openai_images")
        )
    assert not world.store.documents
    assert not world.workflow.runs


def test_the_whole_road(world: World) -> None:
    world.alpha.checks = [Pending(), ready()]
    operation = world.begun()
    first = world.submit(operation.id)
    assert first.next == "wait"
    assert world.poll(operation.id).next == "wait"
    last = world.poll(operation.id)
    reported = {"id": operation.id, "next": "done", "wait": 0, "looked_at": 0.0, "looks": 1, "again_at": 0.0}
    assert last.payload() == reported
    ended = world.now(operation)
    assert ended.state is State.SUCCEEDED
    assert ended.provider == "alpha"
    assert [attempt.state for attempt in world.telemetry.attempts] == [AttemptState.DONE]
    assert world.admission.reports == [("alpha", None)]
    [kept] = ended.pictures
    assert (kept.width, kept.height, kept.content_type, kept.seed) == (64, 48, "image/png", 7)
    assert pixels_in(world.images.objects[kept.key]) == pixels_in(picture())


@pytest.mark.parametrize("known", [{}, {"looks": 3}, {"looks": 3, "again_at": 0}])
def test_an_execution_begun_by_an_earlier_version_ends_well(world: World, known: dict[str, int]) -> None:
    world.alpha.checks = [ready()]
    operation = world.begun()
    held = world.submit(operation.id).payload()
    event = {"id": held["id"], "run": "run", "looked_at": held["looked_at"], **known}
    assert world.poll_event(event).next == "done"
    assert world.now(operation).state is State.SUCCEEDED


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
    assert len(world.images.pictures) == 3


def test_submitting_twice_submits_once(world: World) -> None:
    operation = world.begun()
    world.submit(operation.id)
    assert world.submit(operation.id).next == "wait"
    assert len(world.alpha.submitted) == 1


def test_a_failing_upstream_hands_over_to_the_next(world: World) -> None:
    world.alpha.submissions = [failing(FailureCode.UPSTREAM_FAILED)]
    operation = world.begun()
    assert world.submit(operation.id).next == "submit"
    assert world.submit(operation.id).next == "wait"
    assert [attempt.provider for attempt in world.now(operation).attempts] == ["alpha", "beta"]


def test_a_throttled_upstream_is_not_waited_for_when_another_is_free(world: World) -> None:
    world.alpha.submissions = [failing(FailureCode.RATE_LIMITED, 60)]
    world.beta.checks = [ready()]
    ended = world.drive(world.begun())
    assert ended.provider == "beta"
    assert ended.ended_at
    assert ended.ended_at - ended.created_at < 60


def test_throttled_upstreams_are_waited_for_and_lose_no_turn(world: World) -> None:
    world.alpha.submissions = [*[failing(FailureCode.RATE_LIMITED, 30)] * 6, Ticket({"job": 1})]
    world.beta.submissions = [failing(FailureCode.CAPACITY)]
    world.alpha.checks = [ready()]
    ended = world.drive(world.begun())
    assert (ended.state, ended.provider) == (State.SUCCEEDED, "alpha")
    assert [(attempt.provider, attempt.repeats > 0) for attempt in ended.attempts] == [("alpha", True), ("beta", True)]


def test_upstreams_that_never_have_room_are_the_reason_at_the_deadline(world: World) -> None:
    world.alpha.submissions = world.beta.submissions = [failing(FailureCode.RATE_LIMITED)]
    ended = world.drive(world.begun())
    assert ended.failure
    assert (ended.failure.code, ended.may_have_cost) == (FailureCode.RATE_LIMITED, False)
    assert ended.ended_at
    assert ended.ended_at - ended.created_at == pytest.approx(900, abs=2)
    assert len(world.alpha.submitted) + len(world.beta.submitted) < 30


def test_an_upstream_that_is_being_spared_is_passed_over(world: World) -> None:
    world.admission.closed_until = {"alpha": world.clock.now() + 100}
    world.beta.checks = [ready()]
    assert world.drive(world.begun()).provider == "beta"
    assert not world.alpha.submitted


def test_when_all_are_being_spared_the_first_to_return_is_waited_for(world: World) -> None:
    now = world.clock.now()
    world.admission.closed_until = {"alpha": now + 100, "beta": now + 50}
    world.beta.checks = [ready()]
    ended = world.drive(world.begun())
    assert ended.provider == "beta"
    assert ended.attempts[0].started_at >= now + 50


def test_a_provider_without_a_key_is_asked_once_and_not_blamed(world: World) -> None:
    world.alpha.submissions = [failing(FailureCode.AUTH)]
    world.beta.submissions = [failing(FailureCode.UPSTREAM_FAILED)]
    ended = world.drive(world.begun())
    assert [attempt.provider for attempt in ended.attempts] == ["alpha", "beta", "beta"]
    assert ended.failure
    assert ended.failure.code is FailureCode.UPSTREAM_FAILED


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
    world.alpha.submissions = [failing(FailureCode.UPSTREAM_FAILED)]
    world.beta.submissions = [failing(FailureCode.BAD_PAYLOAD)]
    ended = world.drive(world.begun())
    assert ended.state is State.FAILED
    assert ended.failure == Failure(FailureCode.BAD_PAYLOAD, "said bad_payload")
    assert len(ended.attempts) == 4


def test_an_ambiguous_submission_is_marked_unknown_and_repeated_once(world: World) -> None:
    world.alpha.submissions = world.beta.submissions = [failing(FailureCode.AMBIGUOUS)]
    ended = world.drive(world.begun())
    assert [attempt.state for attempt in ended.attempts] == [AttemptState.UNKNOWN, AttemptState.UNKNOWN]
    assert len(world.alpha.submitted) + len(world.beta.submitted) == 2
    assert ended.may_have_cost
    assert ended.failure
    assert ended.failure.code is FailureCode.AMBIGUOUS


def test_a_lost_submitter_is_noticed_after_its_lease(world: World) -> None:
    operation = world.begun()
    world.alpha.submissions = [KeyboardInterrupt()]  # type: ignore[list-item]
    with pytest.raises(KeyboardInterrupt):
        world.submit(operation.id)
    waiting = world.poll(operation.id)
    assert waiting.next == "wait"
    world.clock.sleep(waiting.wait)
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


@pytest.mark.parametrize("made", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("asked", ["png", "jpeg", "webp", None])
def test_pictures_are_converted_to_the_format_asked_for(world: World, made: str, asked: str | None) -> None:
    world.http.downloads = {URL: picture(200, 100, made)}
    world.alpha.checks = [ready()]
    [kept] = world.drive(world.begun(output_format=asked)).pictures
    assert kept.content_type == f"image/{asked or made}"
    body = world.images.objects[kept.key]
    assert (PillowPictures().inspect(body).content_type, len(body)) == (kept.content_type, kept.bytes)
    if asked in (None, made):
        assert pixels_in(body) == pixels_in(picture(200, 100, made))


@pytest.mark.parametrize("made", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("asked", ["jpeg", "webp"])
def test_they_are_compressed_as_asked_for_whatever_they_were(world: World, made: str, asked: str) -> None:
    world.http.downloads = {URL: picture(400, 300, made)}
    world.alpha.checks = [ready()]

    def size(compression: int) -> int:
        [kept] = world.drive(world.begun(output_format=asked, output_compression=compression)).pictures
        return kept.bytes

    assert size(5) < size(100)


@pytest.mark.parametrize("made", ["jpeg", "webp"])
def test_what_the_upstream_compressed_is_not_compressed_again(world: World, made: str) -> None:
    world.alpha.limits = replace(world.alpha.limits, compresses=True)
    world.http.downloads = {URL: picture(400, 300, made)}
    world.alpha.checks = [ready()]
    [kept] = world.drive(world.begun(output_format=made, output_compression=5)).pictures
    assert kept.converted_from is None
    assert pixels_in(world.images.objects[kept.key]) == pixels_in(picture(400, 300, made))


def test_what_is_compressed_here_comes_uncompressed_from_the_upstream(world: World) -> None:
    world.alpha.checks = [ready()]
    [kept] = world.drive(world.begun(output_format="jpeg", output_compression=50)).pictures
    assert (kept.content_type, kept.converted_from) == ("image/jpeg", "image/png")
    assert xmp_in(world.images.objects[kept.key])["Iptc4xmpExt:DigitalSourceType"] == MADE_BY_MODEL
    assert (world.alpha.submitted[0].output_format, world.alpha.submitted[0].output_compression) == ("png", None)


def test_full_quality_adds_no_loss(world: World) -> None:
    world.http.downloads = {URL: picture(400, 300, "jpeg")}
    world.alpha.checks = [ready()]
    [kept] = world.drive(world.begun(output_format="jpeg", output_compression=100)).pictures
    assert kept.converted_from is None
    assert pixels_in(world.images.objects[kept.key]) == pixels_in(picture(400, 300, "jpeg"))
    assert world.alpha.submitted[0].output_format == "jpeg"


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 48"><path d="M0 0"/></svg>'


def moving(output_format: str) -> bytes:
    out = io.BytesIO()
    first = Image.linear_gradient("L").resize((64, 48)).convert("RGB")
    first.save(out, output_format, save_all=True, append_images=[first.rotate(90)])
    return out.getvalue()


@pytest.mark.parametrize(
    ("made", "asked", "kept_as", "unmet"),
    [
        (SVG, None, "image/svg+xml", ()),
        (SVG, "png", "image/svg+xml", ("output_format",)),
        (moving("GIF"), None, "image/gif", ()),
        (moving("GIF"), "png", "image/png", ()),
        (moving("GIF"), "webp", "image/gif", ("output_format",)),
        (picture(output_format="avif"), None, "image/avif", ()),
        (picture(output_format="avif"), "jpeg", "image/jpeg", ()),
        (picture(output_format="gif"), "webp", "image/webp", ()),
    ],
)
def test_formats_are_kept_or_converted_where_that_makes_sense_and_never_lost(
    world: World, made: bytes, asked: str | None, kept_as: str, unmet: tuple[str, ...]
) -> None:
    world.http.downloads = {URL: made}
    world.alpha.checks = [ready()]
    ended = world.drive(world.begun(output_format=asked))
    [kept] = ended.pictures
    assert (kept.content_type, kept.width, kept.height, kept.not_honoured) == (kept_as, 64, 48, unmet)
    assert ignored_fields(ended) == set(unmet)
    assert (kept.converted_from is not None) == (asked is not None and not unmet)
    assert kept.frames == (2 if kept_as == "image/gif" else 1)
    body = world.images.objects[kept.key]
    assert PillowPictures().inspect(body).content_type == kept_as
    if kept_as != "image/avif":
        assert xmp_in(body)["imagegate:Operation"] == ended.id


def test_what_comes_in_another_shape_is_told(world: World) -> None:
    world.alpha.checks = [ready()]
    ended = world.drive(world.begun(size=Size(128, 128), background="opaque"))
    assert ignored_fields(ended) == {"size"}
    assert represent(ended)["images"][0]["not_honoured"] == ["size"]


def test_the_same_picture_for_two_seeds_is_told(world: World) -> None:
    world.alpha.checks = [ready(7), ready(8)]
    ended = world.drive(world.begun(n=2, seed=7))
    assert [picture.seed for picture in ended.pictures] == [7, 8]
    assert ignored_fields(ended) == {"seed"}


def test_a_picture_says_where_it_comes_from_and_the_record_says_what_was_written(world: World) -> None:
    world.alpha.checks = [ready()]
    ended = world.drive(world.begun())
    [kept] = ended.pictures
    said = xmp_in(world.images.objects[kept.key])
    assert said["imagegate:Operation"] == ended.id
    assert (said["imagegate:Provider"], said["imagegate:Model"]) == ("alpha", "schnell")
    assert "cat" not in str(said), "the prompt is the caller's"
    assert kept.provenance == Provenance(added=("xmp",), digital_source_type=MADE_BY_MODEL)
    [reported] = represent(ended)["images"]
    assert reported["provenance"]["added"] == ["xmp"]
    assert hashlib.sha256(world.images.objects[kept.key]).hexdigest() == kept.sha256


@pytest.mark.parametrize(("private", "told"), [(False, "a cat"), (True, None)])
def test_the_prompt_is_written_where_the_deployment_says_so(private: bool, told: str | None) -> None:
    world = World(provenance=frozenset({"metadata", "prompt"}))
    world.alpha.checks = [ready()]
    [kept] = world.drive(world.begun(private=private)).pictures
    assert xmp_in(world.images.objects[kept.key]).get("Iptc4xmpExt:AIPromptInformation") == told


def test_a_picture_that_is_kept_as_it_came_is_decoded_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = list[bytes]()
    inspect = PillowPictures.inspect
    monkeypatch.setattr(PillowPictures, "inspect", lambda self, body: [decoded.append(body), inspect(self, body)][1])
    world.alpha.checks = [ready()]
    assert world.drive(world.begun()).state is State.SUCCEEDED
    assert decoded == [picture()]


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


def test_an_operation_outlives_an_outage_of_lambda(world: World) -> None:
    operation = world.begun()
    for _ in range(2):
        assert world.fail(operation.id, "Lambda.TooManyRequestsException").next == "done"
        assert world.now(operation).state is State.QUEUED
        assert world.sweep() == 0
        world.clock.sleep(61)
        assert world.sweep() == 1
    world.clock.time = operation.deadline
    world.fail(operation.id, "Lambda.TooManyRequestsException")
    assert (world.now(operation).state, world.now(operation).failure.code) == (State.FAILED, FailureCode.INTERNAL)  # type: ignore[union-attr]


def test_an_outage_of_lambda_says_nothing_of_what_has_ended(world: World) -> None:
    operation = world.begun()
    world.fail(operation.id, "States.Timeout")
    world.fail(operation.id, "Lambda.TooManyRequestsException")
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
    world.update_with_retry(stale, lambda current: replace(current, due_at=1), sweep_after=1)
    written = world.update_with_retry(stale, lambda entry: entry.moved(State.RUNNING, 1.0), sweep_after=2)
    assert written.version == 3


def test_a_hopeless_race_is_given_up(world: World) -> None:
    operation = world.begun()
    world.store.replace = lambda *_: (_ for _ in ()).throw(Conflict("always"))  # type: ignore[method-assign]
    with pytest.raises(Conflict, match="too many"):
        world.update_with_retry(operation, lambda current: replace(current, due_at=1), sweep_after=1)


def test_a_foreign_operation_does_not_exist(world: World) -> None:
    operation = world.begun()
    read = Read(store=world.store, clock=world.clock, retention_days=30)
    assert read(operation.id, "me") == operation
    for operation_id, owner in ((operation.id, "you"), ("0" * 20, "me"), ("../etc", "me")):
        with pytest.raises(UnknownOperation):
            read(operation_id, owner)


def test_publish_names_what_the_bus_did_not_take(world: World) -> None:
    operation = world.begun()
    touched = replace(operation, version=2)
    running = replace(touched.moved(State.RUNNING, 1.0), version=3)
    bus = MemoryBus(refuse={1})
    publish = Publish(bus=bus, telemetry=MemoryTelemetry(), record=lambda event: None)
    assert publish([(None, operation), (operation, touched), (touched, running)]) == [2]
    assert [event.detail_type for event in bus.events] == ["Image Generation Queued"]


def test_tickets_are_handed_back_as_they_were(world: World) -> None:
    seen = []
    world.alpha.submissions = [Ticket({"event_id": "e", "deep": {"a": [1, "x"]}})]
    world.alpha.check = lambda ticket, hold_until: seen.append(ticket) or Pending()  # type: ignore[method-assign]
    operation = world.begun()
    world.submit(operation.id)
    world.poll(operation.id)
    assert seen == [Ticket({"event_id": "e", "deep": {"a": [1, "x"]}})]


def test_a_quick_job_is_stayed_for(world: World) -> None:
    world.latencies = MemoryLatencies(expected_seconds=1.0)
    world.__post_init__()
    world.alpha.checks = [Pending(), ready()]
    operation = world.begun()
    assert world.submit(operation.id).next == "done"
    assert world.now(operation).state is State.SUCCEEDED


def test_staying_ends_when_it_takes_longer(world: World) -> None:
    world.latencies = MemoryLatencies(expected_seconds=1.0)
    world.__post_init__()
    world.alpha.checks = [Pending()]
    began = world.clock.now()
    assert world.submit(world.begun().id).next == "wait"
    assert world.clock.now() - began <= 5


def holding(world: World) -> ScriptedProvider:
    world.alpha = ScriptedProvider(limits=HOLD)
    world.__post_init__()
    return world.alpha


def test_a_stream_is_not_opened_before_its_time_and_only_once(world: World) -> None:
    alpha = holding(world)
    for _ in range(50):
        world.latencies.observe("alpha", "schnell", 30, 30)
    opened: list[float] = []

    def check(ticket: Ticket, hold_until: float) -> Ready:
        opened.append(world.clock.now())
        world.clock.sleep(10)
        return ready()

    alpha.check = check  # type: ignore[method-assign]
    operation = world.begun()
    step = world.submit(operation.id)
    assert step.next == "wait"
    assert world.poll(operation.id).next == "wait"
    assert not opened
    world.clock.sleep(step.wait)
    assert world.poll(operation.id).next == "done"
    assert len(opened) == 1


def test_two_drivers_do_not_listen_to_one_stream(world: World) -> None:
    alpha = holding(world)
    operation = world.begun()
    step = world.submit(operation.id)
    world.clock.sleep(step.wait)

    def check(ticket: Ticket, hold_until: float) -> Ready:
        assert world.poll(operation.id, run="another").next == "wait"
        return ready()

    alpha.check = check  # type: ignore[method-assign]
    assert world.poll(operation.id).next == "done"


def test_a_listener_that_died_is_followed_by_its_own_run_at_once(world: World) -> None:
    alpha = holding(world)
    operation = world.begun()
    step = world.submit(operation.id)
    world.clock.sleep(step.wait)
    alpha.checks = [KeyboardInterrupt()]  # type: ignore[list-item]
    with pytest.raises(KeyboardInterrupt):
        world.poll(operation.id)
    alpha.checks = [ready()]
    assert world.poll(operation.id, run="another").next == "wait"
    assert world.poll(operation.id).next == "done"


def test_a_late_picture_is_harvested_and_announced(world: World) -> None:
    world.alpha.checks = [Pending()]
    ended = world.drive(world.begun())
    assert ended.failure
    assert ended.failure.code is FailureCode.DEADLINE_EXCEEDED
    assert world.latencies.censored
    world.alpha.checks = [Pending(), ready()]
    for _ in range(2):
        world.clock.sleep(400)
        assert world.sweep() == 1
        world.drive(ended, run=world.workflow.runs[-1][1])
    late = world.now(ended)
    assert late.state is State.FAILED
    assert [picture.late for picture in late.pictures] == [True]
    bus = MemoryBus()
    publish = Publish(bus=bus, telemetry=MemoryTelemetry(), record=lambda event: None)
    publish(list(zip([None, *world.store.history], world.store.history, strict=False)))
    assert [event.detail_type.rpartition(" ")[2] for event in bus.events] == [
        "Queued",
        "Started",
        "Failed",
        "Succeeded",
    ]
    world.clock.sleep(10_000)
    assert world.sweep() == 0


def test_harvesting_ends_with_the_upstreams_memory_and_gets_rarer(world: World) -> None:
    world.alpha.checks = [Pending()]
    ended = world.drive(world.begun())
    sweeps = 0
    for _ in range(3 * 60):
        world.clock.sleep(60)
        swept = world.sweep()
        sweeps += swept
        if swept:
            world.drive(ended, run=world.workflow.runs[-1][1])
    assert 3 <= sweeps <= 15


def test_a_cancelled_job_is_stopped_upstream(world: World) -> None:
    operation = world.begun()
    world.submit(operation.id)
    world.cancel(world.now(operation))
    ended = world.drive(operation, run=world.workflow.runs[-1][1])
    assert ended.state is State.CANCELLED
    assert world.alpha.cancelled == [Ticket({"job": 1})]
    assert not any(attempt.live for attempt in ended.attempts)


def test_each_retry_has_as_long_as_the_first_try_had(world: World) -> None:
    operation = world.begun()
    for _ in range(3):
        world.clock.sleep(100_000)
        world.cancel(world.now(operation))
        again = world.retry(world.now(operation))
        assert again.deadline - world.clock.now() == operation.deadline - operation.created_at


def test_the_deadline_of_a_retry_is_told_as_what_it_was(world: World) -> None:
    """It counted from the first try: "within the deadline of 100900 s"."""
    operation = world.begun()
    world.cancel(operation)
    world.clock.sleep(100_000)
    again = world.retry(world.now(operation))
    world.clock.time = again.deadline
    failure = world.drive(again).failure
    assert failure
    assert failure.message == (
        "No picture within the deadline of 900 s."
        " To allow more, set `deadline` in the request, or the deployment's DeadlineSeconds."
    )


def test_an_operation_that_is_late_says_why_the_first_provider_failed(world: World) -> None:
    world.alpha.submissions = [failing(FailureCode.RATE_LIMITED)]
    world.beta.checks = [Pending()]
    failure = world.drive(world.begun()).failure
    assert failure
    assert failure.code is FailureCode.DEADLINE_EXCEEDED
    assert "The last reason: rate_limited, said rate_limited. To allow more, set `deadline`" in failure.message


def test_a_retry_gives_every_provider_its_turns_anew(world: World) -> None:
    world.alpha.submissions = world.beta.submissions = [failing(FailureCode.UPSTREAM_FAILED)]
    failed = world.drive(world.begun())
    assert failed.state is State.FAILED
    world.alpha.submissions = [Ticket({"job": 2})]
    world.alpha.checks = [ready()]
    again = world.drive(world.retry(failed))
    assert again.state is State.SUCCEEDED
    assert [attempt.number for attempt in again.attempts] == [1, 2, 3, 4, 5]


def test_a_blank_picture_is_a_refusal(world: World) -> None:
    world.http.downloads = {URL: picture(blank=True)}
    world.alpha.checks = [ready()]
    ended = world.drive(world.begun())
    assert ended.failure
    assert ended.failure.code is FailureCode.CONTENT_FILTERED
    assert len(world.alpha.submitted) == 1


def test_of_several_pictures_only_the_missing_are_made_again(world: World) -> None:
    world.alpha.checks = [ready(), Failed(Failure(FailureCode.UPSTREAM_FAILED, "crashed")), ready()]
    world.beta.checks = [Ready(bodies=(picture(),))]
    ended = world.drive(world.begun(n=3))
    assert ended.state is State.SUCCEEDED
    assert len(world.alpha.submitted) == 3
    assert len(world.beta.submitted) == 1


def test_completion_times_are_learned_between_two_looks(world: World) -> None:
    world.alpha.checks = [Pending(), Pending(), ready()]
    world.drive(world.begun())
    [(earliest, latest)] = world.latencies.seen
    assert 0 < earliest < latest


def test_what_was_made_of_the_prompt_and_the_tokens_are_kept(world: World) -> None:
    reported = Ready(
        bodies=(picture(),),
        seed=0,
        revised_prompts=("a cat, at dusk",),
        usage=Usage(input_tokens=4, output_tokens=50, total_tokens=54, input_text_tokens=4),
    )
    world.alpha.submissions = [
        reported,
        replace(
            reported,
            revised_prompts=("a cat",),
            usage=Usage(input_tokens=5, output_tokens=60, total_tokens=65, input_text_tokens=4, input_image_tokens=1),
        ),
    ]
    ended = world.drive(world.begun(n=2))
    assert [picture.revised_prompt for picture in ended.pictures] == ["a cat, at dusk", None]
    assert [picture.seed for picture in ended.pictures] == [0, 0]
    assert [attempt.usage for attempt in ended.attempts] == [
        reported.usage,
        Usage(input_tokens=5, output_tokens=60, total_tokens=65, input_text_tokens=4, input_image_tokens=1),
    ]
    assert ended.usage == Usage(
        input_tokens=9, output_tokens=110, total_tokens=119, input_text_tokens=8, input_image_tokens=1
    )


def test_tokens_of_only_a_part_are_not_the_operations(world: World) -> None:
    world.alpha.submissions = [
        Ready(bodies=(picture(),), usage=Usage(input_tokens=4, output_tokens=50, total_tokens=54)),
        Ready(bodies=(picture(),)),
    ]
    ended = world.drive(world.begun(n=2))
    assert ended.state is State.SUCCEEDED
    assert ended.usage is None


def test_they_survive_a_fetch_that_is_interrupted(world: World) -> None:
    world.alpha.checks = [
        replace(
            ready(), revised_prompts=("a cat, at dusk",), usage=Usage(input_tokens=4, output_tokens=50, total_tokens=54)
        )
    ]
    operation = world.begun()
    world.submit(operation.id)
    downloads, world.http.downloads = world.http.downloads, {}
    with pytest.raises(KeyError):
        world.poll(operation.id)
    [noted] = world.now(operation).attempts
    assert noted.state is AttemptState.READY
    world.http.downloads = downloads
    world.poll(operation.id)
    ended = world.now(operation)
    assert (ended.pictures[0].revised_prompt, ended.usage) == (
        "a cat, at dusk",
        Usage(input_tokens=4, output_tokens=50, total_tokens=54),
    )
