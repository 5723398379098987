"""Chat completions and their chunks against the newest openai package's own types, with its strict validation on."""

import base64
import json
from typing import Any

import jsonschema_rs
import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from imagegate.domain.failure import Failure, FailureCode
from support.ended import end_at_once
from support.fakes import picture
from support.gateway import Gateway
from support.sdk_transport import client_of

CHAT = "/v1/chat/completions"
COMPLETION = jsonschema_rs.validator_for(ChatCompletion.model_json_schema())
CHUNK = jsonschema_rs.validator_for(ChatCompletionChunk.model_json_schema())
ASKED: dict[str, Any] = {"model": "flux", "messages": [{"role": "user", "content": "a fox"}]}
DATA_URL = f"data:image/png;base64,{base64.b64encode(picture()).decode()}"


@pytest.fixture
def gateway() -> Gateway:
    gateway = Gateway()
    end_at_once(gateway)
    return gateway


@pytest.mark.parametrize(
    "asked", [{}, {"n": 2}, {"modalities": ["image"]}, {"markdown": False}, {"metadata": {"a": "b"}}], ids=str
)
def test_every_answer_fits_the_packages_schema(gateway: Gateway, asked: dict[str, Any]) -> None:
    body = gateway.call("POST", CHAT, {**ASKED, **asked}).json()
    COMPLETION.validate(body)
    ChatCompletion.model_validate(body, strict=True)
    assert len(body["choices"]) == asked.get("n", 1)


@pytest.mark.parametrize(
    ("asked", "linked"),
    [
        ({}, True),
        ({"modalities": ["image", "text"]}, False),
        ({"modalities": ["image"], "markdown": True}, True),
        ({"markdown": False}, False),
    ],
    ids=str,
)
def test_the_picture_comes_as_openrouters_and_by_option_as_a_link(
    gateway: Gateway, asked: dict[str, Any], linked: bool
) -> None:
    answer = gateway.call("POST", CHAT, {**ASKED, **asked}).json()
    [choice] = answer["choices"]
    [image] = choice["message"]["images"]
    assert (image["type"], image["image_url"]["url"]) == ("image_url", DATA_URL)
    link = f"![picture](https://pictures.example.com/v1/images/{answer['operation_id']}-0)"
    assert choice["message"]["content"] == (link if linked else "")


def test_every_chunk_fits_the_packages_schema(gateway: Gateway) -> None:
    body = {**ASKED, "stream": True, "n": 2, "stream_options": {"include_usage": True}}
    answer = gateway.call("POST", CHAT, body)
    assert answer.headers["content-type"] == "text/event-stream"
    *lines, last = answer.text.strip().split("\n\n")
    assert last == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines]
    for chunk in chunks:
        CHUNK.validate(chunk)
        ChatCompletionChunk.model_validate(chunk, strict=True)
    ends = [choice["index"] for chunk in chunks for choice in chunk["choices"] if choice["finish_reason"] == "stop"]
    assert ends == [0, 1]
    assert (chunks[-1]["choices"], chunks[-1]["usage"]["total_tokens"]) == ([], 0)


def test_the_package_reads_the_stream(gateway: Gateway) -> None:
    with client_of(gateway) as client:
        chunks = list(client.chat.completions.create(**ASKED, stream=True))
    deltas = [choice.delta.to_dict() for chunk in chunks for choice in chunk.choices]
    [images] = [delta["images"] for delta in deltas if "images" in delta]
    assert images[0]["image_url"]["url"] == DATA_URL  # type: ignore[index]
    assert "".join(str(delta.get("content") or "") for delta in deltas).startswith("![picture](")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("code", list(FailureCode))
def test_a_failure_raises_in_the_package(code: FailureCode, stream: bool) -> None:
    gateway = Gateway()
    end_at_once(gateway, Failure(code, "because"))
    with client_of(gateway) as client, pytest.raises(openai.APIStatusError, match="because"):
        client.with_options(max_retries=0).chat.completions.create(**ASKED, stream=stream)
