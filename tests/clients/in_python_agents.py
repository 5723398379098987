"""OpenAI's package, asking for pictures as agents and chat front ends do, and for streams."""

import base64
import time
from typing import Any

import openai

from clients.outcome import Ask, Outcome, got

_PAUSE = 0.5
"""Seconds between two looks at a background response."""


def images_stream(generation: Ask) -> Outcome:
    """`images.generate` with `stream`."""
    with _client(generation) as client:
        [event] = client.images.generate(**generation.body(), output_format="webp", stream=True)
    return got(base64.b64decode(event.b64_json))


def responses_create(generation: Ask) -> Outcome:
    """`responses.create`."""
    with _client(generation) as client:
        return _picture_of(client.responses.create(**_body(generation)))


def responses_stream(generation: Ask) -> Outcome:
    """`responses.stream`, to its last event."""
    with _client(generation) as client, client.responses.stream(**_body(generation)) as stream:
        return _picture_of(stream.get_final_response())


def responses_background(generation: Ask) -> Outcome:
    """A background response, asked for until it has ended."""
    with _client(generation) as client:
        response = client.responses.create(**_body(generation), background=True)
        until = time.monotonic() + generation.deadline
        while response.status in ("queued", "in_progress") and time.monotonic() < until:
            time.sleep(_PAUSE)
            response = client.responses.retrieve(response.id)
        return _picture_of(response)


def chat_create(generation: Ask) -> Outcome:
    """`chat.completions.create`."""
    with _client(generation) as client:
        answer = client.chat.completions.create(**_chat(generation))
    [image] = answer.choices[0].message.to_dict()["images"]  # type: ignore[misc]
    return _picture_at(image)


def chat_stream(generation: Ask) -> Outcome:
    """`chat.completions.create` with `stream`."""
    with _client(generation) as client:
        chunks = list(client.chat.completions.create(**_chat(generation), stream=True))
    deltas = [choice.delta.to_dict() for chunk in chunks for choice in chunk.choices]
    [image] = [image for delta in deltas for image in delta.get("images", [])]  # type: ignore[attr-defined]
    return _picture_at(image)


def tool_of(generation: Ask) -> dict[str, Any]:
    """The image generation tool with the options of the request."""
    return {"type": "image_generation", "output_format": "webp", "size": generation.size}


def _client(generation: Ask) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{generation.base_url}/v1", api_key="x")


def _body(generation: Ask) -> dict[str, Any]:
    return {"model": generation.model, "input": generation.prompt, "tools": [tool_of(generation)]}


def _chat(generation: Ask) -> dict[str, Any]:
    messages = [{"role": "user", "content": generation.prompt}]
    extra = {"modalities": ["image", "text"], "size": generation.size}
    return {"model": generation.model, "messages": messages, "extra_body": extra}


def _picture_of(response: Any) -> Outcome:
    [call] = [item for item in response.output if item.type == "image_generation_call"]
    return got(base64.b64decode(call.result))


def _picture_at(image: Any) -> Outcome:
    return got(base64.b64decode(image["image_url"]["url"].partition(",")[2]))
