"""The HTTP front: routes, dialects, errors."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.operation import State
from imagegate.domain.operation.picture import Picture
from imagegate.domain.timing.long_poll import HOP_SHARE
from support.fakes import picture
from support.gateway import Gateway

GENERATIONS = "/v1/images/generations"
YANDEX = "/foundationModels/v1/imageGenerationAsync"
YANDEX_BODY = {"modelUri": "art://f/flux/latest", "messages": [{"text": "a cat"}]}


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


def finish(gateway: Gateway, after: float, **changes: Any) -> None:
    """Let the only operation end `after` seconds of the clock."""
    sleep, began = gateway.clock.sleep, gateway.clock.now()

    def sleeping(seconds: float) -> None:
        sleep(seconds)
        [text] = [gateway.store.get(operation_id) for operation_id in gateway.store.documents]
        if gateway.clock.now() - began >= after and text and not text.done:
            end(gateway, text.id, **changes)

    gateway.clock.sleep = sleeping  # type: ignore[method-assign]


def end(gateway: Gateway, operation_id: str, failure: Failure | None = None) -> None:
    found = gateway.store.get(operation_id)
    assert found
    now = gateway.clock.now()
    running = found.moved(State.RUNNING, now)
    if failure:
        ended = running.moved(State.FAILED, now, failure=failure)
    else:
        gateway.images.put("images/k.png", picture(), "image/png")
        kept = Picture(
            slot=0,
            key="images/k.png",
            sha256="s",
            content_type="image/png",
            width=64,
            height=48,
            bytes=len(picture()),
            provider="beta",
            seed=7,
        )
        ended = running.with_pictures((kept,)).complete_if_done(now)
    gateway.store.replace(replace(ended, version=found.version + 1))


@pytest.mark.parametrize(
    "path", [GENERATIONS, "/v1/images/generate", "/v1/media/generate", "/api/beta/images/generations"]
)
def test_a_picture_within_the_hold_is_an_ordinary_answer(gateway: Gateway, path: str) -> None:
    finish(gateway, after=4)
    answer = gateway.call("POST", path, {"prompt": "a cat", "model": "flux", "response_format": None})
    assert answer.status == 200
    body = answer.json()
    assert body["data"] == [{"url": "https://bucket.invalid/images/k.png?signed"}]
    assert (body["model"], body["provider"]) == ("flux", "beta")
    assert answer.headers["x-request-id"] == "request-1"
    assert answer.headers["cache-control"] == "no-store"


def test_bytes_are_those_of_the_stored_picture(gateway: Gateway) -> None:
    finish(gateway, after=1)
    body = gateway.call("POST", GENERATIONS, {"prompt": "a cat", "response_format": "b64_json"}).json()
    assert base64.b64decode(body["data"][0]["b64_json"]) == picture()
    assert set(body["data"][0]) == {"b64_json"}


def test_the_provider_of_g4fs_path_is_insisted_on(gateway: Gateway) -> None:
    answer = gateway.call("POST", "/api/gamma/images/generations", {"prompt": "a cat"})
    assert (answer.status, answer.json()["error"]["param"]) == (404, "provider")


def test_a_longer_generation_is_a_redirect_to_wait(gateway: Gateway) -> None:
    answer = gateway.call("POST", GENERATIONS, {"prompt": "a cat"}, user_agent="OpenAI/Python 3.52.0")
    [operation_id] = gateway.store.documents
    assert answer.status == 303
    assert answer.headers["location"] == f"/v1/operations/{operation_id}/wait?hop=1"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_wait_route_answers_in_the_dialect_that_asked(gateway: Gateway, method: str) -> None:
    gateway.call("POST", GENERATIONS, {"prompt": "a cat"})
    [operation_id] = gateway.store.documents
    finish(gateway, after=10)
    answer = gateway.call(method, f"/v1/operations/{operation_id}/wait?hop=1")
    assert answer.status == 200
    assert answer.json()["operation_id"] == operation_id


@pytest.mark.parametrize(
    ("agent", "hops", "status"),
    [("OpenAI/Python 3", 19, 503), ("Python/3 aiohttp/3", 8, 504), ("python-requests/2", 28, 504)],
)
def test_patience_ends_with_a_true_word(gateway: Gateway, agent: str, hops: int, status: int) -> None:
    answer = gateway.call("POST", GENERATIONS, {"prompt": "a cat"}, user_agent=agent)
    seen = []
    while answer.status == 303:
        seen.append(answer.headers["location"])
        answer = gateway.call("GET", answer.headers["location"], user_agent=agent)
    assert len(set(seen)) == hops
    assert answer.status == status
    assert answer.json()["error"]["code"] == "operation_pending"
    assert answer.json()["operation_id"] in answer.headers["location"]
    assert answer.headers["retry-after"] == "30"
    assert answer.headers.get("x-should-retry") == ("true" if status == 503 else None)
    assert len(gateway.store.documents) == 1


def test_a_held_request_never_outstays_the_gateways_thirty_seconds(gateway: Gateway) -> None:
    began = gateway.clock.now()
    location = gateway.call("POST", GENERATIONS, {"prompt": "a cat"}).headers["location"]
    assert gateway.clock.now() - began == pytest.approx(25)
    gateway.call("GET", location)
    assert gateway.clock.now() - began == pytest.approx(25 + 25 * HOP_SHARE)


@pytest.mark.parametrize("response_format", ["url", "b64_json"])
def test_who_comes_for_the_picture_too_late_is_told_so(gateway: Gateway, response_format: str) -> None:
    body = {"prompt": "a cat", "response_format": response_format}
    operation_id = gateway.call("POST", GENERATIONS, body, prefer="respond-async").json()["id"]
    end(gateway, operation_id)
    gateway.images.objects.clear()
    gateway.clock.sleep(7 * 86_400 + 1)
    answer = gateway.call("GET", f"/v1/operations/{operation_id}/wait")
    assert (answer.status, answer.json()["error"]["code"]) == (410, "gone")
    assert gateway.call("GET", f"/v1/operations/{operation_id}").status == 200


def test_bytes_that_the_bucket_no_longer_has_are_gone_and_no_breakdown(gateway: Gateway) -> None:
    body = {"prompt": "a cat", "response_format": "b64_json"}
    operation_id = gateway.call("POST", GENERATIONS, body, prefer="respond-async").json()["id"]
    end(gateway, operation_id)
    gateway.images.objects.clear()
    answer = gateway.call("GET", f"/v1/operations/{operation_id}/wait")
    assert (answer.status, answer.json()["error"]["code"]) == (410, "gone")
    assert operation_id in answer.json()["error"]["message"]
    [written_at] = gateway.images.ages.values()
    assert written_at == gateway.store.history[0].created_at


def test_a_failed_generation(gateway: Gateway) -> None:
    finish(gateway, after=1, failure=Failure(FailureCode.CONTENT_FILTERED, "not that"))
    answer = gateway.call("POST", GENERATIONS, {"prompt": "a cat"})
    assert answer.status == 400
    assert answer.headers["x-should-retry"] == "false"
    assert answer.json()["error"] == {
        "message": "not that. Change the prompt, or name another provider or model.",
        "type": "image_generation_user_error",
        "param": None,
        "code": "moderation_blocked",
    }


def test_models(gateway: Gateway) -> None:
    listed = gateway.call("GET", "/v1/models").json()
    assert listed["object"] == "list"
    assert gateway.call("GET", "/v1/models/flux").json() == listed["data"][0]
    missing = gateway.call("GET", "/v1/models/nope")
    assert (missing.status, missing.json()["error"]["code"]) == (404, "model_not_found")


def test_yandexart_from_the_first_answer_to_the_picture(gateway: Gateway) -> None:
    started = gateway.call(
        "POST", YANDEX, YANDEX_BODY, authorization="Bearer x", content_type="application/x-www-form-urlencoded"
    )
    assert started.status == 200
    assert started.json()["done"] is False
    operation_id = started.json()["id"]
    assert gateway.call("GET", f"/operations/{operation_id}").text == started.text
    end(gateway, operation_id)
    finished = gateway.call("GET", f"/operations/{operation_id}").json()
    assert base64.b64decode(finished["response"]["image"]) == picture()


def test_a_yandexart_failure_is_inside_the_operation(gateway: Gateway) -> None:
    operation_id = gateway.call("POST", YANDEX, YANDEX_BODY).json()["id"]
    end(gateway, operation_id, Failure(FailureCode.CONTENT_FILTERED, "not that"))
    answer = gateway.call("GET", f"/operations/{operation_id}")
    assert answer.status == 200
    message = "not that. Change the prompt, or name another provider or model."
    assert answer.json()["error"] == {"code": 3, "message": message, "details": []}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/operations", "GET, HEAD, POST"),
        ("PUT", f"/v1/operations/{'0' * 20}", "DELETE, GET, HEAD"),
        ("DELETE", f"/v1/operations/{'0' * 20}/wait", "GET, HEAD, POST"),
        ("GET", GENERATIONS, "POST"),
        ("HEAD", GENERATIONS, "POST"),
        ("DELETE", "/v1/images/edits", "POST"),
        ("POST", f"/v1/images/{'0' * 20}-0", "GET, HEAD"),
        ("PUT", "/v1/models/a/b", "GET, HEAD, POST"),
        ("GET", f"/v1/operations/{'0' * 20}:cancel", "POST"),
        ("HEAD", f"/v1/operations/{'0' * 20}:cancel", "POST"),
        ("DELETE", f"/v1/operations/{'0' * 20}:retry", "POST"),
        ("PUT", f"/v1/operations/{'0' * 20}:redeliver", "POST"),
        ("DELETE", f"/operations/{'0' * 20}:cancel", "GET, HEAD, POST"),
        ("POST", f"/operations/{'0' * 20}", "GET, HEAD"),
        ("GET", f"/v1/responses/resp_{'0' * 20}/cancel", "POST"),
        ("POST", "/openapi.json", "GET, HEAD"),
    ],
)
def test_a_method_that_is_not_there_is_told_which_are(gateway: Gateway, method: str, path: str, allowed: str) -> None:
    answer = gateway.call(method, path)
    assert (answer.status, answer.headers["allow"]) == (405, allowed)


def test_head_is_get_without_the_body(gateway: Gateway) -> None:
    operation_id = gateway.call("POST", GENERATIONS, {"prompt": "a cat"}, prefer="respond-async").json()["id"]
    end(gateway, operation_id)
    paths = ["/v1/models", "/v1/models/nope", f"/v1/operations/{operation_id}", "/no"]
    for path in (*paths, f"/v1/operations/{operation_id}/wait", "/docs", "/openapi.json"):
        got, head = gateway.call("GET", path), gateway.call("HEAD", path)
        assert (head.status, head.text) == (got.status, "")
        assert head.headers == got.headers


OPENAI = {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", GENERATIONS, b"{", 400),
        ("POST", GENERATIONS, {}, 400),
        ("POST", GENERATIONS, {"prompt": "x", "model": "nope"}, 404),
        ("GET", GENERATIONS, None, 405),
        ("GET", "/v1/operations/00000000000000000000/wait?hop=1", None, 404),
        ("GET", "/v1/operations/00000000000000000000/wait?hop=x", None, 400),
        ("GET", "/nowhere", None, 404),
        ("PUT", "/", None, 405),
    ],
)
def test_openai_errors_have_four_keys(gateway: Gateway, method: str, path: str, body: Any, status: int) -> None:
    answer = gateway.call(method, path, body)
    assert answer.status == status
    assert set(answer.json()["error"]) == OPENAI
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("kind", ["generations", "generate", "edits", "variations"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_slash_too_many_makes_no_difference(gateway: Gateway, method: str, kind: str) -> None:
    answer = gateway.call(method, f"/v1/images/{kind}/", {})
    assert (answer.status, set(answer.json()["error"])) == (400 if method == "POST" else 405, OPENAI)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/operations/00000000000000000000/wait", 404, "operation_not_found"),
        ("/v1/operations/00000000000000000000/wait?shop=1", 400, "invalid_request"),
        ("/v1/operations/", 404, "no_such_route"),
        ("/v1/images/none/", 404, "no_such_route"),
    ],
)
def test_who_was_not_sent_by_openais_dialect_is_answered_in_our_own(
    gateway: Gateway, path: str, status: int, code: str
) -> None:
    answer = gateway.call("GET", path)
    assert (answer.status, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", YANDEX, b"{", 400, 3),
        ("POST", YANDEX, {}, 400, 3),
        ("POST", YANDEX, YANDEX_BODY | {"modelUri": "art://f/nope"}, 400, 3),
        ("GET", "/operations/fbveu1sntj0000000000", None, 404, 5),
        ("GET", "/operations/short", None, 404, 5),
        ("GET", "/foundationModels/v1/nowhere", None, 404, 5),
    ],
)
def test_yandexart_errors(gateway: Gateway, method: str, path: str, body: Any, status: int, code: int) -> None:
    answer = gateway.call(method, path, body)
    assert answer.status == status
    document = answer.json()
    assert document["code"] == code
    assert document["error"] == document["message"]


@pytest.mark.parametrize(("path", "body"), [(GENERATIONS, {"prompt": "x"}), (YANDEX, YANDEX_BODY)])
def test_a_breakdown_is_told_in_the_dialect_without_details(
    gateway: Gateway, path: str, body: Any, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.store.create = lambda *_: (_ for _ in ()).throw(RuntimeError("s3cret detail"))  # type: ignore[method-assign]
    answer = gateway.call("POST", path, body)
    assert answer.status == 500
    assert "request-1" in answer.text
    assert "s3cret" not in answer.text
    assert json.loads(answer.text)["error"]
    assert "s3cret" in caplog.text
    assert answer.headers["x-request-id"] == "request-1"
    assert ("x-server-trace-id" in answer.headers) == (path == YANDEX)


def test_a_breakdown_before_any_route_has_its_request_id_too() -> None:
    gateway = Gateway(access="keys")
    _, text = gateway.key()
    gateway.keys.get = lambda _: (_ for _ in ()).throw(RuntimeError("down"))  # type: ignore[method-assign]
    answer = gateway.call("GET", "/v1/models", x_api_key=text)
    assert (answer.status, answer.headers["x-request-id"]) == (500, "request-1")
