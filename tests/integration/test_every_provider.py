"""Every provider of models.toml makes a picture on the deployed template, with no key: its stand-in draws it."""

import base64
import io
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import requests
from PIL import Image

from imagegate.local.stack.stack import Stack
from imagegate.providers import registry

pytestmark = pytest.mark.slow

MODELS = {target.provider: route.model for route in registry.routes() for target in route.targets}
PATIENCE = 60
"""Seconds; the first call of a function starts it."""
AT_ONCE = 2


def ask(stack: Stack, provider: str) -> requests.Response:
    body = {"model": MODELS[provider], "provider": provider, "prompt": f"a fox by {provider}", "size": "512x512"}
    url = f"{stack.base_url}/v1/images/generations"
    return requests.post(url, json=body | {"response_format": "b64_json"}, timeout=PATIENCE)


@pytest.fixture(scope="module")
def answers(stack: Stack) -> Iterator[dict[str, Future[requests.Response]]]:
    """What each provider's request came to; some are asked while others are waited for."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {provider: pool.submit(ask, stack, provider) for provider in sorted(MODELS)}


def test_every_provider_is_on_a_route() -> None:
    assert sorted(MODELS) == sorted(registry.provider_names())


@pytest.mark.parametrize("provider", sorted(MODELS))
def test_a_picture_arrives(stack: Stack, answers: dict[str, Future[requests.Response]], provider: str) -> None:
    answer = answers[provider].result()
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert document["provider"] == provider
    [item] = document["data"]
    Image.open(io.BytesIO(base64.b64decode(item["b64_json"]))).load()
    submissions, prompt = f"{stack.upstreams_url}/_standin/submissions", {"prompt": f"a fox by {provider}"}
    accepted = requests.get(submissions, params=prompt, timeout=PATIENCE).json()["submissions"]
    assert [submission["upstream"] for submission in accepted] == [provider]
