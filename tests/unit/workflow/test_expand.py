"""A prompt is expanded once, visibly or visibly not, and what was decided first is what every provider gets."""

from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.access.api_key import Principal
from imagegate.domain.errors import CannotExpand, InvalidRequest
from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.document import dumps, loads
from imagegate.domain.operation.events import Event
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.outcome import Ready
from imagegate.domain.request.request import ImageRequest, InputImage, Message
from imagegate.usecases.estimate import Estimate
from imagegate.usecases.start import GenerationRequest
from imagegate.workflow.expand import PATIENCE, Expand
from support.fakes import MemoryLatencies, failing, picture, routes
from support.world import World

CAT = "A cat in the evening sun."


def world(**changes: Any) -> World:
    made = World(**changes)
    made.expander.clock = made.clock
    for provider in (made.alpha, made.beta):
        provider.submissions = [Ready(bodies=(picture(),))]
    return made


def settled(made: World, **changes: Any) -> Operation:
    """An operation after its visit of Expand."""
    operation = made.begun(expand=True, **changes)
    assert made.submit(operation.id).next == "expand"
    assert made.expand(operation.id).next == "submit"
    return made.now(operation)


def submitted(made: World) -> list[str]:
    return [request.prompt for request in (*made.alpha.submitted, *made.beta.submitted)]


def test_whoever_does_not_ask_never_comes_by() -> None:
    made = world()
    operation = made.begun()
    assert made.submit(operation.id).next != "expand"
    assert made.expand(operation.id).next == "submit"
    assert made.expander.asked == []
    assert made.now(operation).revised_prompt is None
    assert submitted(made) == ["a cat"]


def test_pictures_are_made_from_the_expanded_prompt() -> None:
    made = world()
    ended = made.drive(made.begun(n=2, expand=True))
    assert ended.state is State.SUCCEEDED
    assert (ended.request.prompt, ended.revised_prompt, ended.not_expanded) == ("a cat", CAT, None)
    assert submitted(made) == [CAT, CAT]
    assert [picture.revised_prompt for picture in ended.pictures] == [CAT, CAT]
    assert [prompt for prompt, _, _ in made.expander.asked] == ["a cat"]
    assert [attempt.not_honoured for attempt in ended.attempts] == [(), ()]
    assert loads(Operation, dumps(ended)) == ended


def test_it_is_announced() -> None:
    made = world()
    ended = made.drive(made.begun(expand=True))
    reported = Event(ended).detail()["operation"]
    assert (reported["prompt"], reported["expand"], reported["revised_prompt"]) == ("a cat", True, CAT)
    assert reported["images"][0]["revised_prompt"] == CAT
    assert reported["not_expanded"] is None


def test_until_it_is_settled_nothing_is_submitted() -> None:
    made = world()
    operation = made.begun(expand=True)
    for _ in range(3):
        assert made.submit(operation.id).next == "expand"
    assert made.now(operation).attempts == ()
    assert made.now(operation).version == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (failing(FailureCode.UPSTREAM_TIMEOUT), FailureCode.UPSTREAM_TIMEOUT),
        (failing(FailureCode.UPSTREAM_FAILED), FailureCode.UPSTREAM_FAILED),
        (failing(FailureCode.AUTH), FailureCode.AUTH),
        (failing(FailureCode.CONTENT_FILTERED), FailureCode.CONTENT_FILTERED),
        (failing(FailureCode.RATE_LIMITED), FailureCode.RATE_LIMITED),
        ("I'm sorry, but I can't help with that.", FailureCode.CONTENT_FILTERED),
        ('""', FailureCode.BAD_PAYLOAD),
        ("<think>hm</think>", FailureCode.BAD_PAYLOAD),
    ],
)
def test_without_an_expansion_the_prompt_goes_as_it_came_and_that_is_said(answer: Any, code: FailureCode) -> None:
    made = world()
    made.expander.answers = [answer]
    ended = made.drive(made.begun(expand=True))
    assert ended.state is State.SUCCEEDED
    assert ended.revised_prompt is None
    assert ended.not_expanded is not None
    assert ended.not_expanded.code is code
    assert submitted(made) == ["a cat"]
    assert ended.attempts[0].not_honoured == ("expand",)
    assert ended.pictures[0].revised_prompt is None
    assert Event(ended).detail()["operation"]["not_expanded"]["code"] == code
    [(_, failure)] = made.telemetry.expansions
    assert failure is not None
    assert failure.code is code
    assert loads(Operation, dumps(ended)) == ended


def test_a_busy_model_is_asked_again() -> None:
    made = world()
    made.expander.answers = [failing(FailureCode.CAPACITY), failing(FailureCode.RATE_LIMITED, 2.0), CAT]
    began = made.clock.now()
    assert settled(made).revised_prompt == CAT
    assert made.clock.now() - began == 1 + 2
    assert made.telemetry.expansions == [(3.0, None)]


def test_a_model_that_is_busy_for_longer_is_not_waited_for() -> None:
    made = world()
    made.expander.answers = [failing(FailureCode.RATE_LIMITED, 60.0), CAT]
    assert settled(made).not_expanded is not None
    assert len(made.expander.asked) == 1


@pytest.mark.parametrize(("deadline", "seconds"), [(900.0, PATIENCE), (20.0, 10.0), (1.0, 0.5)])
def test_half_of_the_time_is_left_for_the_picture(deadline: float, seconds: float) -> None:
    made = world()
    request = ImageRequest(model="flux", messages=(Message("a cat"),), expand=True)
    operation = made.start(GenerationRequest(request=request, dialect="operations", deadline=deadline))
    made.expand(operation.id)
    assert [left for _, _, left in made.expander.asked] == [seconds]


def test_after_the_deadline_nobody_is_asked() -> None:
    made = world()
    operation = made.begun(expand=True)
    made.clock.sleep(1000)
    made.expand(operation.id)
    refused = made.now(operation).not_expanded
    assert made.expander.asked == []
    assert refused is not None
    assert refused.code is FailureCode.DEADLINE_EXCEEDED


def with_limits(made: World, alpha: int, beta: int) -> World:
    """The world with other prompt limits of its two providers."""
    [route] = list(made.routes)
    targets = tuple(
        replace(target, limits=replace(target.limits, prompt_characters=characters))
        for target, characters in zip(route.targets, (alpha, beta), strict=True)
    )
    made.routes._by_name.update({"flux": replace(route, targets=targets)})
    return made


def test_the_first_provider_says_how_long_it_may_be() -> None:
    made = with_limits(world(), 40, 1000)
    made.expander.answers = ["A cat in the evening sun. It looks at the sea and thinks."]
    assert settled(made).revised_prompt == CAT
    assert [characters for _, characters, _ in made.expander.asked] == [40]


def test_what_is_to_be_avoided_is_kept_and_counted() -> None:
    made = with_limits(world(), 40, 1000)
    messages = (Message("a cat"), Message("fog and rain", -1.0), Message("the sea", 3.0))
    ended = made.drive(settled(made, messages=messages))
    assert [prompt for prompt, _, _ in made.expander.asked] == ["the sea\na cat"]
    [upstream_request] = made.alpha.submitted
    assert upstream_request.messages == (Message(ended.revised_prompt or ""), Message("fog and rain", -1.0))
    assert len(upstream_request.prompt) <= 40


def test_a_second_provider_that_takes_less_gets_the_beginning_of_the_same() -> None:
    made = with_limits(world(), 1000, 30)
    made.expander.answers = ["A cat in the evening sun. It looks at the sea and thinks."]
    made.alpha.submissions = [failing(FailureCode.UPSTREAM_FAILED)]
    ended = made.drive(made.begun(expand=True))
    assert ended.provider == "beta"
    assert ended.revised_prompt == made.expander.answers[0]
    assert {request.prompt for request in made.alpha.submitted} == {ended.revised_prompt}
    assert {request.prompt for request in made.beta.submitted} == {CAT}
    assert ended.pictures[0].revised_prompt == CAT


def test_a_prompt_that_says_enough_is_left_alone() -> None:
    made = with_limits(world(), 4000, 4000)
    operation = settled(made, messages=(Message("x" * 1001),))
    assert operation.not_expanded is not None
    assert made.expander.asked == []


def test_the_first_word_counts() -> None:
    made = world()
    operation = settled(made)
    made.expander.answers = ["Another cat."]
    made.expand(operation.id)
    assert made.now(operation).revised_prompt == CAT
    assert len(made.expander.asked) == 1


def test_of_two_at_once_the_first_to_write_counts() -> None:
    made = world()
    operation = made.begun(expand=True)
    answer = made.expander.expand

    def overtaken(prompt: str, characters: int, seconds: float, private: bool = False) -> str:
        made.expander.expand = answer  # type: ignore[method-assign]
        made.expand(operation.id)
        return "Another cat."

    made.expander.expand = overtaken  # type: ignore[method-assign]
    made.expand(operation.id)
    assert made.now(operation).revised_prompt == CAT


def test_a_state_that_broke_down_does_not_take_the_operation_with_it() -> None:
    made = world()
    operation = made.begun(expand=True)
    made.submit(operation.id, without_expansion="Lambda.Unknown")
    ended = made.now(operation)
    assert ended.state is State.SUCCEEDED
    assert ended.not_expanded is not None
    assert (ended.not_expanded.code, "Lambda.Unknown" in ended.not_expanded.message) == (FailureCode.INTERNAL, True)
    assert submitted(made) == ["a cat"]
    made.expand(operation.id)
    assert made.now(operation) == ended


def test_a_state_that_broke_down_after_it_had_written_changes_nothing() -> None:
    made = world()
    operation = settled(made)
    made.submit(operation.id, without_expansion="Lambda.Unknown")
    assert submitted(made) == [CAT]


def test_a_cancelled_operation_is_not_expanded() -> None:
    made = world()
    operation = made.begun(expand=True)
    made.cancel(operation)
    made.expand(operation.id)
    assert made.expander.asked == []
    assert made.submit(operation.id).next == "done"
    assert made.expand("no such operation").next == "submit"


def test_a_retry_and_a_sweep_keep_the_words() -> None:
    made = world()
    made.alpha.submissions = made.beta.submissions = [failing(FailureCode.UPSTREAM_FAILED)]
    failed = made.drive(made.begun(expand=True))
    assert failed.state is State.FAILED
    made.alpha.submissions = [Ready(bodies=(picture(),))]
    made.expander.answers = ["Another cat."]
    ended = made.drive(made.retry(failed))
    assert ended.pictures[0].revised_prompt == CAT
    assert set(submitted(made)) == {CAT}


def test_an_operation_that_nobody_drives_is_swept_into_its_expansion() -> None:
    made = world()
    operation = made.begun(expand=True)
    made.clock.sleep(120)
    assert made.sweep() == 1
    assert made.drive(operation, run="swept").pictures[0].revised_prompt == CAT


def test_a_deployment_that_expands_no_longer_says_so() -> None:
    made = world()
    operation = made.begun(expand=True)
    Expand(
        store=made.store,
        routes=made.routes,
        expander=None,
        telemetry=made.telemetry,
        update=made.update_with_retry,
        clock=made.clock,
    )(operation.id)
    refused = made.now(operation).not_expanded
    assert refused is not None
    assert refused.code is FailureCode.NOT_FOUND


@pytest.mark.parametrize("call", ["start", "estimate"])
def test_without_an_expander_the_request_is_refused_with_what_to_do(call: str) -> None:
    made = world()
    request = ImageRequest(model="flux", messages=(Message("a cat"),), expand=True)
    start = replace(made.deployment.start, expands=False)
    estimate = Estimate(routes=routes("alpha"), latencies=MemoryLatencies())
    with pytest.raises(CannotExpand) as caught:
        estimate(request) if call == "estimate" else start(
            GenerationRequest(request=request, dialect="operations"), Principal("me")
        )
    assert caught.value.param == "expand"
    assert "Expander" in (caught.value.remedy or "")
    assert made.store.documents == {}


def test_what_is_to_be_done_to_a_picture_is_not_expanded() -> None:
    [route] = list(routes("alpha"))
    able = replace(route.targets[0], limits=replace(route.targets[0].limits, input_images=1))
    made = world()
    made.routes._by_name["flux"] = replace(route, targets=(able,))
    with pytest.raises(InvalidRequest, match="new pictures"):
        made.begun(expand=True, inputs=(InputImage("k", "image/png"),))


def everything_kept(made: World, operation: Operation) -> str:
    return made.store.documents[operation.id]


@pytest.mark.parametrize("fails", [False, True])
def test_of_a_private_prompt_no_word_outlives_the_run(fails: bool) -> None:
    made = with_limits(world(), 1000, 20)
    made.expander.answers = ["xyzzy sits in the evening sun. And looks at the sea."]
    made.alpha.submissions = [UpstreamError(Failure(FailureCode.UPSTREAM_FAILED, f"no {made.expander.answers[0]}"))]
    if fails:
        made.beta.submissions = [UpstreamError(Failure(FailureCode.CONTENT_FILTERED, "no xyzzy sits in the"))]
    ended = made.drive(made.begun(expand=True, private=True))
    assert ended.state is (State.FAILED if fails else State.SUCCEEDED)
    assert {request.prompt for request in made.beta.submitted} == {"xyzzy sits in the"}
    assert "xyzzy" not in everything_kept(made, ended)
    assert ended.revised_prompt is None


def test_nor_what_a_language_model_said_of_it() -> None:
    made = world()
    made.expander.answers = [UpstreamError(Failure(FailureCode.UPSTREAM_FAILED, "no xyzzy"))]
    ended = made.drive(made.begun(expand=True, private=True, messages=(Message("xyzzy"),)))
    assert ended.not_expanded is not None
    assert "xyzzy" not in everything_kept(made, ended)
