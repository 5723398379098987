"""Partial pictures in the operations API, in streams, and for a client that wants them as they come."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from openai.types.image_edit_partial_image_event import ImageEditPartialImageEvent
from openai.types.image_gen_completed_event import ImageGenCompletedEvent
from openai.types.image_gen_partial_image_event import ImageGenPartialImageEvent
from openai.types.responses import ResponseImageGenCallPartialImageEvent

from imagegate.dialects.openai.events import partial_events
from imagegate.dialects.response import RenderedPartial
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.partial import Partial
from imagegate.domain.request.request import InputImage
from imagegate.web import http
from support.ended import made
from support.fakes import picture
from support.gateway import Answered, Gateway

GENERATIONS, RESPONSES = "/v1/images/generations", "/v1/responses"
IMAGES_BODY = {"prompt": "a cat", "model": "flux", "stream": True, "partial_images": 2}
TOOL = {"type": "image_generation", "partial_images": 2}
RESPONSES_BODY = {"model": "flux", "input": "a cat", "stream": True, "tools": [TOOL]}
BOTH = pytest.mark.parametrize(("path", "body"), [(GENERATIONS, IMAGES_BODY), (RESPONSES, RESPONSES_BODY)])
SKETCHES = [picture(32, 24), picture(48, 36)]


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


def sketch(gateway: Gateway, count: int = 1) -> None:
    """Let so many more partial pictures come to the only operation."""
    for _ in range(count):
        operation = only(gateway)
        at = len(operation.partials)
        gateway.images.put(f"images/partial-{at}", SKETCHES[at % 2], "image/png")
        partial = Partial(
            attempt=1,
            slot=0,
            index=at,
            key=f"images/partial-{at}",
            content_type="image/png",
            width=32,
            height=24,
            bytes=len(SKETCHES[at % 2]),
        )
        running = operation if operation.state is State.RUNNING else operation.moved(State.RUNNING, gateway.clock.now())
        written = replace(running.with_partial(partial), version=operation.version + 1)
        gateway.store.replace(written)


def finish(gateway: Gateway) -> None:
    gateway.images.put("images/k", picture(), "image/png")
    operation = only(gateway)
    ended = operation.with_pictures((made(0),)).complete_if_done(gateway.clock.now())
    gateway.store.replace(replace(ended, version=operation.version + 1))


def only(gateway: Gateway) -> Operation:
    [operation_id] = gateway.store.documents
    found = gateway.store.get(operation_id)
    assert found
    return found


def happening(gateway: Gateway, *steps: Any) -> None:
    """Take a step at each of the coming reads of the operation by a request that waits."""
    sleep, left = gateway.clock.sleep, list(steps)

    def after(seconds: float) -> None:
        sleep(seconds)
        if left:
            left.pop(0)()

    gateway.clock.sleep = after  # type: ignore[method-assign]


def events_of(answer: Answered) -> list[dict[str, Any]]:
    assert answer.headers["content-type"] == "text/event-stream"
    return [json.loads(block.partition("data: ")[2]) for block in answer.text.split("\n\n") if block]


def decoded(event: dict[str, Any]) -> bytes:
    return base64.b64decode(event.get("b64_json") or event["partial_image_b64"])


def stream(gateway: Gateway, path: str, body: Any) -> list[dict[str, Any]]:
    """All events for a client that follows every redirect and says what it has."""
    answer, found, have = gateway.call("POST", path, body, prefer="partials=0"), list[dict[str, Any]](), 0
    while answer.status == 303:
        if answer.headers["content-type"] == "text/event-stream":
            found += events_of(answer)
            have += 1
        answer = gateway.call("GET", answer.headers["location"], prefer=f"partials={have}")
    assert answer.status == 200
    return found + events_of(answer)


def test_an_operation_lists_them_and_leads_to_their_bytes(gateway: Gateway) -> None:
    begun = gateway.call("POST", "/v1/operations", {"model": "flux", "prompt": "a cat", "partial_images": 2}).json()
    assert (begun["partials"], begun["request"]["partial_images"]) == ([], 2)
    sketch(gateway, 2)
    listed = gateway.call("GET", f"/v1/operations/{begun['id']}").json()["partials"]
    assert [(each["index"], each["attempt"], each["slot"], each["bytes"]) for each in listed] == [
        (at, 1, 0, len(body)) for at, body in enumerate(SKETCHES)
    ]
    answer = gateway.call("GET", listed[1]["url"])
    assert (answer.status, answer.headers["location"]) == (302, "https://bucket.invalid/images/partial-1?signed")
    missing = gateway.call("GET", listed[1]["url"].replace("partial=1", "partial=2"))
    assert (missing.status, missing.json()["code"]) == (404, "image_not_found")
    head = gateway.call("HEAD", listed[0]["url"])
    assert (head.status, head.headers["content-length"]) == (200, str(len(SKETCHES[0])))


def test_a_signed_link_opens_one_without_a_key() -> None:
    gateway = Gateway(access="keys")
    _, secret = gateway.key()
    bearer = {"authorization": f"Bearer {secret}"}
    begun = gateway.call("POST", "/v1/operations", {"model": "flux", "prompt": "a cat", "partial_images": 2}, **bearer)
    sketch(gateway)
    [listed] = gateway.call("GET", f"/v1/operations/{begun.json()['id']}", **bearer).json()["partials"]
    assert gateway.call("GET", listed["url"]).status == 302
    assert gateway.call("GET", listed["url"].split("?")[0] + "?partial=0").status == 401


@BOTH
def test_a_stream_as_a_whole_has_them_before_the_picture(gateway: Gateway, path: str, body: Any) -> None:
    happening(gateway, lambda: sketch(gateway, 2), lambda: finish(gateway))
    answer = gateway.call("POST", path, body)
    assert answer.status == 200
    events = events_of(answer)
    partials = [event for event in events if event["type"].endswith("partial_image")]
    assert [decoded(event) for event in partials] == SKETCHES
    assert [event["partial_image_index"] for event in partials] == [0, 1]
    assert events.index(partials[1]) < next(at for at, event in enumerate(events) if "completed" in event["type"])


@BOTH
def test_a_client_that_follows_gets_each_once_and_in_order(gateway: Gateway, path: str, body: Any) -> None:
    happening(gateway, lambda: sketch(gateway), lambda: sketch(gateway), lambda: finish(gateway))
    events = stream(gateway, path, body)
    other = Gateway()
    happening(other, lambda: sketch(other, 2), lambda: finish(other))
    whole = events_of(other.call("POST", path, body))
    assert [event["type"] for event in events] == [event["type"] for event in whole]
    assert [event.get("sequence_number") for event in events] == [event.get("sequence_number") for event in whole]
    assert [decoded(event) for event in events if event["type"].endswith("partial_image")] == SKETCHES


def test_they_are_as_openais_package_reads_them(gateway: Gateway) -> None:
    happening(gateway, lambda: sketch(gateway), lambda: finish(gateway))
    first, last = stream(gateway, GENERATIONS, IMAGES_BODY)
    ImageGenPartialImageEvent.model_validate(first)
    ImageGenCompletedEvent.model_validate(last)
    other = Gateway()
    happening(other, lambda: sketch(other), lambda: finish(other))
    [event] = [each for each in stream(other, RESPONSES, RESPONSES_BODY) if each["type"].endswith("partial_image")]
    told = ResponseImageGenCallPartialImageEvent.model_validate(event)
    assert (told.sequence_number, told.output_index) == (5, 0)


def test_an_edit_has_events_of_its_own(gateway: Gateway) -> None:
    happening(gateway, lambda: sketch(gateway), lambda: finish(gateway))
    gateway.call("POST", GENERATIONS, IMAGES_BODY)
    operation = only(gateway)
    edit = replace(operation, request=replace(operation.request, inputs=(InputImage("inputs/a", "image/png"),)))
    [event] = partial_events(edit, [RenderedPartial(operation.partials[0], "AA==")])
    ImageEditPartialImageEvent.model_validate(event)


def test_who_does_not_say_so_is_not_redirected_for_them(gateway: Gateway) -> None:
    happening(gateway, lambda: sketch(gateway))
    answer = gateway.call("POST", GENERATIONS, IMAGES_BODY)
    assert answer.headers["content-type"] != "text/event-stream"


def test_one_that_is_too_large_for_an_answer_is_left_out(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    happening(gateway, lambda: sketch(gateway), lambda: finish(gateway))
    monkeypatch.setattr(http, "LARGEST_BODY", 100)
    answer = gateway.call("POST", GENERATIONS, IMAGES_BODY, prefer="partials=0")
    assert (answer.status, answer.headers["content-type"], answer.text) == (303, "text/event-stream", "")


def test_the_long_hold_address_leaves_them_out_where_they_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway(redirects=False)
    happening(gateway, lambda: sketch(gateway, 2), lambda: finish(gateway))
    monkeypatch.setattr(http, "LARGEST_BODY", 1200)
    answer = gateway.call("POST", GENERATIONS, IMAGES_BODY)
    assert [event["type"] for event in events_of(answer)] == ["image_generation.completed"]


@BOTH
def test_one_that_is_gone_does_not_cost_the_stream(gateway: Gateway, path: str, body: Any) -> None:
    happening(
        gateway,
        lambda: sketch(gateway, 2),
        lambda: gateway.images.delete(["images/partial-0"]),
        lambda: finish(gateway),
    )
    events = events_of(gateway.call("POST", path, body))
    assert [event["partial_image_index"] for event in events if event["type"].endswith("partial_image")] == [1]
    assert "completed" in events[-1]["type"]
