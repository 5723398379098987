"""What an upstream has made is paid for: it is brought home, not made again, and it stands in the books."""

import hashlib
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from imagegate.adapters.ssm_secrets import SsmSecrets
from imagegate.domain.access.api_key import ApiKey, KeyLimits, issue
from imagegate.domain.errors import WrongState
from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.attempt import AttemptState, Source
from imagegate.domain.operation.operation import State
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Pending, Ready, Submission, Ticket
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.domain.request.request import ImageRequest, InputImage, Message
from imagegate.domain.request.route import Route, Target
from imagegate.domain.request.routes import Routes
from imagegate.ports.upstreams import HttpResponse
from imagegate.providers.gradio_space import GradioSpace
from imagegate.usecases.retry import MOST_ATTEMPTS
from imagegate.usecases.start import GenerationRequest
from support.fakes import MICRO_DOLLARS, ScriptedHttp, failing, picture, routes
from support.unrest import Killed, before, die
from support.world import URL, World, overtaken, ready

PASSING = [FailureCode.CAPACITY, FailureCode.RATE_LIMITED, FailureCode.UPSTREAM_FAILED, FailureCode.UPSTREAM_TIMEOUT]
DAY = 86_400.0


def raising(error: Exception) -> Callable[[], None]:
    """A deed that fails."""

    def action() -> None:
        raise error

    return action


broken = raising(RuntimeError("ThrottlingException"))


def submissions(world: World) -> int:
    return len(world.alpha.submitted) + len(world.beta.submitted)


def served_by(world: World, limits: Limits, *providers: str) -> None:
    """Let `flux` be served by these, with those limits."""
    world.alpha.limits = world.beta.limits = limits
    targets = tuple(
        Target(provider=name, model="schnell", limits=limits, price_usd=MICRO_DOLLARS[name] / 1e6) for name in providers
    )
    world.routes = Routes([Route(model="flux", targets=targets)])
    world.__post_init__()


class ThrottledParameters:
    """An SSM client at its limit."""

    throttled = True

    class exceptions:
        """Where boto3 has them."""

        class ParameterNotFound(Exception):
            """Not there."""

    def get_parameter(self, **named: Any) -> dict[str, Any]:
        if self.throttled:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "GetParameter")
        return {"Parameter": {"Value": "a token"}}


def four_a_call(**changes: Any) -> Limits:
    return Limits(
        completion=CompletionMode.POLL, grid=Grid(64, 2048, 8), prompt_characters=1000, images_per_call=4, **changes
    )


def a_key() -> ApiKey:
    key, _ = issue("billing", 0.0, limits=KeyLimits(micro_dollars_per_day=10**9, pictures_per_day=1000, concurrent=5))
    return key


class Streams:
    """Both providers as streams that tell each result once; remembers the jobs it was given."""

    def __init__(self, world: World) -> None:
        self.jobs, self.told = 0, set[int]()
        limits = Limits(completion=CompletionMode.STREAM, grid=Grid(64, 2048, 8), prompt_characters=1000)
        for provider in (world.alpha, world.beta):
            provider.limits = limits
            provider.submit = self.submit  # type: ignore[method-assign]
            provider.check = self.check  # type: ignore[method-assign]

    def submit(self, upstream_request: UpstreamRequest) -> Submission:
        self.jobs += 1
        return Ticket({"job": self.jobs})

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        job = ticket.data["job"]
        if job in self.told:
            return Failed(Failure(FailureCode.UPSTREAM_TIMEOUT, "It was told before."))
        self.told.add(job)
        return ready()


@pytest.mark.parametrize("code", PASSING)
def test_a_fetch_that_fails_for_a_moment_is_tried_again(code: FailureCode) -> None:
    world = World()
    world.alpha.checks = [ready()]
    before(world.http, "download", raising(failing(code)))
    operation = world.drive(world.begun())
    assert operation.state is State.SUCCEEDED
    assert submissions(world) == 1
    assert (operation.ended_at or 0) - operation.created_at < 60
    assert not operation.attempts[0].sources, "an item has room for 400 KB, and addresses may have four of them"


@pytest.mark.parametrize("code", PASSING)
def test_a_host_that_stays_out_of_reach_does_not_make_the_picture_free(code: FailureCode) -> None:
    """It counted as "turned away": sixteen were made and paid for, and the books said none."""
    world = World()
    world.http.downloads[URL] = failing(code)
    world.alpha.submissions = world.beta.submissions = [ready()]
    operation = world.drive(world.begun(key=a_key()))
    assert submissions(world) == len(operation.attempts) == 4
    assert operation.failure
    assert not operation.failure.certainly_free
    assert operation.may_have_cost
    assert not any(attempt.sources for attempt in operation.attempts)
    [[_, booked]] = [item for item in world.store.usage_ledger.items() if item[1].micro_dollars]
    assert booked.micro_dollars == 2 * sum(MICRO_DOLLARS.values())


def test_while_nobody_waits_it_is_fetched_until_the_upstream_forgets_it() -> None:
    world = World()
    world.http.downloads[URL] = failing(FailureCode.UPSTREAM_FAILED)
    world.alpha.checks = [ready()]
    operation = world.begun()
    world.submit(operation.id)
    world.fail(operation.id, "States.Timeout")
    for _ in range(5):
        world.clock.sleep(600)
        assert world.sweep() == 1
        world.submit(operation.id, "sweep")
    world.http.downloads[URL] = picture()
    world.clock.sleep(599)
    world.sweep()
    world.submit(operation.id, "sweep")
    assert len(world.now(operation).late_pictures) == 1


def test_one_of_four_that_is_gone_is_made_again_alone() -> None:
    world = World()
    served_by(world, four_a_call(), "alpha", "beta")
    urls = [f"https://alpha.invalid/{number}" for number in range(4)]
    world.http.downloads |= {**dict.fromkeys(urls, picture()), urls[3]: failing(FailureCode.EXPIRED)}
    world.alpha.submissions = [Ready(sources=tuple(map(Source, urls))), ready()]
    world.beta.submissions = [ready()]
    operation = world.drive(world.begun(n=4))
    assert operation.state is State.SUCCEEDED
    assert [len(attempt.slots) for attempt in operation.attempts] == [4, 1]
    assert [attempt.failure.code for attempt in operation.attempts if attempt.failure] == [FailureCode.EXPIRED]


def test_a_refusal_of_one_of_four_is_final_and_the_others_are_kept() -> None:
    world = World()
    served_by(world, four_a_call(), "alpha", "beta")
    world.alpha.submissions = [Ready(bodies=(*(picture(),) * 3, picture(blank=True)))]
    operation = world.drive(world.begun(n=4))
    assert operation.failure
    assert operation.failure.code is FailureCode.CONTENT_FILTERED
    assert len(operation.pictures) == 3
    assert submissions(world) == 1


def test_an_upstream_that_is_ready_with_nothing_is_not_asked_for_ever() -> None:
    world = World()
    served_by(world, four_a_call(), "alpha", "beta")
    world.alpha.submissions = world.beta.submissions = [Ready()]
    assert world.drive(world.begun(n=4)).state is State.FAILED
    assert submissions(world) <= 16


def test_fewer_pictures_than_asked_for_cost_less() -> None:
    world = World()
    served_by(world, four_a_call(), "alpha")
    world.alpha.submissions = [Ready(bodies=(picture(),) * 2), Ready(bodies=(picture(),))]
    operation = world.drive(world.begun(n=4))
    assert operation.state is State.SUCCEEDED
    assert sum(attempt.micro_dollars for attempt in operation.attempts) == 4 * MICRO_DOLLARS["alpha"]


def test_what_is_wrong_with_one_stream_does_not_lose_the_others() -> None:
    world = World()
    streams = Streams(world)
    before(world.images, "put", broken)
    operation = world.begun(n=3)
    world.clock.sleep(world.submit(operation.id).wait)
    with pytest.raises(RuntimeError):
        world.poll(operation.id)
    assert world.drive(operation).state is State.SUCCEEDED
    assert streams.jobs == 3


@pytest.mark.parametrize(("port", "name"), [("latencies", "observe"), ("admission", "report")])
@pytest.mark.parametrize("waits", list(CompletionMode))
def test_what_is_learned_beside_it_costs_no_picture(
    port: str, name: str, waits: CompletionMode, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    world.alpha.checks = [ready()]
    if waits is CompletionMode.SYNC:
        served_by(world, Limits(completion=waits, grid=Grid(64, 2048, 8), prompt_characters=1000), "alpha", "beta")
        world.alpha.submissions = [Ready(bodies=(picture(),))]
    streams = Streams(world) if waits is CompletionMode.STREAM else None
    before(getattr(world, port), name, broken)
    assert world.drive(world.begun()).state is State.SUCCEEDED
    assert (streams.jobs if streams else submissions(world)) == 1
    assert "ThrottlingException" in caplog.text


def test_a_ticket_is_written_before_anything_else_is_asked_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long its job takes was read first: that failed, the ticket was lost, and another job was bought."""
    world = World()
    operation = world.begun()
    before(world.alpha, "submit", lambda: monkeypatch.setattr(world.latencies, "get", lambda *_: broken()), after=True)
    with pytest.raises(RuntimeError):
        world.submit(operation.id)
    assert world.now(operation).attempts[0].ticket
    monkeypatch.undo()
    world.alpha.checks = [ready()]
    assert world.drive(operation).state is State.SUCCEEDED
    assert submissions(world) == 1


def test_credentials_that_cannot_be_read_for_a_moment_cost_nothing() -> None:
    """Many functions started at once, more than SSM takes: submissions never made were "perhaps paid for"."""
    world = World(routes=routes("alpha"))
    parameters = ThrottledParameters()
    http = ScriptedHttp([HttpResponse(200, {}, b'{"event_id": "1"}')])
    world.providers["alpha"] = GradioSpace(
        "alpha", "https://alpha.invalid", http, SsmSecrets(lambda: parameters, "/dev", one_by_one=True)
    )  # type: ignore[assignment]
    operation = world.begun()
    world.submit(operation.id)
    assert not world.now(operation).may_have_cost
    parameters.throttled = False
    world.clock.sleep(60)
    world.submit(operation.id)
    [attempt] = world.now(operation).attempts
    assert attempt.state is AttemptState.SUBMITTED
    assert http.requests[0].headers["authorization"] == "Bearer a token"


def test_a_slot_that_nobody_takes_does_not_keep_another_from_being_looked_at() -> None:
    """Its provider wanted two hours of rest; the other slot's picture was kept for one."""
    world = World()
    begun = world.clock.now()
    world.alpha.submissions = [Ticket({"job": 1}), failing(FailureCode.RATE_LIMITED)]
    world.beta.submissions = [UpstreamError(Failure(FailureCode.RATE_LIMITED, "Rest.", 7200))]

    def check(ticket: Ticket, hold_until: float) -> Check:
        age = world.clock.now() - begun
        if age < 10:
            return Pending()
        return ready() if age < 3600 else Failed(Failure(FailureCode.EXPIRED, "It is gone."))

    world.alpha.check = check  # type: ignore[method-assign]
    request = ImageRequest(model="flux", messages=(Message("a cat"),), n=2)
    operation = world.start(GenerationRequest(request=request, dialect="operations", deadline=DAY))
    step = world.submit(operation.id)
    while not world.now(operation).pictures:
        assert world.clock.now() < begun + 120
        world.clock.sleep(step.wait)
        step = world.submit(operation.id) if step.next == "submit" else world.poll(operation.id)


def test_an_upstream_cannot_forbid_looking_for_a_day() -> None:
    world = World()
    world.alpha.checks = [Pending(1e9)]
    operation = world.start(
        GenerationRequest(
            request=ImageRequest(model="flux", messages=(Message("a cat"),)), dialect="operations", deadline=DAY
        )
    )
    step = world.submit(operation.id)
    world.clock.sleep(step.wait)
    assert world.poll(operation.id, last_poll_at=step.last_poll_at).wait <= 300


def test_nothing_is_submitted_after_the_deadline() -> None:
    world = World()
    operation = world.begun()
    world.clock.sleep(2000)
    assert world.submit(operation.id).next == "done"
    assert submissions(world) == 0
    failure = world.now(operation).failure
    assert failure
    assert failure.code is FailureCode.DEADLINE_EXCEEDED
    assert failure.message.startswith("No picture within the deadline of 900 s.")


def test_blocking_upstreams_are_asked_for_nothing_more_after_it() -> None:
    world = World()

    def slow(upstream_request: UpstreamRequest) -> Submission:
        world.clock.sleep(200)
        return Ready(bodies=(picture(),))

    world.alpha.submit = slow  # type: ignore[method-assign]
    operation = world.drive(world.begun(n=10))
    assert operation.state is State.FAILED
    assert (operation.ended_at or 0) <= operation.deadline + 200


def test_the_record_says_what_is_in_s3_also_after_a_crash_and_another_picture() -> None:
    world = World()
    world.alpha.submissions = [Ready(bodies=(picture(64, 48),))]
    world.beta.submissions = [Ready(bodies=(picture(80, 40),))]
    operation = world.begun()
    before(world.images, "put", die, after=True)
    with suppress(Killed):
        world.submit(operation.id)
    [kept] = world.drive(operation).pictures
    assert hashlib.sha256(world.images.objects[kept.key]).hexdigest() == kept.sha256


def test_who_waits_long_in_submit_is_not_taken_for_abandoned() -> None:
    world = World()
    world.admission.closed_until = dict.fromkeys(("alpha", "beta"), world.clock.now() + 700)
    operation = world.begun()
    wait = world.submit(operation.id).wait
    for _ in range(0, wait - 60, 60):
        world.clock.sleep(60)
        assert world.sweep() == 0


def test_one_operation_that_cannot_be_written_keeps_no_other_from_being_swept(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    operations = [world.begun(), world.begun()]
    world.clock.sleep(400)
    before(world.store, "replace", broken)
    assert world.sweep() == 1
    assert any(operation.id in caplog.text for operation in operations)


def test_a_job_beside_a_success_is_stopped() -> None:
    world = World()
    world.alpha.submissions = [Ready(bodies=(picture(),))]
    world.beta.submissions = [Ticket({"job": 2})]
    operation = world.begun()
    overtaken(world, operation)
    assert world.now(operation).state is State.SUCCEEDED
    assert world.beta.cancelled == [Ticket({"job": 2})]
    assert not world.now(operation).has_live_jobs


def test_a_ticket_that_came_late_is_used_before_a_third_is_bought() -> None:
    world = World()
    world.alpha.submissions, world.beta.submissions = [Ticket({"job": 1})], [Ticket({"job": 2})]
    operation = world.begun()
    overtaken(world, operation)
    world.beta.checks = [Failed(Failure(FailureCode.UPSTREAM_FAILED, "It broke."))]
    world.alpha.checks = [ready()]
    ended = world.drive(operation)
    assert ended.state is State.SUCCEEDED
    assert [attempt.state for attempt in ended.attempts] == [AttemptState.DONE, AttemptState.FAILED]


def test_a_ticket_that_came_late_is_stopped_with_its_operation() -> None:
    world = World()
    world.alpha.submissions, world.beta.submissions = [Ticket({"job": 1})], [Ticket({"job": 2})]
    operation = world.begun()
    overtaken(world, operation)
    world.cancel(world.now(operation))
    world.submit(operation.id, "the cancel's own run")
    assert (world.alpha.cancelled, world.beta.cancelled) == ([Ticket({"job": 1})], [Ticket({"job": 2})])


def test_pictures_to_work_from_that_are_gone_cost_nothing() -> None:
    """The attempt had been written by then: it counted as perhaps paid for, twice."""
    world = World()
    served_by(world, four_a_call(input_images=1), "alpha", "beta")
    operation = world.drive(world.begun(inputs=(InputImage("inputs/gone", "image/png"),)))
    assert (submissions(world), operation.may_have_cost) == (0, False)
    assert operation.failure
    assert (operation.failure.code, "send it again" in operation.failure.message) == (FailureCode.INVALID_REQUEST, True)


@pytest.mark.slow
def test_there_is_an_end_to_retries() -> None:
    world = World()
    world.alpha.submissions = world.beta.submissions = [failing(FailureCode.UPSTREAM_FAILED)]
    operation = world.drive(world.begun(n=10))
    while len(operation.attempts) < MOST_ATTEMPTS:
        operation = world.drive(world.retry(operation))
    with pytest.raises(WrongState, match="has been tried"):
        world.retry(operation)
    assert len(world.store.documents[operation.id]) < 100_000


def test_a_submission_of_unknown_outcome_is_repeated_under_its_own_key() -> None:
    world = World()
    keys: list[str] = []
    repeated: list[bool] = []

    def submit(upstream_request: UpstreamRequest) -> Submission:
        keys.append(upstream_request.idempotency_key)
        repeated.append(upstream_request.repeated)
        if len(keys) == 1:
            die()
        return Ticket({"job": 1})

    world.alpha.submit = submit  # type: ignore[method-assign]
    operation = world.begun(provider="alpha")
    with suppress(Killed):
        world.submit(operation.id)
    world.clock.sleep(60)
    world.poll(operation.id)
    world.submit(operation.id)
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert repeated == [False, True]


def test_what_its_upstream_has_forgotten_is_settled() -> None:
    """It said `submitted` for ever, and was read by every sweep."""
    world = World()
    world.alpha.checks = [Pending()]
    operation = world.drive(world.begun())
    world.clock.sleep(DAY)
    assert world.sweep() == 1
    world.submit(operation.id, "sweep")
    [attempt] = world.now(operation).attempts
    assert (attempt.state, attempt.failure.code if attempt.failure else None) == (
        AttemptState.FAILED,
        FailureCode.EXPIRED,
    )
    world.clock.sleep(DAY)
    assert world.sweep() == 0


def test_a_stream_that_cannot_be_opened_is_tried_again_and_given_up_in_time() -> None:
    world = World()
    world.alpha.limits = Limits(completion=CompletionMode.STREAM, grid=Grid(64, 2048, 8), prompt_characters=1000)
    world.alpha.checks = [failing(FailureCode.CAPACITY), failing(FailureCode.CAPACITY), ready()]
    assert world.drive(world.begun()).state is State.SUCCEEDED
    assert len(world.alpha.submitted) == 1
    assert all(until > world.clock.now() + 800 for until in world.alpha.held_until), "no result had arrived yet"

    world = World()
    world.alpha.limits = replace(world.alpha.limits, completion=CompletionMode.STREAM)
    world.alpha.checks = [failing(FailureCode.CAPACITY)]
    world.beta.checks = [ready()]
    operation = world.drive(world.begun())
    assert operation.provider == "beta"
    assert len(world.alpha.held_until) < 60
    assert operation.attempts[0].failure
    assert not operation.attempts[0].failure.certainly_free


@pytest.mark.parametrize(("recovers", "asked"), [(True, [2, 0]), (False, [1, 1])])
def test_a_lost_submission_is_recovered_before_another_provider_is_paid(recovers: bool, asked: list[int]) -> None:
    world = World()
    served_by(world, replace(world.alpha.limits, recovers_submissions=recovers), "alpha", "beta")
    world.alpha.submissions = [failing(FailureCode.AMBIGUOUS), Ticket({"job": 1})]
    world.alpha.checks = world.beta.checks = [ready()]
    assert world.drive(world.begun()).state is State.SUCCEEDED
    assert [len(world.alpha.submitted), len(world.beta.submitted)] == asked


@pytest.mark.parametrize(("recovers", "charged"), [(True, 1), (False, 2)])
def test_a_submission_that_is_found_again_is_charged_once(recovers: bool, charged: int) -> None:
    world = World()
    served_by(world, replace(world.alpha.limits, recovers_submissions=recovers), "alpha")
    world.alpha.submissions = [failing(FailureCode.AMBIGUOUS), failing(FailureCode.RATE_LIMITED), Ticket({"job": 1})]
    world.alpha.checks = [ready()]
    assert world.drive(world.begun(key=a_key())).state is State.SUCCEEDED
    booked = sum(item.micro_dollars for item in world.store.usage_ledger.values())
    assert booked == charged * MICRO_DOLLARS["alpha"]


def free(world: World) -> None:
    """Let `flux` be served by alpha, which charges nothing."""
    world.routes = Routes(
        [
            Route(
                model="flux",
                targets=(Target(provider="alpha", model="schnell", limits=world.alpha.limits, price_usd=0.0),),
            )
        ]
    )
    world.__post_init__()


@pytest.mark.parametrize("n", [1, 3])
def test_a_free_submission_whose_answer_is_lost_is_repeated_until_it_works(n: int) -> None:
    world = World()
    free(world)
    world.alpha.submissions = [failing(FailureCode.AMBIGUOUS)] * 5 + [Ticket({"job": 1})]
    world.alpha.checks = [ready()]
    ended = world.drive(world.begun(n=n))
    assert ended.state is State.SUCCEEDED
    assert [attempt.state for attempt in ended.attempts].count(AttemptState.UNKNOWN) == 5
    assert len(world.alpha.submitted) == len(ended.attempts) == 5 + n, "no submission is silent"


@pytest.mark.parametrize(("deadline", "most"), [(900, 12), (86_400, 60)])
def test_one_that_is_lost_for_ever_ends_at_the_deadline_after_a_bounded_number(deadline: int, most: int) -> None:
    world = World()
    free(world)
    world.alpha.submissions = [failing(FailureCode.AMBIGUOUS)]
    operation = world.begun()
    operation = world.update_with_retry(
        operation, lambda current: replace(current, deadline=current.created_at + deadline), sweep_after=600
    )
    ended = world.drive(operation)
    assert ended.state is State.FAILED
    assert ended.failure
    assert ended.failure.code is FailureCode.DEADLINE_EXCEEDED
    assert deadline <= (ended.ended_at or 0) - ended.created_at <= deadline + 60
    assert 6 < len(ended.attempts) <= most


def test_an_interrupted_submission_to_a_free_provider_is_repeated_again_and_again() -> None:
    world = World()
    free(world)
    operation = world.begun()
    operation = world.update_with_retry(operation, lambda current: replace(current, deadline=2e9), sweep_after=600)
    for _ in range(4):
        world.alpha.submissions = [KeyboardInterrupt()]  # type: ignore[list-item]
        with pytest.raises(KeyboardInterrupt):
            world.submit(operation.id)
        world.clock.sleep(600)
        assert world.poll(operation.id).next == "submit"
        world.clock.sleep(60)
    world.alpha.submissions, world.alpha.checks = [Ticket({"job": 1})], [ready()]
    assert world.drive(operation).state is State.SUCCEEDED


def test_a_throttled_submission_is_no_lost_one() -> None:
    """An upstream that can look for lost ones need not."""
    world = World()
    repeated: list[bool] = []
    errors = [failing(FailureCode.RATE_LIMITED)]

    def submit(upstream_request: UpstreamRequest) -> Submission:
        repeated.append(upstream_request.repeated)
        if errors:
            raise errors.pop()
        return Ticket({"job": 1})

    world.alpha.submit = submit  # type: ignore[method-assign]
    world.alpha.checks = [ready()]
    assert world.drive(world.begun(provider="alpha")).state is State.SUCCEEDED
    assert repeated == [False, False]


def test_a_key_is_repeated_only_while_nobody_knows_what_became_of_it() -> None:
    """An upstream that knows it would say again what it said: the old failure."""
    world = World()
    keys: list[str] = []
    message = [failing(FailureCode.AMBIGUOUS), failing(FailureCode.UPSTREAM_FAILED)]

    def submit(upstream_request: UpstreamRequest) -> Submission:
        keys.append(upstream_request.idempotency_key)
        if message:
            raise message.pop(0)
        return Ticket({"job": 1})

    world.alpha.submit = submit  # type: ignore[method-assign]
    world.alpha.checks = [ready()]
    failed = world.drive(world.begun(provider="alpha"))
    assert world.drive(world.retry(failed), run="again").state is State.SUCCEEDED
    first, second, third = keys
    assert first == second != third


def test_what_goes_wrong_at_the_deadline_loses_no_open_stream(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    Streams(world)
    operation = world.begun()
    step = world.submit(operation.id)
    tell, ended = world.alpha.check, threading.Event()

    def at_the_deadline(ticket: Ticket, hold_until: float) -> Check:
        world.clock.time = operation.deadline
        assert ended.wait(10), "Poll's own waiting for answers is in real time"
        return tell(ticket, hold_until)

    def throttled() -> None:
        ended.set()
        broken()

    world.alpha.check = at_the_deadline  # type: ignore[method-assign]
    world.clock.time = operation.deadline - 0.05
    before(world.latencies, "censor", throttled)
    world.poll(operation.id, "run", step.last_poll_at)
    assert world.now(operation).late_pictures
    assert "ThrottlingException" in caplog.text


def test_a_last_look_at_the_deadline_counts() -> None:
    """It is planned for that very moment; the operation had failed before its answer came."""
    world = World()
    operation = world.begun()
    world.submit(operation.id)

    def slow(ticket: Ticket, hold_until: float) -> Check:
        time.sleep(0.1)
        return ready()

    world.alpha.check = slow  # type: ignore[method-assign]
    world.clock.time = operation.deadline
    world.poll(operation.id)
    assert world.now(operation).state is State.SUCCEEDED


@pytest.mark.slow
def test_rounds_that_take_longer_than_the_pace_named_come_to_rest() -> None:
    """Submit followed upon Submit, without a wait between them, until the deadline."""
    world = World()

    def full(upstream_request: UpstreamRequest) -> Submission:
        world.clock.sleep(0.3)
        raise UpstreamError(Failure(FailureCode.RATE_LIMITED, "Later.", 2.0))

    world.alpha.submit = world.beta.submit = full  # type: ignore[method-assign]
    operation = world.begun(n=10)
    step, visits = world.submit(operation.id), 1
    while step.next != "done":
        if step.next == "wait":
            world.clock.sleep(step.wait)
            step = world.poll(operation.id, "run", step.last_poll_at, step.poll_count, step.submit_not_before)
        else:
            step, visits = world.submit(operation.id), visits + 1
    assert visits < 100


def test_a_live_job_beside_a_slot_that_nobody_takes_is_looked_at_as_any() -> None:
    world = World()
    world.alpha.submissions = [Ticket({"job": 1}), failing(FailureCode.RATE_LIMITED)]
    world.alpha.checks = [Pending()]
    world.beta.submissions = [failing(FailureCode.RATE_LIMITED)]
    operation = world.start(
        GenerationRequest(
            request=ImageRequest(model="flux", messages=(Message("a cat"),), n=2), dialect="operations", deadline=DAY
        )
    )
    step, submits = world.submit(operation.id), 1
    while world.clock.now() < operation.created_at + DAY / 2:
        assert step.wait <= 300
        if step.next == "submit":
            step, submits = world.submit(operation.id), submits + 1
        else:
            world.clock.sleep(step.wait)
            step = world.poll(operation.id, "run", step.last_poll_at, step.poll_count, step.submit_not_before)
    assert submits < 100


def test_giving_back_a_stream_forgets_no_earlier_listener() -> None:
    world = World()
    world.alpha.limits = Limits(completion=CompletionMode.STREAM, grid=Grid(64, 2048, 8), prompt_characters=1000)
    world.alpha.checks = [Killed(), failing(FailureCode.CAPACITY), ready()]  # type: ignore[list-item]
    operation = world.begun()
    world.clock.sleep(world.submit(operation.id).wait)
    with suppress(Killed):
        world.poll(operation.id)
    world.poll(operation.id)
    assert world.alpha.held_until[-1] < world.clock.now() + 120


def test_a_harvested_stream_is_tried_until_its_upstream_forgets_it() -> None:
    world = World()
    world.alpha.limits = Limits(completion=CompletionMode.STREAM, grid=Grid(64, 2048, 8), prompt_characters=1000)
    world.alpha.checks = [failing(FailureCode.CAPACITY), ready()]
    operation = world.begun()
    world.submit(operation.id)
    world.fail(operation.id, "States.Timeout")
    for _ in range(3):
        world.clock.sleep(400)
        world.sweep()
        world.submit(operation.id, "sweep")
    assert world.now(operation).late_pictures


def test_bytes_and_addresses_in_one_answer_keep_their_slots() -> None:
    world = World()
    served_by(world, four_a_call(), "alpha", "beta")
    world.alpha.submissions = [Ready(bodies=(picture(),), sources=(Source(URL),))]
    before(world.http, "download", raising(failing(FailureCode.UPSTREAM_FAILED)))
    operation = world.drive(world.begun(n=2))
    assert operation.state is State.SUCCEEDED
    assert submissions(world) == 1
    assert [attempt.micro_dollars for attempt in operation.attempts] == [2 * MICRO_DOLLARS["alpha"]]


def test_jobs_of_a_provider_that_is_no_longer_set_up_are_settled_too() -> None:
    world = World()
    world.alpha.checks = [Pending()]
    operation = world.drive(world.begun())
    world.clock.sleep(DAY)
    world.providers.pop("alpha")
    world.sweep()
    world.submit(operation.id, "sweep")
    assert not world.now(operation).has_live_jobs


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("told", ["bytes", "address"])
def test_a_blank_picture_was_made_and_stands_in_the_books(told: str, private: bool) -> None:
    world = World()
    blank = picture(blank=True)
    world.http.downloads[URL] = blank
    world.alpha.submissions = [Ready(bodies=(blank,)) if told == "bytes" else ready()]
    operation = world.drive(world.begun(key=a_key(), private=private))
    assert operation.state is State.FAILED
    assert sum(book.micro_dollars for book in world.store.usage_ledger.values()) == MICRO_DOLLARS["alpha"]


def test_a_refusal_beside_a_damaged_picture_is_final() -> None:
    world = World()
    served_by(world, four_a_call(), "alpha", "beta")
    world.alpha.submissions = [Ready(bodies=(b"no picture", picture(blank=True)))]
    operation = world.drive(world.begun(n=2))
    assert operation.failure
    assert operation.failure.code is FailureCode.CONTENT_FILTERED
    assert submissions(world) == 1


def test_a_refusal_within_an_earlier_try_does_not_end_the_retry() -> None:
    world = World()
    served_by(world, four_a_call(), "alpha", "beta")
    operation = world.begun(n=2)
    world.submit(operation.id)
    world.fail(operation.id, "States.Timeout")
    again = world.retry(world.now(operation))
    world.alpha.checks = [Ready(bodies=(picture(), picture(blank=True))), ready()]
    world.beta.checks = [ready()]
    assert world.drive(again, "again").state is State.SUCCEEDED


def test_what_was_harvested_in_part_is_not_called_failed() -> None:
    world = World()
    served_by(world, four_a_call(), "alpha")
    gone = "https://alpha.invalid/gone"
    world.http.downloads[gone] = failing(FailureCode.UPSTREAM_FAILED)
    world.alpha.checks = [Ready(sources=(Source(URL), Source(gone)))]
    operation = world.begun(n=2)
    world.submit(operation.id)
    world.fail(operation.id, "States.Timeout")
    for wait in (400, DAY):
        world.clock.sleep(wait)
        world.sweep()
        world.submit(operation.id, "sweep")
    [attempt] = world.now(operation).attempts
    assert attempt.state is AttemptState.DONE
    assert attempt.failure
    assert attempt.failure.code is FailureCode.EXPIRED


def test_a_job_that_is_ready_at_the_deadline_is_not_learned_as_slower() -> None:
    world = World()
    world.http.downloads[URL] = failing(FailureCode.UPSTREAM_FAILED)
    world.alpha.checks = [ready()]
    operation = world.begun()
    world.clock.sleep(880)
    world.submit(operation.id)
    world.poll(operation.id)
    world.clock.sleep(30)
    before(world.latencies, "censor", broken)
    world.poll(operation.id)
    assert world.now(operation).state is State.FAILED
    assert len(world.latencies.seen) == 1
    assert not world.latencies.censored
