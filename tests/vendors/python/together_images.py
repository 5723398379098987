"""Together's package."""

import base64

import together
from run import Asked, fetch, run


def generate(asked: Asked) -> list[bytes]:
    """One call of `images.generate`."""
    client = together.Together(base_url=asked["base_url"], api_key="any")
    answer = client.images.generate(prompt=asked["prompt"], **asked["options"])
    return [base64.b64decode(item.b64_json) if item.b64_json else fetch(item.url) for item in answer.data]


run(generate)
