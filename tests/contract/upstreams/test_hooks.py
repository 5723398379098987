"""Upstreams that say when a job has ended: the address is sent as they want it, and the stand-ins call it."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Ready, Ticket
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.providers import registry
from support.stand_ins import CountingHttp, end_of, provider_on

MODELS = {"fal": "fal-ai/flux/schnell", "replicate": "black-forest-labs/flux-schnell"}
PATIENCE = 10.0
"""Seconds."""


@dataclass
class Listener:
    """What was called, and what it answers: the first statuses in turn, then 204."""

    statuses: list[int] = field(default_factory=list)
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    called: threading.Event = field(default_factory=threading.Event)
    url: str = ""


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            listener.heard.append((self.path, json.loads(body)))
            status = listener.statuses.pop(0) if listener.statuses else 204
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()
            if status < 300:
                listener.called.set()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        listener.url = f"http://127.0.0.1:{server.server_port}/v1/hooks/op?token=t&b=2"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield listener
        server.shutdown()
        thread.join()


@pytest.fixture
def http() -> Iterator[CountingHttp]:
    with CountingHttp() as http:
        yield http


def asked(name: str, prompt: str, url: str) -> UpstreamRequest:
    return UpstreamRequest(
        request=ImageRequest(model="m", messages=(Message(prompt),)), model=MODELS[name], hook_url=url
    )


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("statuses", [[], [500]], ids=["at once", "at the second call"])
def test_the_address_is_called_when_the_job_has_ended(
    stand_ins: str, client: object, http: CountingHttp, listener: Listener, name: str, statuses: list[int]
) -> None:
    listener.statuses = [*statuses]
    provider = provider_on(stand_ins, name, http)
    ticket = provider.submit(asked(name, "a fox", listener.url))
    assert isinstance(ticket, Ticket)
    assert listener.called.wait(PATIENCE)
    assert [path for path, _ in listener.heard] == ["/v1/hooks/op?token=t&b=2"] * (1 + len(statuses))
    assert "status" in listener.heard[-1][1]
    assert isinstance(provider.check(ticket, 0), Ready)


@pytest.mark.parametrize("name", MODELS)
def test_a_failed_job_is_said_as_well(
    stand_ins: str, client: object, http: CountingHttp, listener: Listener, name: str
) -> None:
    provider = provider_on(stand_ins, name, http)
    provider.submit(asked(name, "[fault error] a fox", listener.url))
    assert listener.called.wait(PATIENCE)
    assert listener.heard[0][1]["status"] in ("ERROR", "failed")


@pytest.mark.parametrize("name", MODELS)
def test_without_an_address_nothing_of_it_is_sent(
    stand_ins: str, client: object, http: CountingHttp, name: str
) -> None:
    provider = provider_on(stand_ins, name, http)
    assert isinstance(end_of(provider, provider.submit(asked(name, "a fox", ""))), Ready)
    assert all("webhook" not in f"{request.url} {request.json}" for request in http.sent)


def test_those_that_call_say_so_and_routers_do_not() -> None:
    assert {name for name in registry.provider_names() if registry.limits_of(name).calls_hooks} == {*MODELS}
