"""Runware's newer package, over HTTP: a task, and the questions about it."""

import asyncio
import base64

from run import Asked, run
from runware import Runware


async def ask(asked: Asked) -> list[bytes]:
    """One `run`, which asks until the pictures are there."""
    options = {"transport": "rest", "http_base_url": asked["base_url"], "retry_delay": 100}
    async with Runware(api_key="any", **options) as client:
        task = {"model": "runware:100@1", "positivePrompt": asked["prompt"], "outputType": "base64Data"}
        results = await client.run({**task, **asked["options"]})
        return [base64.b64decode(result["imageBase64Data"]) for result in results]


def generate(asked: Asked) -> list[bytes]:
    """The pictures."""
    return asyncio.run(ask(asked))


def describe(error: Exception) -> Asked:
    """The client's own word for what went wrong goes into the message."""
    return {"message": f"{getattr(error, 'code', '')}: {error}"}


run(generate, describe)
