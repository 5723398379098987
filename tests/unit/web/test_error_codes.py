"""Every error code of docs/errors.md is what some request over HTTP is answered with, in the status that stands there.

A code that is added to the code appears in the generated page, and fails here until it has a request.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imagegate.domain.access.api_key import KeyLimits
from imagegate.domain.errors import Conflict
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.ids import new_id
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.picture import Picture
from imagegate.web.http import LARGEST_BODY
from support.gateway import Answered, Gateway

PAGE = Path(__file__).parents[3] / "docs" / "errors.md"
IMAGES, NATIVE, YANDEX = "/v1/images/generations", "/v1/operations", "/foundationModels/v1/imageGenerationAsync"
BODIES: Mapping[str, Any] = {
    IMAGES: {"prompt": "a cat", "model": "flux"},
    NATIVE: {"prompt": "a cat", "model": "flux"},
    YANDEX: {"modelUri": "art://f/flux/latest", "messages": [{"text": "a cat"}]},
}
OTHER: Mapping[str, Any] = {IMAGES: {"seed": 1}, NATIVE: {"seed": 1}, YANDEX: {"generationOptions": {"seed": 1}}}
"""The fields that change each request."""
COLUMNS = {IMAGES: 0, YANDEX: 1, NATIVE: 2}
"""The column of each dialect in the page's tables."""
Request = Callable[[Gateway], Answered]
NOBODYS = "0" * 20


def documented(section: str) -> dict[str, list[str]]:
    """Code to the other cells, of a table of the page."""
    text = PAGE.read_text().partition(f"## {section}\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in text.splitlines() if line[:3] == "| `"]
    return {row[0].strip("`"): row[1:] for row in rows}


def started(gateway: Gateway, path: str = NATIVE, **headers: str) -> Operation:
    """Start an operation through that path."""
    gateway.call("POST", path, BODIES[path], **({"prefer": "respond-async"} | headers))
    stored = gateway.store.get(max(gateway.store.documents))
    assert stored
    return stored


def ended(gateway: Gateway, operation: Operation, state: State, failure: Failure | None = None) -> Operation:
    """Read the ended operation."""
    moved = operation.moved(State.RUNNING, 1.0).moved(state, gateway.clock.now(), failure=failure)
    gateway.store.replace(replace(moved, version=operation.version + 1))
    return moved


def posted(path: str, **fields: Any) -> Request:
    return lambda gateway: gateway.call("POST", path, BODIES[path] | fields)


def compressed_otherwise(path: str) -> Request:
    return lambda gateway: gateway.call("POST", path, BODIES[path], content_encoding="zstd")


def got(path: str) -> Request:
    return lambda gateway: gateway.call("GET", path)


def long_ago(path: str) -> Request:
    return lambda gateway: gateway.call("GET", path.format(new_id(gateway.clock.now() - 31 * 86_400)))


def with_key_for_another_model(path: str) -> Request:
    def call(gateway: Gateway) -> Answered:
        closed = replace(gateway, access="keys")
        _, text = closed.key(models=frozenset({"another"}))
        return closed.call("POST", path, BODIES[path], x_api_key=text)

    return call


def without_a_key_of_the_upstreams(path: str) -> Request:
    return lambda gateway: replace(gateway, routes=gateway.routes.knowing(lambda target: ["ALPHA_KEY"])).call(
        "POST", path, BODIES[path]
    )


def without_key(path: str) -> Request:
    return lambda gateway: replace(gateway, access="keys").call("POST", path, BODIES[path])


def retried_while_it_runs(gateway: Gateway) -> Answered:
    return gateway.call("POST", f"{NATIVE}/{started(gateway).id}:retry")


def another_body_under_one_key(path: str) -> Request:
    def call(gateway: Gateway) -> Answered:
        started(gateway, path, idempotency_key="k")
        return gateway.call("POST", path, BODIES[path] | OTHER[path], idempotency_key="k")

    return call


def expanded_by_nobody(path: str) -> Request:
    # YandexART's clients say so in the header, the others in the body.
    body = BODIES[path] | ({} if path == YANDEX else {"expand": True})
    return lambda gateway: replace(gateway, expands=False).call("POST", path, body, x_imagegate_expand="true")


def a_picture_too_many(gateway: Gateway) -> Answered:
    return gateway.call("GET", f"/v1/images/{started(gateway).id}-9")


def overtaken(path: str) -> Request:
    def lost(*_: Any) -> None:
        raise Conflict("by others")

    def call(gateway: Gateway) -> Answered:
        gateway.store.create = lost  # type: ignore[method-assign]
        return gateway.call("POST", path, BODIES[path])

    return call


def beyond_the_limit(path: str, **limits: int) -> Request:
    def call(gateway: Gateway) -> Answered:
        closed = replace(gateway, access="keys")
        _, text = closed.key(limits=KeyLimits(**limits))
        closed.call("POST", path, BODIES[path], x_api_key=text, prefer="respond-async")
        return closed.call("POST", path, BODIES[path] | ({} if path != IMAGES else {"seed": 1}), x_api_key=text)

    return call


REFUSED: list[tuple[str, str, Request]] = [
    *(("conflict", path, overtaken(path)) for path in BODIES),
    ("expansion_unavailable", IMAGES, expanded_by_nobody(IMAGES)),
    ("expansion_unavailable", NATIVE, expanded_by_nobody(NATIVE)),
    ("expansion_unavailable", YANDEX, expanded_by_nobody(YANDEX)),
    ("gone", IMAGES, long_ago("/v1/operations/{}/wait?hop=1")),
    ("gone", NATIVE, long_ago("/v1/operations/{}")),
    ("gone", YANDEX, long_ago("/operations/{}")),
    *(("idempotency_key_reused", path, another_body_under_one_key(path)) for path in BODIES),
    ("image_not_found", NATIVE, a_picture_too_many),
    *(("insufficient_quota", path, beyond_the_limit(path, pictures_per_day=1)) for path in BODIES),
    ("invalid_api_key", IMAGES, without_key(IMAGES)),
    ("invalid_api_key", NATIVE, without_key(NATIVE)),
    ("invalid_api_key", YANDEX, without_key(YANDEX)),
    ("invalid_request", IMAGES, posted(IMAGES, n=99)),
    ("invalid_request", NATIVE, posted(NATIVE, n=99)),
    ("invalid_request", YANDEX, posted(YANDEX, messages=[])),
    ("model_not_allowed", IMAGES, with_key_for_another_model(IMAGES)),
    ("model_not_allowed", NATIVE, with_key_for_another_model(NATIVE)),
    ("model_not_allowed", YANDEX, with_key_for_another_model(YANDEX)),
    *(("model_not_available", path, without_a_key_of_the_upstreams(path)) for path in BODIES),
    ("model_not_found", IMAGES, posted(IMAGES, model="nope")),
    ("model_not_found", NATIVE, posted(NATIVE, model="nope")),
    ("model_not_found", YANDEX, posted(YANDEX, modelUri="art://f/nope/latest")),
    ("operation_not_found", IMAGES, got(f"/v1/operations/{NOBODYS}/wait?hop=1")),
    ("operation_not_found", NATIVE, got(f"/v1/operations/{NOBODYS}")),
    ("operation_not_found", YANDEX, got(f"/operations/{NOBODYS}")),
    ("provider_not_found", IMAGES, posted(IMAGES, provider="unknown")),
    ("provider_not_found", NATIVE, posted(NATIVE, provider="unknown")),
    *(("rate_limit_exceeded", path, beyond_the_limit(path, requests_per_minute=1)) for path in BODIES),
    ("request_too_large", IMAGES, posted(IMAGES, user="u" * 2**20)),
    ("request_too_large", NATIVE, posted(NATIVE, metadata={"a": "b" * 2**20})),
    ("request_too_large", YANDEX, posted(YANDEX, messages=[{"text": "a" * 2**20}])),
    *(("unsupported_encoding", path, compressed_otherwise(path)) for path in BODIES),
    ("webhook_refused", IMAGES, posted(IMAGES, webhook={"url": "https://127.0.0.1/"})),
    ("webhook_refused", NATIVE, posted(NATIVE, webhook={"url": "https://127.0.0.1/"})),
    ("wrong_state", NATIVE, retried_while_it_runs),
]


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


def code_in(answer: Answered) -> Any:
    """The code of an error body of any dialect; YandexART's is a number."""
    body = answer.json()
    return body["error"]["code"] if isinstance(body.get("error"), dict) else body["code"]


@pytest.mark.parametrize(("code", "dialect", "request_"), REFUSED, ids=[f"{code} {at}" for code, at, _ in REFUSED])
def test_a_refusal_is_what_the_page_says(gateway: Gateway, code: str, dialect: str, request_: Request) -> None:
    answer = request_(gateway)
    cell = documented("Refused requests")[code][COLUMNS[dialect]]
    status, *number = map(int, re.findall(r"\d+", cell))
    assert (answer.status, code_in(answer)) == (status, number[0] if number else code), answer.text


def test_every_refusal_of_the_page_is_here() -> None:
    assert {code for code, _, _ in REFUSED} == set(documented("Refused requests"))


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("code", FailureCode)
def test_a_failure_is_what_the_page_says(gateway: Gateway, code: FailureCode, path: str) -> None:
    cells = documented("Operations that failed")
    assert set(cells) == set(FailureCode)
    operation = ended(gateway, started(gateway, path), State.FAILED, Failure(code, "because"))
    answer = gateway.call("GET", f"/operations/{operation.id}" if path == YANDEX else f"{NATIVE}/{operation.id}/wait")
    status, *text = re.findall(r"[\w]+", cells[code][COLUMNS[path]])
    assert answer.status == int(status)
    expected = {IMAGES: text[-1], NATIVE: str(code), YANDEX: int(text[-1]) if text[-1].isdigit() else None}[path]
    assert answer.json()["error"]["code"] == expected
    assert answer.json()["error"]["message"].startswith("because")


def broken(gateway: Gateway) -> Answered:
    gateway.store.documents = None  # type: ignore[assignment]
    return gateway.call("GET", f"{NATIVE}/{NOBODYS}")


def pending(gateway: Gateway) -> Answered:
    return gateway.call("GET", f"{NATIVE}/{started(gateway, IMAGES).id}/wait?hop=50")


def too_large_for_one_answer(gateway: Gateway) -> Answered:
    unled = replace(gateway, redirects=False)
    large = b"x" * (LARGEST_BODY * 3 // 4)
    operation = started(unled, IMAGES)
    unled.images.put("images/large", large, "image/png")
    made = Picture(
        slot=0,
        key="images/large",
        sha256="s",
        content_type="image/png",
        width=64,
        height=48,
        bytes=len(large),
        provider="alpha",
    )
    running = (
        operation.moved(State.RUNNING, unled.clock.now()).with_pictures((made,)).complete_if_done(unled.clock.now())
    )
    whole = replace(running, version=operation.version + 1, reply={"response_format": "b64_json"})
    unled.store.replace(whole)
    return unled.call("POST", IMAGES, BODIES[IMAGES], x_stainless_retry_count="1")


FRONT: Mapping[str, tuple[int, Request]] = {
    "answer_too_large": (422, too_large_for_one_answer),
    "operation_pending": (504, pending),
    "no_such_route": (404, got("/v1/operations/a/b")),
    "method_not_allowed": (405, lambda gateway: gateway.call("PUT", NATIVE)),
    "internal": (500, broken),
}


OPENAIS = {"operation_pending", "answer_too_large"}
"""Codes that only OpenAI's dialect has."""


@pytest.mark.parametrize("code", FRONT)
def test_what_the_front_says_itself_is_what_the_page_says(gateway: Gateway, code: str) -> None:
    status, request = FRONT[code]
    answer = request(gateway)
    assert (answer.status, code_in(answer)) == (status, code)
    assert str(status) in documented("Everything else")[code][COLUMNS[IMAGES if code in OPENAIS else NATIVE]]


@pytest.mark.parametrize(
    ("method", "path", "takes"),
    [
        ("DELETE", "/v1/responses/resp_0", "GET, HEAD"),
        ("GET", "/v1/chat/completions", "POST"),
        ("PUT", NATIVE, "GET, HEAD, POST"),
        ("GET", "/foundationModels/v1/imageGenerationAsync", "POST"),
        ("GET", "/mcp", "POST"),
    ],
)
def test_a_method_that_a_path_does_not_take_is_told_which_it_takes(
    gateway: Gateway, method: str, path: str, takes: str
) -> None:
    answer = gateway.call(method, path)
    assert (answer.status, answer.headers["allow"]) == (405, takes)
    assert f"{method} {path}: Method Not Allowed. This path takes {takes}." in answer.text


def test_everything_else_of_the_page_is_here() -> None:
    assert set(FRONT) == set(documented("Everything else"))
