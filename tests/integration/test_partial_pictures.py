"""OpenAI's package reads partial pictures from a gateway on the embedded stack while the picture is made."""

import base64
import io
from typing import Any

import httpx
import openai
import pytest
from PIL import Image

from imagegate.local.stack.stack import Stack

pytestmark = pytest.mark.slow

PROMPT = "[delay 6s] a red fox"


def opened(body: str) -> Image.Image:
    picture = Image.open(io.BytesIO(base64.b64decode(body)))
    picture.load()
    return picture


def test_partial_pictures_come_before_the_picture(stack: Stack) -> None:
    with openai.OpenAI(base_url=f"{stack.base_url}/v1", api_key="x", max_retries=0) as client:
        stream: Any = client.images.generate(
            model="gpt-image-2", prompt=PROMPT, size="1024x768", stream=True, partial_images=2
        )
        events = iter(stream)
        first = next(events)
        running = httpx.get(f"{stack.base_url}/v1/operations/{first.operation_id}").json()
        second, completed = list(events)
    assert [event.type for event in (first, second, completed)] == [
        "image_generation.partial_image",
        "image_generation.partial_image",
        "image_generation.completed",
    ]
    assert (first.partial_image_index, second.partial_image_index) == (0, 1)
    assert {opened(event.b64_json).size for event in (first, second, completed)} == {(1024, 768)}
    assert (running["state"], running["done"]) == ("running", False)
    fetched = httpx.get(stack.base_url + running["partials"][0]["url"], follow_redirects=True)
    assert fetched.content == base64.b64decode(first.b64_json)
    assert not getattr(completed, "not_honoured", None)


def test_partial_pictures_of_a_response(stack: Stack) -> None:
    tool: Any = {"type": "image_generation", "partial_images": 2, "size": "1024x1024"}
    with openai.OpenAI(base_url=f"{stack.base_url}/v1", api_key="x", max_retries=0) as client:
        events: Any = list(client.responses.create(model="gpt-image-2", input=PROMPT, tools=[tool], stream=True))
    partials = [event for event in events if event.type == "response.image_generation_call.partial_image"]
    assert [event.partial_image_index for event in partials] == [0, 1]
    assert {opened(event.partial_image_b64).size for event in partials} == {(1024, 1024)}
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].type == "response.completed"


def test_the_stream_as_a_deployment_answers_it(stack: Stack) -> None:
    """With `Prefer`, the door follows no redirect: the client does, and the partial pictures come with the picture."""
    with openai.OpenAI(base_url=f"{stack.base_url}/v1", api_key="x", max_retries=0) as client:
        events: Any = list(
            client.images.generate(
                model="gpt-image-2",
                prompt="[delay 2s] a red fox",
                stream=True,
                partial_images=1,
                extra_headers={"prefer": "wait=20"},
            )
        )
    assert [event.type.rpartition(".")[2] for event in events] == ["partial_image", "completed"]
