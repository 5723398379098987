"""OpenAI's package: at OpenAI itself, and at the servers whose documentation names it as their client."""

import base64
from typing import Any

import openai
from run import Asked, fetch, run


def generate(asked: Asked) -> list[bytes]:
    """One call of `images.generate`; `options` are its keyword arguments."""
    client = openai.OpenAI(base_url=asked["base_url"], api_key="any", project=asked.get("project"))
    answer = client.images.generate(prompt=asked["prompt"], **asked.get("options", {}))
    return [picture_of(item) for item in answer.data]


def picture_of(item: Any) -> bytes:
    """The bytes of one item of `data`; xAI's refusals have none."""
    if not item.b64_json and not item.url:
        raise ValueError("no picture in the answer")
    return base64.b64decode(item.b64_json) if item.b64_json else fetch(item.url)


run(generate)
