"""The wait function's answers are those of the api function's route, byte for byte."""

import secrets
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.function_process import environment
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.picture import Picture
from imagegate.domain.webhooks.webhook import USER_AGENT
from imagegate.local.stack.packaging import load_yaml
from imagegate.web.lambda_handler import lambda_handler
from imagegate.web.wait_app import PATH, create_wait_app
from support.fakes import picture
from support.gateway import Gateway, event
from support.stack_settings import TEMPLATE

RESOURCES = load_yaml(TEMPLATE)["Resources"]
STARTS: dict[str, tuple[str, Any]] = {
    "openai url": ("/v1/images/generations", {"model": "flux", "prompt": "a cat", "n": 2}),
    "openai b64": ("/v1/images/generations", {"model": "flux", "prompt": "a cat", "response_format": "b64_json"}),
    "yandexart": (
        "/foundationModels/v1/imageGenerationAsync",
        {"modelUri": "art://f/flux", "messages": [{"text": "a"}]},
    ),
    "operations": ("/v1/operations", {"model": "flux", "prompt": "a cat"}),
}
CLIENTS = (("", "?hop=3"), ("OpenAI/Python 2.8.1", "?hop=30"), ("python-requests/2.32.5", ""), ("n8n", "?hop=2"))
ABSENT = "06gzj55vfn0ajhf9kn2m"


class World:
    """A gateway with one operation, which both applications are asked about at the same moment."""

    def __init__(self, start: str, monkeypatch: pytest.MonkeyPatch) -> None:
        # Every wait has an id by chance.
        monkeypatch.setattr(secrets, "token_hex", lambda size: "0" * 2 * size)
        self.gateway = Gateway(access="keys")
        self.key, self.text = self.gateway.key()
        _, self.foreign = self.gateway.key()
        path, body = STARTS[start]
        self.gateway.call("POST", path, body, x_api_key=self.text, prefer="wait=0")
        [self.id] = self.gateway.store.documents
        self.handlers = (self.gateway.handler, lambda_handler(create_wait_app(self.gateway.services)))

    @property
    def operation(self) -> Operation:
        found = self.gateway.store.get(self.id)
        assert found
        return found

    def write(self, changed: Operation) -> None:
        self.gateway.store.replace(replace(changed, version=self.operation.version + 1))

    def both(self, method: str, url: str, body: bytes = b"", **headers: str) -> list[dict[str, Any]]:
        """Both answers, whole."""
        now, answers = self.gateway.clock.time, []
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        for handler in self.handlers:
            self.gateway.clock.time = now
            answers.append(handler(event(method, url, body, named), None))
        return answers

    def same(self, method: str, url: str, body: bytes = b"", **headers: str) -> dict[str, Any]:
        of_api, of_wait = self.both(method, url, body, **headers)
        assert of_wait == of_api
        return of_wait

    def wait(self, query: str = "", **headers: str) -> dict[str, Any]:
        return self.same("GET", f"/v1/operations/{self.id}/wait{query}", **{"x_api_key": self.text, **headers})


def queued(world: World) -> None:
    """As it was started."""


def running(world: World) -> None:
    world.write(world.operation.moved(State.RUNNING, world.gateway.clock.now()))


def succeeded(world: World) -> None:
    running(world)
    kept = []
    for slot in range(world.operation.request.n):
        key = f"images/{slot}.png"
        world.gateway.images.put(key, picture(), "image/png")
        kept.append(
            Picture(
                slot=slot, key=key, sha256="s", content_type="image/png", width=64, height=48, bytes=9, provider="alpha"
            )
        )
    now = world.gateway.clock.now()
    world.write(world.operation.with_pictures(tuple(kept)).complete_if_done(now))


def bytes_gone(world: World) -> None:
    succeeded(world)
    world.gateway.images.delete(["images/0.png"])


def pictures_gone(world: World) -> None:
    succeeded(world)
    world.gateway.clock.sleep(8 * 86_400)


def forgotten(world: World) -> None:
    succeeded(world)
    world.gateway.clock.sleep(40 * 86_400)


def failed(world: World) -> None:
    running(world)
    failure = Failure(FailureCode.CONTENT_FILTERED, "The provider refuses it.")
    world.write(replace(world.operation, failure=failure).moved(State.FAILED, world.gateway.clock.now()))


def cancelled(world: World) -> None:
    world.gateway.call("POST", f"/v1/operations/{world.id}:cancel", x_api_key=world.text)


def deleted(world: World) -> None:
    succeeded(world)
    world.gateway.call("DELETE", f"/v1/operations/{world.id}", x_api_key=world.text)


STATES = {
    queued: {303, 503, 504},
    running: {303, 503, 504},
    succeeded: {200},
    bytes_gone: {200},  # its URL is signed without a look
    pictures_gone: {410},
    forgotten: {410},
    failed: {400},
    cancelled: {424},
    deleted: {404},
}
"""What makes the state, and the statuses that OpenAI's clients get."""


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_every_state_in_every_dialect(
    monkeypatch: pytest.MonkeyPatch, start: str, state: Callable[[World], None]
) -> None:
    world = World(start, monkeypatch)
    state(world)
    statuses = {world.wait(query, user_agent=agent)["statusCode"] for agent, query in CLIENTS}
    if start == "openai url":
        assert statuses == STATES[state]
    assert world.wait(prefer="wait=2, respond-async")["headers"]


@pytest.mark.parametrize(
    "query", ["?hop=0", "?hop=1001", "?hop=1000", "?hop=x", "?hop=", "?hop=%20%201", "?hop=1_0", "?hop=1.0", "?hop=-1",
              "?hop=1&hop=2", "?hop=2&hop=x", "?hop=" + "9" * 30, "?hop=%D9%A3", "?page=1", "?page=1&hop=x", "?token=x",
              "?wait=abc", "?hop=%ff", "?hop=1&%0a=2"]
)  # fmt: skip
def test_every_query(monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    world = World("openai url", monkeypatch)
    succeeded(world)
    world.wait(query)


@pytest.mark.parametrize("path", [ABSENT, "none", "%ff", "%00", "a%2Fb", "x" * 300, ABSENT.upper(), ":cancel"])
@pytest.mark.parametrize("query", ["", "?hop=2"])
def test_every_id(monkeypatch: pytest.MonkeyPatch, path: str, query: str) -> None:
    world = World("operations", monkeypatch)
    world.same("GET", f"/v1/operations/{path}/wait{query}", x_api_key=world.text)


def test_every_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("openai url", monkeypatch)
    own, statuses = f"/v1/operations/{world.id}/wait", set()
    for headers in ({}, {"x_api_key": world.foreign}, {"x_api_key": "ig_x"}, {"authorization": f"Basic {'x' * 8000}"},
                    {"x_api_key": world.text, "user_agent": USER_AGENT},
                    {"x_api_key": world.text, "content_encoding": "br"}):  # fmt: skip
        statuses.add(world.same("GET", own, **headers)["statusCode"])
    assert statuses == {400, 401, 404, 415}


def test_links_and_their_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """SECURITY.md: a link opens its own hop, until it expires, and no other."""
    world = World("openai url", monkeypatch)
    running(world)
    link = world.wait()["headers"]["location"]
    assert world.same("GET", link)["statusCode"] == 303
    assert world.same("POST", link)["statusCode"] == 303
    assert world.same("GET", link.replace("hop=2", "hop=3"))["statusCode"] == 401
    assert world.same("GET", link.replace(world.id, ABSENT))["statusCode"] == 401
    world.gateway.keys.put(replace(world.key, revoked_at=world.gateway.clock.now(), version=2))
    world.gateway.clock.sleep(61)
    assert world.same("GET", link)["statusCode"] == 401


def test_a_bug_is_told_in_the_same_words(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("openai url", monkeypatch)

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(world.gateway.store, "get", broken)
    assert world.wait()["statusCode"] == 500


def test_pictures_that_do_not_fit_into_its_memory_are_answered_by_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("openai b64", monkeypatch)
    world.handlers = (
        world.gateway.handler,
        lambda_handler(create_wait_app(replace(world.gateway.services, most_bytes=8))),
    )
    succeeded(world)
    of_api, of_wait = world.both("GET", f"/v1/operations/{world.id}/wait?hop=2", x_api_key=world.text)
    assert (of_api["statusCode"], of_wait["statusCode"]) == (200, 303)
    location = of_wait["headers"]["location"]
    assert location.startswith(f"/api/v1/operations/{world.id}/wait?hop=3")
    [route] = {RESOURCES[name]["Properties"]["RouteKey"].split()[1] for name in ("WaitRoute", "WaitByPostRoute")}
    assert not location.startswith(route.partition("{")[0]), "API Gateway passes it to the api function"
    answer = world.gateway.handler(event("GET", location, b"", {}), None)
    assert (answer["statusCode"], answer["body"]) == (200, of_api["body"])


def test_api_gateway_passes_it_this_route_and_no_other() -> None:
    keys = {
        entry["Properties"]["RouteKey"]
        for entry in RESOURCES.values()
        if entry["Type"] == "AWS::ApiGatewayV2::Route"
        and entry["Properties"]["Target"] == {"Fn::Sub": "integrations/${WaitIntegration}"}
    }
    path = PATH.replace("operation_id", "id")
    assert keys == {f"GET {path}", f"POST {path}"}


def test_it_loads_neither_fastapi_nor_pydantic() -> None:
    code = "import sys, wait; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert not {"fastapi", "pydantic", "httpx", "PIL", "imagegate.web.app"} & set(done.stdout.split())
