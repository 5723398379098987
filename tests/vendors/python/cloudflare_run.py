"""Cloudflare's package: `ai.run`, which unwraps the envelope, or hands out the bytes of an answer that has none."""

import base64

from cloudflare import Cloudflare
from run import Asked, run


def generate(asked: Asked) -> list[bytes]:
    """One run of a model; `options` are its further inputs."""
    client = Cloudflare(base_url=asked["base_url"], api_token="any")
    options = asked.get("options", {})
    if not asked.get("binary"):
        result = client.ai.run(asked["model"], account_id="0123abcd", prompt=asked["prompt"], extra_body=options)
        return [base64.b64decode(result["image"] if isinstance(result, dict) else result.image)]
    with client.ai.with_streaming_response.run(
        asked["model"], account_id="0123abcd", prompt=asked["prompt"], **options
    ) as answer:
        return [answer.read()]


run(generate)
