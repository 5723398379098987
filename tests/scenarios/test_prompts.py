"""What becomes of a request's words: weighed, kept out of sight, forgotten (docs/protocols/yandexart.md)."""

import json
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.errors import WrongState
from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.attempt import AttemptState, Source
from imagegate.domain.operation.document import dumps
from imagegate.domain.operation.events import Event
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.outcome import Pending, Ready, Ticket
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.domain.request.route import Route, Target
from imagegate.domain.request.routes import Routes
from imagegate.usecases.start import GenerationRequest
from support.fakes import ScriptedProvider, picture
from support.world import World, ready

MARK = "xyzzy-marked-prompt"
MESSAGES = (Message("last", 1.0), Message("fog", -1.0), Message(MARK, 5.0))


@pytest.fixture
def world() -> World:
    return World()


def begun(world: World, *, private: bool = False) -> Operation:
    request = ImageRequest(model="flux", messages=MESSAGES, output_format="jpeg", lenient=True, private=private)
    return world.start(GenerationRequest(request=request, dialect="yandexart", deadline=24 * 3600))


def with_limits(world: World, **changes: Any) -> None:
    """Let alpha's model differ from what alpha's other models have."""
    world.routes = Routes(
        [
            Route(
                model="flux",
                targets=(Target(provider="alpha", model="schnell", limits=replace(world.alpha.limits, **changes)),),
            )
        ]
    )
    world.__post_init__()


def test_a_model_with_a_negative_prompt_gets_what_to_avoid(world: World) -> None:
    with_limits(world, capabilities=frozenset({"negative_prompt"}))
    operation = begun(world)
    world.submit(operation.id)
    [request] = world.alpha.submitted
    assert (request.prompt, request.negative_prompt) == (f"{MARK}\nlast", "fog")


def test_a_seed_is_brought_into_the_range_of_the_model(world: World) -> None:
    with_limits(world, capabilities=frozenset({"seed"}), seed_maximum=99)
    world.submit(world.begun(seed=205).id)
    assert world.alpha.submitted[0].seed == 5


def test_an_upstream_that_weighs_gets_every_message_as_it_came(world: World) -> None:
    with_limits(world, supports_weights=True)
    operation = begun(world)
    world.submit(operation.id)
    assert world.alpha.submitted[0].messages == MESSAGES
    assert world.alpha.submitted[0].negative_prompt is None


def test_what_could_only_be_approximated_is_written_down(world: World) -> None:
    world.alpha.checks = [ready()]
    operation = world.drive(begun(world))
    assert operation.attempts[0].not_honoured == ("weight", "negative_weight")


def test_whatever_the_upstream_made_is_stored_as_jpeg_once(world: World) -> None:
    world.alpha.checks = [ready()]
    operation = world.drive(begun(world))
    [kept] = operation.pictures
    assert (kept.content_type, kept.key[-4:]) == ("image/jpeg", ".jpg")
    stored = world.images.objects[kept.key]
    assert (stored[:2], stored[-2:]) == (b"\xff\xd8", b"\xff\xd9")
    assert list(world.images.objects) == [kept.key, kept.preview]


def test_the_upstream_gets_private_words_and_nobody_else(world: World) -> None:
    world.alpha.checks = [Pending(), ready()]
    operation = world.drive(begun(world, private=True))
    assert operation.state is State.SUCCEEDED
    assert world.alpha.submitted[0].prompt == f"{MARK}\nlast"
    assert MARK not in json.dumps([Event(operation).detail() for operation in world.store.history])
    assert MARK not in world.store.documents[operation.id]
    assert "fog" not in world.store.documents[operation.id]


@pytest.mark.parametrize(
    "said",
    [
        f"'{MARK}' is not for us.",
        f"'{MARK[5:]}', of all things.",
        f"{MARK.upper()}?",
        "no fog here",
    ],
)
def test_what_upstreams_say_of_private_words_is_not_kept_either(world: World, said: str) -> None:
    quoting = Failure(FailureCode.CONTENT_FILTERED, said, retry_after=3.0)
    world.alpha.submissions = [UpstreamError(replace(quoting, code=FailureCode.UPSTREAM_FAILED))]
    world.beta.checks = [replace(ready(), revised_prompts=(f"{MARK}, in oil",))]
    operation = world.drive(begun(world, private=True))
    assert operation.state is State.SUCCEEDED
    reported = {attempt.failure.message for attempt in operation.attempts if attempt.failure}
    assert reported == {"alpha: upstream failed. Its message is not kept, as the caller requested."}
    refused = World(alpha=ScriptedProvider(submissions=[UpstreamError(quoting)]))
    failed = refused.drive(begun(refused, private=True))
    text = "alpha: content filtered. Its message is not kept, as the caller requested."
    assert failed.failure == replace(quoting, message=text)
    ended = [entry for entry in (*world.store.history, *refused.store.history) if entry.done]
    assert not any(said in dumps(entry) or MARK in dumps(entry) for entry in ended)


def test_addresses_may_be_made_of_private_words(world: World) -> None:
    """Servers of the g4f kind write the prompt into their files' names."""
    url = f"https://alpha.invalid/{MARK}.png"
    world.http.downloads[url] = picture()
    world.alpha.checks = [Ready(sources=(Source(url),))]
    operation = world.drive(begun(world, private=True))
    assert operation.state is State.SUCCEEDED
    assert MARK not in dumps(operation)


def test_a_late_picture_needs_no_words(world: World) -> None:
    world.alpha.limits = replace(world.alpha.limits, retention_seconds=3 * 24 * 3600)
    world.alpha.checks = [Pending()]
    operation = begun(world, private=True)
    world.submit(operation.id)
    world.clock.sleep(24 * 3600 + 1)
    world.poll(operation.id)
    assert world.now(operation).state is State.FAILED
    assert MARK not in world.store.documents[operation.id]
    world.alpha.checks = [ready()]
    world.submit(operation.id, "sweep")
    assert world.now(operation).late_pictures
    assert MARK not in world.store.documents[operation.id]


def test_a_cancelled_job_is_released_without_its_words(world: World) -> None:
    world.alpha.checks = [Pending()]
    operation = begun(world, private=True)
    world.submit(operation.id)
    world.cancel(world.now(operation))
    assert MARK not in world.store.documents[operation.id]
    world.submit(operation.id, "release")
    assert world.alpha.cancelled == [Ticket({"job": 1})]


def test_a_driver_still_at_work_brings_no_words_back(world: World) -> None:
    world.alpha.checks = [Pending()]
    operation = begun(world, private=True)
    world.submit(operation.id)
    [attempt] = world.now(operation).attempts
    world.cancel(world.now(operation))
    late = replace(attempt, state=AttemptState.READY, prompt=MARK, revised_prompts=(MARK,))
    world.update_with_retry(world.now(operation), lambda entry: entry.merge_attempt(late), sweep_after=60)
    assert world.now(operation).attempts[0].state is AttemptState.READY
    assert MARK not in world.store.documents[operation.id]


def test_forgotten_words_cannot_be_tried_again(world: World) -> None:
    operation = begun(world, private=True)
    world.fail(operation.id, "States.Timeout")
    with pytest.raises(WrongState, match="was not kept") as caught:
        world.retry(world.now(operation))
    assert caught.value.remedy == "Send the request again."
    assert world.now(operation).state is State.FAILED
