"""How far real clients follow: on a real server, with holds of a twentieth of a second instead of twenty-five.

The operation never ends, so every client comes to the end of its budget, and none may raise for too many redirects.
"""

import asyncio
import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import aiohttp
import httpx2
import openai
import pytest
import requests

from imagegate.adapters.clock import SystemClock
from imagegate.domain.operation.operation import State
from imagegate.local.upstreams.serving import serving
from support.ended import made
from support.fakes import FakeClock, MemoryLatencies, MemoryRequestRate, picture
from support.gateway import Gateway

pytestmark = pytest.mark.slow

BODY = {"model": "flux", "prompt": "a cat"}


@pytest.fixture(params=["open", "keys"])
def gateway(request: pytest.FixtureRequest) -> Gateway:
    # Nothing is expected for a long time, so the table is read no more often than the hold demands.
    return Gateway(
        clock=SystemClock(),  # type: ignore[arg-type]
        hold_seconds=0.05,
        latencies=MemoryLatencies(1000),
        access=request.param,
    )


@pytest.fixture
def headers(gateway: Gateway) -> Iterator[dict[str, str]]:
    """What the client sends with its POST, and keeps on the way."""
    yield authorization(gateway)
    assert kept_its_key(gateway)


def authorization(gateway: Gateway) -> dict[str, str]:
    return {"Authorization": f"Bearer {gateway.key()[1]}"}


def kept_its_key(gateway: Gateway) -> bool:
    """True unless a hop came without its key: of keys without limits only such hops are counted."""
    rate = gateway.services.request_rate
    assert isinstance(rate, MemoryRequestRate)
    return not rate.full_at


@pytest.fixture
def url(gateway: Gateway) -> Iterator[str]:
    with serving(gateway.app) as base:
        yield base


def pending(document: dict[str, Any]) -> bool:
    return document["error"]["code"] == "operation_pending"


def test_requests_follows_to_its_budget(url: str, headers: dict[str, str]) -> None:
    answer = requests.post(f"{url}/v1/images/generations", json=BODY, headers=headers, timeout=30)
    assert (len(answer.history), answer.status_code, pending(answer.json())) == (28, 504, True)


def test_aiohttp_follows_to_its_budget(url: str, headers: dict[str, str]) -> None:
    async def post() -> tuple[int, int, Any]:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{url}/v1/images/generations", json=BODY, headers=headers) as answer,
        ):
            return len(answer.history), answer.status, await answer.json()

    hops, status, document = asyncio.run(post())
    assert (hops, status, pending(document)) == (8, 504, True)


def test_urllib_follows_to_its_budget(url: str, headers: dict[str, str]) -> None:
    request = urllib.request.Request(f"{url}/v1/images/generations", json.dumps(BODY).encode(), headers, method="POST")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=30)
    with caught.value as answer:
        assert (answer.code, pending(json.load(answer))) == (504, True)
        assert "hop=9" in answer.url


def test_an_unknown_client_follows_to_what_all_allow(url: str, headers: dict[str, str]) -> None:
    with httpx2.Client(follow_redirects=True, timeout=30, headers=headers) as client:
        answer = client.post(f"{url}/v1/images/generations", json=BODY)
    assert (len(answer.history), answer.status_code) == (19, 504)


def test_the_client_that_follows_longest_keeps_its_key_on_the_way() -> None:
    """Thirteen minutes, longer than a link works without the key."""
    gateway = Gateway(clock=FakeClock(), access="keys")
    began = gateway.clock.now()
    with serving(gateway.app) as base:
        answer = requests.post(f"{base}/v1/images/generations", json=BODY, headers=authorization(gateway), timeout=30)
    assert (len(answer.history), answer.status_code, pending(answer.json())) == (28, 504, True)
    assert gateway.clock.now() - began == pytest.approx(4 + 28 * 28.25)
    assert kept_its_key(gateway)


def test_curl_keeps_its_key_on_the_way() -> None:
    gateway = Gateway(clock=FakeClock(), access="keys")
    key = authorization(gateway)["Authorization"]
    with serving(gateway.app) as base:
        curl = ["curl", "-sL", "--noproxy", "*", f"{base}/v1/images/generations"]
        command = [*curl, "-H", f"Authorization: {key}", "-d", json.dumps(BODY)]
        done = subprocess.run(command, capture_output=True, check=True, timeout=30)
    assert pending(json.loads(done.stdout))
    assert kept_its_key(gateway)


def test_twenty_round_trips_thrice_and_then_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real openai package: 503, Retry-After 30, the repeat is coalesced; twice; then the picture."""
    clock = FakeClock()
    gateway = Gateway(clock=clock)
    sent: list[tuple[str, int]] = []

    class Wire(httpx2.BaseTransport):
        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            headers = {name.replace("-", "_"): value for name, value in request.headers.items() if name != "host"}
            path = request.url.raw_path.decode()
            if len(sent) == 45:
                finish(gateway)
            answer = gateway.call(request.method, path, request.read(), **headers)
            sent.append((request.method, answer.status))
            return httpx2.Response(answer.status, headers=answer.headers, content=answer.text.encode())

    # Not `time.sleep` itself: other threads of this process sleep as well.
    monkeypatch.setattr("openai._base_client.time", SimpleNamespace(sleep=clock.sleep, time=time.time))
    began = clock.now()
    wire = openai.DefaultHttpxClient(transport=Wire())
    with openai.OpenAI(base_url="http://api.invalid/v1", api_key="x", http_client=wire) as client:
        answer = client.images.generate(**BODY)
    assert answer.data
    assert [method for method, _ in sent].count("POST") == 3
    assert [status for _, status in sent].count(503) == 2
    assert sent[-1] == ("GET", 200)
    assert len(gateway.store.documents) == 1
    assert len(gateway.workflow.runs) == 1
    assert clock.now() - began > 2 * (25 + 19 * 27 + 30)


def finish(gateway: Gateway) -> None:
    """End the one operation."""
    [operation_id] = gateway.store.documents
    found = gateway.store.get(operation_id)
    assert found
    gateway.images.put("images/k", picture(), "image/png")
    ended = found.moved(State.RUNNING, 1.0).with_pictures((made(0),)).complete_if_done(gateway.clock.now())
    gateway.store.replace(replace(ended, version=found.version + 1))
