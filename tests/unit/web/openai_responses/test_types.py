"""Responses and their events against the newest openai package's own types, with its strict validation on."""

import base64
import json
from typing import Any

import jsonschema_rs
import openai
import pytest
from openai.types.responses import Response, ResponseCompletedEvent, ResponseStreamEvent
from pydantic import TypeAdapter

from imagegate.domain.failure import Failure, FailureCode
from support.ended import end_at_once
from support.fakes import picture
from support.gateway import Gateway
from support.sdk_transport import client_of

pytestmark = pytest.mark.slow

RESPONSES = "/v1/responses"
RESPONSE = jsonschema_rs.validator_for(Response.model_json_schema())
EVENT = TypeAdapter[Any](ResponseStreamEvent)
TOOL: Any = {"type": "image_generation"}
OF_PICTURE = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.image_generation_call.in_progress",
    "response.image_generation_call.generating",
    "response.image_generation_call.completed",
    "response.output_item.done",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


def parse_events(text: str) -> list[dict[str, Any]]:
    """The events of a text/event-stream, whose names and data agree."""
    events = []
    for block in text.strip().split("\n\n"):
        name, data = block.split("\n")
        events.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {events[-1]['type']}"
    return events


@pytest.mark.parametrize(
    "asked",
    [
        {"model": "flux"},
        {"model": "gpt-5.5", "tools": [TOOL]},
        {"tools": [{**TOOL, "size": "1024x1024", "quality": "high", "background": "auto", "n": 2}]},
        {"tools": [TOOL], "tool_choice": TOOL, "store": False, "metadata": {"a": "b"}, "user": "u"},
        {"tools": [TOOL], "tool_choice": "required", "safety_identifier": "s", "background": True},
    ],
    ids=str,
)
def test_every_answer_fits_the_packages_schema(gateway: Gateway, asked: dict[str, Any]) -> None:
    end_at_once(gateway)
    body = gateway.call("POST", RESPONSES, {"input": "a fox", **asked}).json()
    RESPONSE.validate(body)
    Response.model_validate(body, strict=True)


def test_the_package_gets_its_picture(gateway: Gateway) -> None:
    end_at_once(gateway)
    with client_of(gateway) as client:
        answer = client.responses.create(model="gpt-5.5", input="a fox", tools=[TOOL])
    [call, message] = answer.output
    assert call.type == "image_generation_call"
    assert base64.b64decode(call.result or "") == picture()
    assert (message.type, answer.output_text) == ("message", "The picture was made by flux.")
    assert (answer.status, answer.error, answer.model) == ("completed", None, "flux")


@pytest.mark.parametrize("pictures", [1, 2])
def test_every_event_fits_the_packages_types(gateway: Gateway, pictures: int) -> None:
    end_at_once(gateway)
    answer = gateway.call("POST", RESPONSES, {"input": "a fox", "model": "flux", "n": pictures, "stream": True})
    assert answer.headers["content-type"] == "text/event-stream"
    events = parse_events(answer.text)
    for event in events:
        EVENT.validate_python(event, strict=True)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    kinds = [event["type"] for event in events]
    assert kinds == OF_PICTURE[:2] + OF_PICTURE[2:7] * pictures + OF_PICTURE[7:]
    assert [event["output_index"] for event in events if "output_index" in event] == sorted(
        event["output_index"] for event in events if "output_index" in event
    )


def test_the_package_reads_the_stream(gateway: Gateway) -> None:
    end_at_once(gateway)
    with client_of(gateway) as client, client.responses.stream(model="gpt-5.5", input="a fox", tools=[TOOL]) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert kinds == OF_PICTURE
    assert final.output[0].type == "image_generation_call"
    assert base64.b64decode(final.output[0].result or "") == picture()


@pytest.mark.parametrize("code", list(FailureCode))
def test_every_failure_of_a_background_response_fits(gateway: Gateway, code: FailureCode) -> None:
    end_at_once(gateway, Failure(code, "because"))
    body = {"input": "a fox", "model": "flux", "background": True}
    answer = gateway.call("POST", RESPONSES, body).json()
    shown = gateway.call("GET", f"{RESPONSES}/{answer['id']}").json()
    RESPONSE.validate(shown)
    Response.model_validate(shown, strict=True)
    cancelled = code is FailureCode.CANCELLED
    assert shown["status"] == "failed"
    assert shown["error"]["message"] == "because" or cancelled
    events = parse_events(gateway.call("GET", f"{RESPONSES}/{answer['id']}?stream=true").text)
    for event in events:
        EVENT.validate_python(event, strict=True)
    assert events[-1]["type"] == "response.failed"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("code", list(FailureCode))
def test_a_failure_raises_in_the_package(gateway: Gateway, code: FailureCode, stream: bool) -> None:
    end_at_once(gateway, Failure(code, "because"))
    with (
        client_of(gateway).with_options(max_retries=0) as client,
        pytest.raises(openai.APIStatusError, match="because"),
    ):
        client.responses.create(model="flux", input="a fox", stream=stream)


@pytest.mark.parametrize("state", ["queued", "ended"])
def test_retrieve_and_cancel_fit(gateway: Gateway, state: str) -> None:
    if state == "ended":
        end_at_once(gateway)
    with client_of(gateway) as client:
        started = client.responses.create(model="flux", input="a fox", background=True)
        shown = client.responses.retrieve(started.id)
        cancelled = client.responses.cancel(started.id)
        assert client.responses.cancel(started.id) == cancelled
    statuses = (started.status, shown.status, cancelled.status)
    assert statuses == (
        ("queued", "queued", "cancelled") if state == "queued" else ("queued", "completed", "completed")
    )


def test_parameters_of_the_url_without_effect_are_named(gateway: Gateway) -> None:
    end_at_once(gateway)
    with client_of(gateway) as client:
        started = client.responses.create(model="flux", input="a fox", background=True)
        shown = client.responses.retrieve(started.id, include=["message.output_text.logprobs"])
        *_, last = client.responses.retrieve(started.id, stream=True, include_obfuscation=True, starting_after=1)
        cancelled = client.responses.cancel(started.id, extra_query={"force": "true"})
    assert isinstance(last, ResponseCompletedEvent)
    named = [response.model_extra["not_honoured"] for response in (shown, last.response, cancelled)]  # type: ignore[index]
    assert named == [["include[]"], ["include_obfuscation"], ["force"]]


def test_the_events_of_a_background_response_can_be_read_again(gateway: Gateway) -> None:
    end_at_once(gateway)
    with client_of(gateway) as client:
        started = client.responses.create(model="flux", input="a fox", background=True, stream=False)
        events = list(client.responses.retrieve(started.id, stream=True))
        later = list(client.responses.retrieve(started.id, stream=True, starting_after=9))
    assert [event.type for event in events] == ["response.created", "response.queued", *OF_PICTURE[1:]]
    assert later == events[10:]
