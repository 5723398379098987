"""How far real clients follow: on a real server, with holds of a twentieth of a second instead of twenty-five.

The operation never ends, so every client comes to the end of its budget, and none may raise for too many redirects.
"""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import aiohttp
import httpx2
import openai
import pytest
import requests

from imagegate.adapters.clock import SystemClock
from imagegate.domain.operation import Picture, State
from imagegate.local.upstreams.serving import serving
from support.fakes import FakeClock, MemoryLatencies, picture
from support.gateway import Gateway

BODY = {"model": "flux", "prompt": "a cat"}


@pytest.fixture
def gateway() -> Gateway:
    # Nothing is expected for a long time, so nobody looks more often than the hold demands.
    return Gateway(clock=SystemClock(), hold_seconds=0.05, latencies=MemoryLatencies(1000))  # type: ignore[arg-type]


@pytest.fixture
def url(gateway: Gateway) -> Iterator[str]:
    with serving(gateway.app) as base:
        yield base


def pending(document: dict[str, Any]) -> bool:
    return document["error"]["code"] == "operation_pending"


def test_requests_follows_to_its_budget(url: str) -> None:
    answer = requests.post(f"{url}/v1/images/generations", json=BODY, timeout=30)
    assert (len(answer.history), answer.status_code, pending(answer.json())) == (28, 504, True)


def test_aiohttp_follows_to_its_budget(url: str) -> None:
    async def post() -> tuple[int, int, Any]:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{url}/v1/images/generations", json=BODY) as answer,
        ):
            return len(answer.history), answer.status, await answer.json()

    hops, status, document = asyncio.run(post())
    assert (hops, status, pending(document)) == (8, 504, True)


def test_urllib_follows_to_its_budget(url: str) -> None:
    request = urllib.request.Request(f"{url}/v1/images/generations", json.dumps(BODY).encode(), method="POST")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=30)
    with caught.value as answer:
        assert (answer.code, pending(json.load(answer))) == (504, True)
        assert "hop=9" in answer.url


def test_an_unknown_client_follows_to_what_all_allow(url: str) -> None:
    with httpx2.Client(follow_redirects=True, timeout=30) as client:
        answer = client.post(f"{url}/v1/images/generations", json=BODY)
    assert (len(answer.history), answer.status_code) == (19, 504)


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

    monkeypatch.setattr(time, "sleep", clock.sleep)
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
    kept = (Picture(0, "images/k", "s", "image/png", 64, 48, 9, "alpha", 7),)
    ended = found.moved(State.RUNNING, 1.0).with_pictures(kept).settled(gateway.clock.now())
    gateway.store.replace(replace(ended, version=found.version + 1))
