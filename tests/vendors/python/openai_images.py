"""OpenAI's package: at OpenAI itself, and at the servers whose documentation names it as their client."""

import base64

import openai
from run import Asked, fetch, run


def generate(asked: Asked) -> list[bytes]:
    """One call of `images.generate`; `options` are its keyword arguments."""
    client = openai.OpenAI(base_url=asked["base_url"], api_key="any")
    answer = client.images.generate(prompt=asked["prompt"], **asked.get("options", {}))
    return [base64.b64decode(item.b64_json) if item.b64_json else fetch(item.url) for item in answer.data]


run(generate)
