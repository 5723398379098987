"""OpenAI's package makes a picture with responses.create on the embedded stack, and edits what it made."""

import base64
import io
import time
from typing import Any

import openai
import pytest
from openai.types.responses import Response
from PIL import Image

from imagegate.local.stack.stack import Stack

pytestmark = pytest.mark.slow

TOOL: Any = {"type": "image_generation"}
PATIENCE = 40.0


def picture_in(response: Response) -> Image.Image:
    [call] = [item for item in response.output if item.type == "image_generation_call"]
    return Image.open(io.BytesIO(base64.b64decode(call.result or "")))


def test_a_picture_is_made_and_another_one_from_it(stack: Stack) -> None:
    with openai.OpenAI(base_url=f"{stack.base_url}/v1", api_key="x") as client:
        made = client.responses.create(model="flux", input="a red fox", tools=[{**TOOL, "size": "512x320"}])
        assert (picture_in(made).size, picture_in(made).format) == ((512, 320), "PNG")
        edited = client.responses.create(
            model="gpt-5.5", input="make it winter", previous_response_id=made.id, tools=[TOOL]
        )
    picture_in(edited).load()
    [call] = [item for item in edited.output if item.type == "image_generation_call"]
    assert (call.action, edited.previous_response_id) == ("edit", made.id)


def test_a_background_response_is_asked_for_until_it_ends(stack: Stack) -> None:
    with openai.OpenAI(base_url=f"{stack.base_url}/v1", api_key="x") as client:
        response = client.responses.create(model="flux", input="[delay 3s] a fox", tools=[TOOL], background=True)
        assert response.status == "queued"
        until = time.monotonic() + PATIENCE
        while response.status in ("queued", "in_progress"):
            assert time.monotonic() < until
            response = client.responses.retrieve(response.id)
        picture_in(response).load()
        other = client.responses.create(model="flux", input="[delay 30s] a dog", tools=[TOOL], background=True)
        assert client.responses.cancel(other.id).status == "cancelled"
