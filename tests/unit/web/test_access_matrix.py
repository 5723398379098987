"""Access to every route: a foreign key finds nothing, and a request without a valid key is refused.

The routes come from the application itself, so a new route is tested too. One with a new path parameter fails here
until `filled` has a value for it.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Route

from imagegate.domain.access.api_key import issue
from imagegate.domain.access.wait_pass import WaitPass
from imagegate.domain.operation.operation import State
from imagegate.domain.operation.picture import Picture
from imagegate.web import docs_page, health
from imagegate.web.access import OPEN_PATHS
from imagegate.web.app import create_app
from imagegate.web.studio.page import is_public
from support.fakes import picture
from support.gateway import Answered, Gateway

pytestmark = pytest.mark.slow

SECRET_WORDS = "a marked prompt of the first owner"
BODIES: dict[str, Any] = {
    "openai_images": {"model": "flux", "prompt": SECRET_WORDS},
    "yandexart": {"modelUri": "art://f/flux", "messages": [{"text": SECRET_WORDS}]},
    "operations": {"model": "flux", "prompt": SECRET_WORDS},
    "mcp": {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "generate_image", "arguments": {"prompt": SECRET_WORDS, "wait_seconds": 0}},
    },
    "openai_responses": {"model": "flux", "input": SECRET_WORDS},
    "openai_chat": {"model": "flux", "messages": [{"role": "user", "content": SECRET_WORDS}]},
}
START = {
    "openai_images": "/v1/images/generations",
    "yandexart": "/foundationModels/v1/imageGenerationAsync",
    "operations": "/v1/operations",
    "mcp": "/mcp",
    "openai_responses": "/v1/responses",
    "openai_chat": "/v1/chat/completions",
}
STATES = ("running", "ended")
WRONG = [
    "Bearer x",
    "Bearer",
    "Bearer ig_",
    f"Bearer ig_0123456789ab_{'a' * 40}",
    "Basic dXNlcjpwYXNz",
    "",
    "Bearer " + "x" * 8000,
]


def every_route() -> Iterator[tuple[str, str]]:
    for route in create_app(Gateway().services).routes:
        assert isinstance(route, Route)
        for method in sorted(route.methods or ()):
            yield method, route.path_format


HOOK = ("POST", "/v1/hooks/{operation}")
"""Its token is the credential; tests/unit/web/test_hooks.py is about it."""
ROUTES = sorted(set(every_route()) - {HOOK})
OPEN = [(method, path) for method, path in ROUTES if path in OPEN_PATHS or is_public(method, path)]
CLOSED = [entry for entry in ROUTES if entry not in OPEN]
OF_ONE = [(method, path) for method, path in ROUTES if "_id}" in path]
SHARED = [entry for entry in CLOSED if entry not in OF_ONE]


class World:
    """A gateway with keys, and an operation of the first owner."""

    def __init__(self, dialect: str = "openai_images", state: str = "ended") -> None:
        self.gateway = Gateway(access="keys")
        self.first, self.first_key = self.gateway.key()
        _, self.second_key = self.gateway.key()
        headers = {"authorization": f"Bearer {self.first_key}", "prefer": "wait=0"}
        self.gateway.call("POST", START[dialect], BODIES[dialect], **headers)
        [self.operation_id] = self.gateway.store.documents
        if state == "ended":
            self._end()

    def _end(self) -> None:
        found = self.gateway.store.get(self.operation_id)
        assert found
        self.gateway.images.put("images/k.png", picture(), "image/png")
        kept = Picture(
            slot=0,
            key="images/k.png",
            sha256="s",
            content_type="image/png",
            width=64,
            height=48,
            bytes=9,
            provider="beta",
            seed=7,
        )
        now = self.gateway.clock.now()
        ended = found.moved(State.RUNNING, now).with_pictures((kept,)).complete_if_done(now)
        self.gateway.store.replace(replace(ended, version=found.version + 1))

    def filled(self, path: str) -> str:
        """The path with the first owner's operation and picture in it."""
        return path.replace(":path}", "}").format_map(
            {
                "operation_id": self.operation_id,
                "response_id": f"resp_{self.operation_id}",
                "image_id": f"{self.operation_id}-0",
                "provider": "alpha",
                "model": "flux",
                "deployment": "flux",
                "digest": "0",
                "name": "studio.js",
            }
        )

    def call(self, method: str, path: str, **headers: str) -> Answered:
        body = next((BODIES[name] for name, start in START.items() if start == path), BODIES["openai_images"])
        return self.gateway.call(method, self.filled(path), body, **headers)

    def shown_in(self, answer: Answered) -> list[str]:
        """The first owner's data in an answer."""
        text = answer.text + str(answer.headers)
        marks = (self.operation_id, SECRET_WORDS, self.first.id, "images/k.png")
        return [mark for mark in marks if mark in text]


def is_refusal(answer: Answered, path: str, status: int) -> None:
    """The answer is a refusal in the shape of the path's dialect."""
    assert answer.status == status, answer.text
    if not answer.text:
        return
    body = answer.json()
    if path.startswith(("/foundationModels/", "/operations/")):
        assert body["error"] == body["message"]
        assert (body["code"], body["details"]) == ({401: 16, 404: 5}[status], [])
    elif path == "/mcp":
        assert (body["error"]["code"], body["error"]["data"]["code"]) == (status, "invalid_api_key")
    elif answer.headers["content-type"] == "application/problem+json":
        assert (body["status"], body["code"] == "invalid_api_key") == (status, status == 401)
    else:
        assert set(body["error"]) == {"message", "type", "param", "code"}
        assert body["error"]["type"] == "invalid_request_error"


def test_the_routes_are_all_there() -> None:
    assert {*OPEN_PATHS} == {
        "/openapi.json",
        *docs_page.PATHS,
        *health.PATHS,
    }, "what describes the API or says that it answers, and nothing else"
    assert {path for method, path in OPEN if path not in OPEN_PATHS} == {"/", "/studio/{digest}/{name}"}
    assert HOOK in every_route()
    assert ("POST", "/") in CLOSED, "Hugging Face's client starts operations there"
    assert len(OF_ONE) >= 8
    assert len(SHARED) >= 8
    assert sorted([*OPEN, *OF_ONE, *SHARED]) == ROUTES


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_without_a_key_or_with_a_wrong_one_nothing_is_reached(method: str, path: str) -> None:
    world = World()
    reads = len(world.gateway.store.history)
    for wrong in WRONG:
        answer = world.call(method, path, **({"authorization": wrong} if wrong else {}))
        if (method, path) in OPEN:
            assert answer.status == 200
        else:
            is_refusal(answer, path, 401)
            assert answer.headers["www-authenticate"].startswith("Bearer")
        document = world.shown_in(answer)
        assert not document
    assert len(world.gateway.store.history) == reads
    assert len(world.gateway.workflow.runs) == 1


@pytest.mark.parametrize("credential", ["revoked", "expired", "never made"])
@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_a_dead_key_reaches_nothing(method: str, path: str, credential: str) -> None:
    world = World()
    key, text = issue("dead", world.gateway.clock.now(), owner=world.first.id)
    if credential == "revoked":
        world.gateway.keys.put(replace(key, revoked_at=1.0))
    if credential == "expired":
        world.gateway.keys.put(replace(key, expires_at=world.gateway.clock.now()))
    answer = world.call(method, path, authorization=f"Bearer {text}")
    is_refusal(answer, path, 401)
    assert text not in answer.text
    assert key.id not in answer.text


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("dialect", START)
@pytest.mark.parametrize(("method", "path"), OF_ONE)
def test_a_foreign_operation_does_not_exist(method: str, path: str, dialect: str, state: str) -> None:
    world = World(dialect, state)
    before = dict(world.gateway.store.documents), dict(world.gateway.images.objects)
    foreign = world.call(method, path, authorization=f"Bearer {world.second_key}")
    is_refusal(foreign, path, 404)
    absent_id = "0" * 20
    real_id, world.operation_id = world.operation_id, absent_id
    absent = world.call(method, path, authorization=f"Bearer {world.second_key}")
    assert foreign.text.replace(real_id, absent_id) == absent.text, "a foreign one answers as one that never was"
    assert (foreign.status, set(foreign.headers)) == (absent.status, set(absent.headers))
    assert before == (world.gateway.store.documents, world.gateway.images.objects)
    assert len(world.gateway.workflow.runs) == 1


@pytest.mark.parametrize("dialect", START)
@pytest.mark.parametrize(("method", "path"), SHARED)
def test_shared_routes_show_nothing_foreign(method: str, path: str, dialect: str) -> None:
    world = World(dialect)
    headers = {"authorization": f"Bearer {world.second_key}", "prefer": "wait=0", "x-stainless-retry-count": "1"}
    answer = world.call(method, path, **headers)
    assert answer.status != 401
    assert [mark for mark in world.shown_in(answer) if mark != SECRET_WORDS or method == "GET"] == []


def test_lists_of_two_owners_neither_mix_nor_count_the_other() -> None:
    world = World()
    call = world.gateway.call
    for at in range(30):
        call("POST", "/v1/operations", {"model": "flux", "prompt": str(at)}, authorization=f"Bearer {world.first_key}")
        world.gateway.clock.sleep(1)
    own = call("POST", "/v1/operations", BODIES["operations"], authorization=f"Bearer {world.second_key}").json()
    page = call("GET", "/v1/operations?page_size=1", authorization=f"Bearer {world.second_key}").json()
    assert [entry["id"] for entry in page["operations"]] == [own["id"]]
    assert page["next_page_token"] is None


@pytest.mark.parametrize("path", [START["openai_images"], START["operations"]])
def test_two_owners_with_one_body_and_one_idempotency_key_have_two_operations(path: str) -> None:
    world = World()
    headers = {"idempotency-key": "k", "prefer": "respond-async", "x-stainless-retry-count": "1"}
    body = {"model": "flux", "prompt": "the same"}
    made = [
        world.gateway.call("POST", path, body, authorization=f"Bearer {key}", **headers).json()["id"]
        for key in (world.first_key, world.second_key, world.first_key, world.second_key)
    ]
    assert made[:2] == made[2:]
    assert len(set(made)) == 2


def test_the_application_has_no_route_that_this_file_cannot_see() -> None:
    routes = create_app(Gateway().services).routes
    assert all(
        isinstance(route, APIRoute) or {("GET", route.path), ("HEAD", route.path)} <= {*OPEN}  # type: ignore[attr-defined]
        for route in routes
    )


@pytest.mark.parametrize("link", ["hop", "picture"])
@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_a_links_token_opens_its_own_path_and_no_other(method: str, path: str, link: str) -> None:
    world = World()
    services, [operation] = world.gateway.services, map(world.gateway.store.get, world.gateway.store.documents)
    assert operation
    waiting = WaitPass.begin(world.gateway.keys.keys[operation.owner], world.gateway.clock.now())
    signed = services.hop_links(operation, 1, waiting) if link == "hop" else services.picture_link(operation, 0)
    own, _, query = signed.partition("?")
    answer = world.gateway.call(method, f"{world.filled(path)}?{query}", BODIES["openai_images"])
    if world.filled(path) == own:
        assert answer.status in (200, 302)
    else:
        is_refusal(answer, path, 401)


@pytest.mark.parametrize("dialect", START)
@pytest.mark.parametrize(("method", "path"), OF_ONE)
def test_a_foreign_operation_takes_as_much_work_as_none(method: str, path: str, dialect: str) -> None:
    """The same calls of the same ports in the same order, so that their duration reveals nothing."""
    world = World(dialect)
    calls = noted(world.gateway.store, world.gateway.images, world.gateway.workflow)
    world.call(method, path, authorization=f"Bearer {world.second_key}")
    foreign = calls.copy()
    calls.clear()
    world.operation_id = "0" * 20
    world.call(method, path, authorization=f"Bearer {world.second_key}")
    assert foreign == calls
    assert [name for name in calls if name != "get"] == []


def noted(*ports: Any) -> list[str]:
    """Record the names of the ports' methods that are called."""
    calls: list[str] = []

    def noting(method: Any) -> Any:
        def called(*arguments: Any, **options: Any) -> Any:
            calls.append(method.__name__)
            return method(*arguments, **options)

        return called

    for port in ports:
        for name in (name for name in dir(port) if not name.startswith("_") and callable(getattr(port, name))):
            setattr(port, name, noting(getattr(port, name)))
    return calls


@pytest.mark.parametrize("query", ["", "?page_size=1", "?state=succeeded", "?model=flux&page_size=100"])
def test_a_list_takes_as_much_work_however_much_others_have(query: str) -> None:
    world = World()
    calls = noted(world.gateway.store, world.gateway.images)
    before = world.gateway.call("GET", f"/v1/operations{query}", authorization=f"Bearer {world.second_key}")
    few = calls.copy()
    for at in range(200):
        body = {"model": "flux", "prompt": str(at)}
        world.gateway.call("POST", "/v1/operations", body, authorization=f"Bearer {world.first_key}")
    calls.clear()
    after = world.gateway.call("GET", f"/v1/operations{query}", authorization=f"Bearer {world.second_key}")
    assert (after.text, calls) == (before.text, few)
