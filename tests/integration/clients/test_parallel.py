"""Four identical requests at once, by clients that split `n` or gather, are four pictures, also after their time limit.

Slow: each client waits 20 s for its pictures, and gives up once meanwhile.
"""

import asyncio
import base64
import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
import requests

from clients import as_process
from imagegate.local.stack.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.integration]
COUNT = 4
TIMEOUT = 16
PATIENCE = 200
"""Seconds."""


def by_openai(base_url: str, prompt: str) -> list[bytes]:
    """openai-python repeats by itself, and marks it."""

    async def generate() -> list[bytes]:
        async with openai.AsyncOpenAI(base_url=f"{base_url}/v1", api_key="x", timeout=TIMEOUT, max_retries=9) as client:
            made = (
                client.images.generate(model="flux", prompt=prompt, response_format="b64_json") for _ in range(COUNT)
            )
            answers = await asyncio.gather(*made)
        return [base64.b64decode(item.b64_json or "") for answer in answers for item in answer.data or []]

    return asyncio.run(generate())


def by_requests(base_url: str, prompt: str) -> list[bytes]:
    """requests repeats nothing, so its user does, unmarked."""
    body = {"model": "flux", "prompt": prompt, "response_format": "b64_json"}

    def post(_: int) -> bytes:
        while True:
            try:
                answer = requests.post(f"{base_url}/v1/images/generations", json=body, timeout=TIMEOUT)
            except requests.Timeout:
                continue
            answer.raise_for_status()
            return base64.b64decode(answer.json()["data"][0]["b64_json"])

    with ThreadPoolExecutor(COUNT) as pool:
        return list(pool.map(post, range(COUNT)))


def by_litellm(base_url: str, prompt: str) -> list[str]:
    """LiteLLM repeats as openai-python does, on which it is built."""
    python, script = as_process.VENVS / "litellm" / "bin" / "python", as_process.HERE / "litellm" / "parallel.py"
    return by_process([str(python), "-I", str(script)], base_url, prompt)


def by_ai_sdk(base_url: str, prompt: str) -> list[str]:
    """The AI SDK splits `n: 4`. It has no time limit of its own."""
    return by_process(["node", str(as_process.NODE / "ai-sdk-parallel.mjs")], base_url, prompt)


def by_process(command: list[str], base_url: str, prompt: str) -> list[str]:
    asked = {"base_url": base_url, "prompt": prompt, "model": "flux", "timeout": TIMEOUT, "count": COUNT}
    done = subprocess.run(
        [*command, json.dumps(asked)], capture_output=True, text=True, timeout=PATIENCE, env=as_process.on_loopback()
    )
    assert done.returncode == 0, done.stderr
    digests: list[str] = json.loads(done.stdout)["sha256"]
    return digests


CLIENTS = [by_openai, by_requests, by_litellm, pytest.param(by_ai_sdk, marks=pytest.mark.node)]


@pytest.mark.parametrize("generate", CLIENTS)
def test_four_at_once_are_four_pictures_paid_once_each(stack: Stack, generate: Callable[[str, str], list[Any]]) -> None:
    prompt = f"[delay 20s] foxes in parallel, {generate.__name__}"
    assert len(set(generate(stack.base_url, prompt))) == COUNT
    url = f"{stack.upstreams_url}/_standin/submissions"
    assert requests.get(url, params={"prompt": prompt}, timeout=10).json()["count"] == COUNT
