"""OpenAI's dialect: requests, refusals and answers."""

import json
from dataclasses import replace
from typing import Any

import pytest
from openai.types import ImageEditCompletedEvent, ImageGenCompletedEvent, ImagesResponse

from imagegate.dialects.openai import requests as openai_requests
from imagegate.dialects.openai import responses as openai_responses
from imagegate.dialects.openai.dialect import NAME
from imagegate.dialects.response import RenderedPicture
from imagegate.domain.errors import InvalidRequest, UnknownModel
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.picture import Picture
from imagegate.domain.operation.usage import Usage
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, InputImage, Message


def parse(**body: Any) -> Any:
    return openai_requests.parse(json.dumps({"prompt": "a cat", **body}).encode())


NULLABLE = [name for name in openai_requests.GenerationsBody.model_fields if name != "prompt"]


@pytest.mark.parametrize("name", NULLABLE)
def test_null_means_absent(name: str) -> None:
    assert parse(**{name: None}) == parse()


def test_the_defaults() -> None:
    generation = parse()
    assert generation.request == ImageRequest(model="flux", messages=(Message("a cat"),))
    assert generation.reply == {"response_format": "url"}


@pytest.mark.parametrize(
    ("model", "asked", "given"),
    [
        ("flux", None, "url"),
        ("flux", "b64_json", "b64_json"),
        ("gpt-image-1", None, "b64_json"),
        ("chatgpt-image-latest", None, "b64_json"),
        ("gpt-image-1", "url", "url"),
    ],
)
def test_response_format(model: str, asked: str | None, given: str) -> None:
    assert parse(model=model, response_format=asked).reply == {"response_format": given}


@pytest.mark.parametrize(
    ("body", "size"),
    [
        ({"size": "1024x768"}, Size(1024, 768)),
        ({"size": "auto"}, None),
        ({"width": 640, "height": 480}, Size(640, 480)),
        ({"size": "1x1", "width": 640, "height": 480}, Size(640, 480)),
    ],
)
def test_sizes(body: dict[str, Any], size: Size | None) -> None:
    assert parse(**body).request.size == size


def test_fields_without_effect_are_named() -> None:
    generation = parse(frame_rate=2, resolution="high", audio=None, api_key="x", proxy="", whatever=[1], svg={}, n=1)
    assert generation.request.unused_fields == ("frame_rate", "api_key", "whatever", "resolution")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"", None),
        (b"{", None),
        (b"[]", None),
        (b"\xff\xfe", None),
        (b'{"prompt": NaN}', None),
        (b"[" * 100_000, None),
        (b"{}", "prompt"),
        (b'{"prompt": ""}', "prompt"),
        (b'{"prompt": 7}', "prompt"),
        (b'{"prompt": null}', "prompt"),
        (b'{"prompt": "x", "n": 0}', "n"),
        (b'{"prompt": "x", "n": 11}', "n"),
        (b'{"prompt": "x", "n": "many"}', "n"),
        (b'{"prompt": "x", "size": "big"}', "size"),
        (b'{"prompt": "x", "size": "0x10"}', "size"),
        (b'{"prompt": "x", "width": 64}', "height"),
        (b'{"prompt": "x", "response_format": "gif"}', "response_format"),
        (b'{"prompt": "x", "output_format": "gif"}', "output_format"),
        (b'{"prompt": "x", "seed": -2}', "seed"),
        (b'{"prompt": "x", "model": 5}', "model"),
    ],
)
def test_what_is_refused_names_the_field(body: bytes, param: str | None) -> None:
    with pytest.raises(InvalidRequest) as caught:
        openai_requests.parse(body)
    assert caught.value.param == param
    answer = openai_responses.render_refusal(caught.value)
    assert answer.status == 400
    assert set(answer.body["error"]) == {"message", "type", "param", "code"}


def operation(**reply: str) -> Operation:
    picture = Picture(
        slot=0,
        key="k",
        sha256="s",
        content_type="image/webp",
        width=1024,
        height=768,
        bytes=10,
        provider="alpha",
        seed=7,
    )
    made = Operation(
        id="0" * 20,
        owner="me",
        dialect=NAME,
        request=ImageRequest(model="flux", messages=(Message("x"),)),
        created_at=1.0,
        deadline=2.0,
        due_at=3.0,
    )
    return replace(made, reply=reply, state=State.SUCCEEDED, pictures=(picture,), ended_at=9.9)


def test_an_answer_carries_only_the_form_asked_for() -> None:
    [picture] = operation().pictures
    by_url = openai_responses.render_success(operation(), [RenderedPicture(picture, url="https://u")]).body
    by_bytes = openai_responses.render_success(operation(), [RenderedPicture(picture, b64="AA==")]).body
    assert by_url["data"] == [{"url": "https://u"}]
    assert by_bytes["data"] == [{"b64_json": "AA=="}]


def counted(**reply: str) -> Operation:
    """An operation whose upstream counts tokens and rewrites prompts."""
    made = operation(**reply)
    first = replace(made.pictures[0], revised_prompt="x, at dusk")
    attempt = Attempt(
        number=1,
        provider="alpha",
        model="m",
        slots=(0, 1),
        state=AttemptState.DONE,
        started_at=1.0,
        usage=Usage(input_tokens=10, output_tokens=50, total_tokens=60, input_text_tokens=4, input_image_tokens=6),
    )
    return replace(made, pictures=(first, replace(made.pictures[0], slot=1)), attempts=(attempt,))


USAGE = {
    "input_tokens": 10,
    "input_tokens_details": {"text_tokens": 4, "image_tokens": 6},
    "output_tokens": 50,
    "total_tokens": 60,
}


def test_an_answer_tells_the_tokens_and_what_became_of_the_prompt() -> None:
    body = openai_responses.render_success(
        counted(), [RenderedPicture(picture, url="https://u") for picture in counted().pictures]
    ).body
    assert body["data"] == [{"url": "https://u", "revised_prompt": "x, at dusk"}, {"url": "https://u"}]
    assert body["usage"] == USAGE
    parsed = ImagesResponse.model_validate(body, strict=True)
    assert parsed.usage
    assert parsed.usage.total_tokens == 60


@pytest.mark.parametrize(
    ("body", "echoed"),
    [
        ({}, None),
        ({"user": "u"}, "u"),
        ({"user": "u", "safety_identifier": "s"}, "s"),
        ({"user": "u", "safety_identifier": ""}, "u"),
    ],
)
def test_who_is_behind_a_request_is_echoed(body: dict[str, Any], echoed: str | None) -> None:
    made = operation(**parse(**body).reply)
    answer = openai_responses.render_success(made, [RenderedPicture(made.pictures[0], url="https://u")])
    assert answer.body.get("safety_identifier") == echoed
    streamed = replace(made, reply=parse(stream=True, **body).reply)
    [_, data] = (
        openai_responses.render_success(streamed, [RenderedPicture(made.pictures[0], b64="AA==")])
        .body.decode()
        .splitlines()[:2]
    )
    assert json.loads(data.removeprefix("data: ")).get("safety_identifier") == echoed


def test_a_stream_of_an_edit_has_events_of_its_own() -> None:
    made = operation(stream="true", response_format="b64_json")
    request = replace(made.request, inputs=(InputImage("inputs/k", "image/png"),), background="transparent")
    answer = openai_responses.render_success(
        replace(made, request=request), [RenderedPicture(made.pictures[0], b64="AA==")]
    )
    event, data = answer.body.decode().splitlines()[:2]
    assert event == "event: image_edit.completed"
    parsed = ImageEditCompletedEvent.model_validate(json.loads(data.removeprefix("data: ")), strict=True)
    assert parsed.background == "transparent"


def test_a_stream_tells_who_made_it_and_what_was_passed_over_as_any_answer_does() -> None:
    made = operation(stream="true", response_format="b64_json")
    attempt = Attempt(
        number=1,
        provider="alpha",
        model="m",
        slots=(0,),
        state=AttemptState.DONE,
        started_at=1.0,
        not_honoured=("quality", "expand"),
    )
    made = replace(made, attempts=(attempt,))
    rendered_pictures = [RenderedPicture(made.pictures[0], b64="AA==")]
    event = json.loads(openai_responses.render_success(made, rendered_pictures).body.decode().partition("data: ")[2])
    answer = openai_responses.render_success(replace(made, reply={}), rendered_pictures).body
    reported = ("model", "provider", "operation_id", "seed", "not_honoured")
    assert {name: event.get(name) for name in reported} == {name: answer[name] for name in reported}
    assert answer["not_honoured"] == ["expand", "quality"]


def test_in_a_stream_the_tokens_are_told_once() -> None:
    made = counted(stream="true", response_format="b64_json")
    answer = openai_responses.render_success(made, [RenderedPicture(picture, b64="AA==") for picture in made.pictures])
    events = [json.loads(line.removeprefix("data: ")) for line in answer.body.decode().split("\n") if "data: " in line]
    assert [event["usage"]["total_tokens"] for event in events] == [0, 60]
    for event in events:
        ImageGenCompletedEvent.model_validate(event, strict=True)


def test_the_sdks_own_type_takes_the_answer() -> None:
    body = openai_responses.render_success(
        operation(), [RenderedPicture(operation().pictures[0], url="https://u")]
    ).body
    parsed = ImagesResponse.model_validate(body, strict=True)
    assert parsed.created == 9
    assert (body["provider"], body["seed"], body["size"]) == ("alpha", 7, "1024x768")


def test_an_unknown_model_is_404_and_says_what_to_do() -> None:
    error = UnknownModel("The model 'x' does not exist here.", param="model", remedy="Use one of: flux.")
    answer = openai_responses.render_refusal(error)
    assert answer.status == 404
    assert answer.body["error"]["code"] == "model_not_found"
    assert "flux" in answer.body["error"]["message"]


@pytest.mark.parametrize("code", list(FailureCode))
def test_only_what_cost_nothing_invites_a_second_try(code: FailureCode) -> None:
    answer = openai_responses.render_failure(Failure(code, "because", 500), operation())
    if code in (FailureCode.RATE_LIMITED, FailureCode.CAPACITY):
        assert answer.status in (429, 503)
        assert answer.headers == {"x-should-retry": "true", "retry-after": "59"}
    else:
        assert 400 <= answer.status < 500
        assert answer.status not in (408, 409, 425, 429)
        assert answer.headers == {"x-should-retry": "false"}
