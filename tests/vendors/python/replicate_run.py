"""Replicate's package for Python."""

import replicate
from run import Asked, fetch, run


def generate(asked: Asked) -> list[bytes]:
    """One call of `run`, which creates a prediction and asks about it until it has ended; `input` goes along."""
    client = replicate.Client(api_token="any", base_url=asked["base_url"])
    options = {"wait": asked["wait"]} if "wait" in asked else {}
    output = client.run(asked["model"], input={"prompt": asked["prompt"], **asked.get("input", {})}, **options)
    return [fetch(str(url)) for url in (output if isinstance(output, list) else [output])]


run(generate)
