"""A picture of every provider's stand-in through every API: its marks are intact, or were rightly renewed."""

import base64
import hashlib
import itertools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from imagegate.domain.pictures.xmp import MADE_BY_MODEL
from imagegate.local.signing_chain import ORGANIZATION
from imagegate.local.stack.stack import Stack
from imagegate.local.upstreams.drawing.signing import ORGANIZATION as UPSTREAM
from imagegate.providers import registry
from support.containers import xmp_in
from support.readers import actions_of, active_manifest, manifests_in

PATIENCE = 100
SIZE = "512x512"
AT_ONCE = 3
PROVIDERS = sorted({target.provider for route in registry.routes() for target in route.targets})


@dataclass(frozen=True)
class Delivered:
    """A picture as a client of an API got it, and what the gateway says of it."""

    body: bytes
    picture: dict[str, Any]


def client() -> requests.Session:
    """A client that comes back after a 503, which the gateway answers while a function starts on a busy machine."""
    session = requests.Session()
    again = Retry(6, status_forcelist=[503], allowed_methods=None, backoff_factor=0.5, raise_on_status=False)
    session.mount("http://", HTTPAdapter(max_retries=again))
    return session


def by_openai(stack: Stack, model: str, prompt: str) -> tuple[bytes, str]:
    body = {"model": model, "prompt": prompt, "size": SIZE, "response_format": "b64_json"}
    answer = client().post(f"{stack.base_url}/v1/images/generations", json=body, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    return base64.b64decode(answer.json()["data"][0]["b64_json"]), answer.json()["operation_id"]


def by_operations(stack: Stack, model: str, prompt: str) -> tuple[bytes, str]:
    body = {"model": model, "prompt": prompt, "size": SIZE}
    url, wait = f"{stack.base_url}/v1/operations", {"Prefer": "wait=20"}
    answer = client().post(url, json=body, headers=wait, timeout=PATIENCE).json()
    while not answer.get("done"):
        assert "urls" in answer, answer
        answer = requests.get(f"{stack.base_url}{answer['urls']['wait']}", timeout=PATIENCE).json()
    assert answer["state"] == "succeeded", answer
    return requests.get(f"{stack.base_url}{answer['images'][0]['url']}", timeout=PATIENCE).content, answer["id"]


def by_yandexart(stack: Stack, model: str, prompt: str) -> tuple[bytes, str]:
    body = {"modelUri": f"art://folder/{model}/latest", "messages": [{"text": prompt}]}
    url = f"{stack.base_url}/foundationModels/v1/imageGenerationAsync"
    answer = client().post(url, json=body, timeout=PATIENCE).json()
    deadline = time.monotonic() + PATIENCE
    while not answer.get("done"):
        assert "id" in answer, answer
        assert time.monotonic() < deadline
        time.sleep(0.2)
        answer = requests.get(f"{stack.base_url}/operations/{answer['id']}", timeout=PATIENCE).json()
    assert "response" in answer, answer
    return base64.b64decode(answer["response"]["image"]), answer["id"]


def by_responses(stack: Stack, model: str, prompt: str) -> tuple[bytes, str]:
    body = {"model": model, "input": prompt, "tools": [{"type": "image_generation", "size": SIZE}]}
    answer = client().post(f"{stack.base_url}/v1/responses", json=body, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    return base64.b64decode(answer.json()["output"][0]["result"]), answer.json()["operation_id"]


def by_chat(stack: Stack, model: str, prompt: str) -> tuple[bytes, str]:
    body = {"model": model, "messages": [{"role": "user", "content": prompt}], "size": SIZE}
    answer = client().post(f"{stack.base_url}/v1/chat/completions", json=body, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    url = answer.json()["choices"][0]["message"]["images"][0]["image_url"]["url"]
    return base64.b64decode(url.partition(";base64,")[2]), answer.json()["operation_id"]


def by_mcp(stack: Stack, model: str, prompt: str) -> tuple[bytes, str]:
    arguments = {"prompt": prompt, "model": model, "size": SIZE}
    made = call_mcp(stack, "tools/call", {"name": "generate_image", "arguments": arguments})["structuredContent"]
    while not made["done"]:
        waited = {"name": "get_operation", "arguments": {"operation_id": made["operation_id"], "wait_seconds": 20}}
        made = call_mcp(stack, "tools/call", waited)["structuredContent"]
    [content] = call_mcp(stack, "resources/read", {"uri": made["images"][0]["uri"]})["contents"]
    return base64.b64decode(content["blob"]), made["operation_id"]


def call_mcp(stack: Stack, method: str, params: dict[str, Any]) -> Any:
    """The result of a method of MCP."""
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
    answer = client().post(f"{stack.base_url}/mcp", json=message, headers=headers, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    assert "result" in answer.json(), answer.text
    return answer.json()["result"]


APIS: dict[str, Callable[[Stack, str, str], tuple[bytes, str]]] = {
    "openai": by_openai,
    "operations": by_operations,
    "yandexart": by_yandexart,
    "responses": by_responses,
    "chat": by_chat,
    "mcp": by_mcp,
}
SIGNED = {"openai": True, "operations": False, "yandexart": True, "responses": True, "chat": False, "mcp": True}
"""Whether the upstream signs. YandexART's clients get JPEG, so what comes in another format is converted."""
CASES = sorted(itertools.product(APIS, PROVIDERS), key=lambda case: case[1])


@pytest.fixture(scope="module")
def deliveries(signing_stack: Stack) -> Iterator[dict[tuple[str, str], Future[Delivered]]]:
    """What each request came to; some run while others are waited for."""

    def deliver(api: str, provider: str) -> Delivered:
        prompt = f"a fox{' [signed]' if SIGNED[api] else ''}"
        body, operation = APIS[api](signing_stack, f"only-{provider}", prompt)
        answer = requests.get(f"{signing_stack.base_url}/v1/operations/{operation}", timeout=PATIENCE).json()
        assert answer["attempts"][-1]["provider"] == provider
        return Delivered(body, answer["images"][0])

    by_operations(signing_stack, "flux", "a warm fox")  # starts every function once
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {case: pool.submit(deliver, *case) for case in CASES}


@pytest.mark.timeout(300)  # which the first one needs: the others run meanwhile
@pytest.mark.parametrize(("api", "provider"), CASES)
def test_its_marks_are_intact_or_renewed(deliveries: Any, api: str, provider: str) -> None:
    delivered: Delivered = deliveries[api, provider].result()
    body, picture = delivered.body, delivered.picture
    record = picture["provenance"]
    assert hashlib.sha256(body).hexdigest() == picture["sha256"], "the client has what was stored"
    store = manifests_in(body, picture["content_type"])
    manifest = active_manifest(store)
    assert (store["validation_state"], record["validation"]) == ("Valid", "valid")
    assert record["signer"] == manifest["signature_info"]["issuer"]
    converted = picture["converted_from"] is not None
    if SIGNED[api] and not converted:
        assert (record["signer"], record["added"]) == (UPSTREAM, [])
        return
    assert record["signer"] == ORGANIZATION
    assert record["added"] == ["xmp", "c2pa"]
    assert xmp_in(body)["Iptc4xmpExt:DigitalSourceType"] == MADE_BY_MODEL
    assert actions_of(manifest) == [
        "c2pa.opened" if SIGNED[api] else "c2pa.created",
        *(["c2pa.converted"] if converted else []),
    ]
    if SIGNED[api]:
        assert [entry["relationship"] for entry in manifest["ingredients"]] == ["parentOf"]
        assert record["kept"] == ["c2pa"]


def test_some_are_converted_and_some_come_as_they_are(deliveries: Any) -> None:
    """The table above would also pass if all were the same."""
    found = {(api, deliveries[api, provider].result().picture["converted_from"] is None) for api, provider in CASES}
    assert {("yandexart", False), ("openai", True), ("operations", True)} <= found
