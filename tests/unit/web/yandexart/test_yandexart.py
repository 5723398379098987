"""YandexART's API at the HTTP front, as its clients use it (docs/protocols/yandexart.md)."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from imagegate.dialects.yandexart import responses as yandexart_responses
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.events import Event
from imagegate.domain.operation.ids import new_id
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.picture import Picture
from imagegate.web.http import LARGEST_BODY
from support.fakes import picture
from support.gateway import Answered, Gateway

START = "/foundationModels/v1/imageGenerationAsync"
PROMPT = "a marked prompt"
BODY = {
    "modelUri": "art://b1g/flux/latest",
    "generationOptions": {"seed": "1863", "aspectRatio": {"widthRatio": "2", "heightRatio": "1"}},
    "messages": [{"weight": "1", "text": PROMPT}, {"weight": "-1", "text": "fog"}],
}
PENDING = {"id", "description", "createdAt", "createdBy", "modifiedAt", "done", "metadata"}
JPEG = picture(output_format="jpeg")
DAY = 86_400.0


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


def begin(gateway: Gateway, body: Any = BODY, **headers: str) -> str:
    answer = gateway.call("POST", START, body, **headers)
    assert answer.status == 200, answer.text
    return str(answer.json()["id"])


def stored(gateway: Gateway, operation_id: str) -> Operation:
    found = gateway.store.get(operation_id)
    assert found
    return found


def write(gateway: Gateway, operation: Operation) -> None:
    gateway.store.replace(replace(operation, version=operation.version + 1))


def succeed(gateway: Gateway, operation_id: str, body: bytes = JPEG) -> None:
    now, found = gateway.clock.now(), stored(gateway, operation_id)
    gateway.images.put(f"images/{operation_id}", body, "image/jpeg")
    kept = Picture(
        slot=0,
        key=f"images/{operation_id}",
        sha256="s",
        content_type="image/jpeg",
        width=64,
        height=48,
        bytes=len(body),
        provider="alpha",
        seed=7,
    )
    attempt = Attempt(
        number=1,
        provider="alpha",
        model="m",
        slots=(0,),
        state=AttemptState.DONE,
        started_at=now,
        ended_at=now,
        not_honoured=("negative_weight",),
    )
    write(gateway, found.moved(State.RUNNING, now).with_attempt(attempt).with_pictures((kept,)).complete_if_done(now))


def fail(gateway: Gateway, operation_id: str, code: FailureCode = FailureCode.CONTENT_FILTERED) -> None:
    now, found = gateway.clock.now(), stored(gateway, operation_id)
    write(gateway, found.moved(State.FAILED, now, failure=Failure(code, "not that")))


def until_response_is_there(look: Callable[[], Any]) -> bytes:
    """The loop most scripts have."""
    while True:
        result = look()
        if "response" in result:
            return base64.b64decode(result["response"]["image"])


def until_done_is_true(look: Callable[[], Any]) -> bytes:
    """The other loop."""
    result = look()
    while not result["done"]:
        result = look()
    return base64.b64decode(result["response"]["image"])


@pytest.mark.parametrize("wait", [until_response_is_there, until_done_is_true])
def test_naive_clients(gateway: Gateway, wait: Callable[[Callable[[], Any]], bytes]) -> None:
    operation_id, poll_count = begin(gateway), 0

    def look() -> Any:
        nonlocal poll_count
        poll_count += 1
        if poll_count == 3:
            succeed(gateway, operation_id)
        return gateway.call("GET", f"/operations/{operation_id}").json()

    assert wait(look) == JPEG
    assert poll_count == 3


def test_a_pending_answer_says_in_a_header_when_to_ask(gateway: Gateway) -> None:
    first = gateway.call("POST", START, BODY)
    again = gateway.call("GET", f"/operations/{first.json()['id']}")
    assert first.text == again.text
    for answer in (first, again):
        assert set(answer.json()) == PENDING
        assert 1 <= int(answer.headers["retry-after"]) <= 59


def test_a_finished_answer_has_one_key_more_and_the_rest_in_headers(gateway: Gateway) -> None:
    operation_id = begin(gateway)
    succeed(gateway, operation_id)
    answer = gateway.call("GET", f"/operations/{operation_id}")
    assert set(answer.json()) == PENDING | {"response"}
    assert set(answer.json()["response"]) == {"@type", "image", "modelVersion"}
    assert answer.headers["x-imagegate-provider"] == "alpha"
    assert answer.headers["x-imagegate-seed"] == "7"
    assert answer.headers["x-imagegate-not-honoured"] == "negative_weight"
    assert "retry-after" not in answer.headers


def test_parameters_of_the_url_have_no_effect_and_are_named(gateway: Gateway) -> None:
    first = gateway.call("POST", f"{START}?folderId=b1g", BODY)
    path, told = f"/operations/{first.json()['id']}", "x-imagegate-not-honoured"
    assert stored(gateway, first.json()["id"]).request.unused_fields == ("folderId",)
    assert (first.headers[told], told in gateway.call("GET", path).headers) == ("folderId", False)
    assert gateway.call("GET", f"{path}?wait_ms=5&%C3%A4=1").headers[told] == ("wait_ms, %C3%A4")
    succeed(gateway, first.json()["id"])
    assert gateway.call("GET", f"{path}?a=1").headers[told] == "a, negative_weight"
    assert gateway.call("GET", f"{path}:cancel?force=true").headers[told] == "force, negative_weight"


def test_an_operation_that_was_there_a_moment_ago_is_found(gateway: Gateway) -> None:
    operation_id, get = begin(gateway), gateway.store.get
    gateway.store.get = lambda name, *, consistent=False: get(name) if consistent else None  # type: ignore[method-assign]
    assert gateway.call("GET", f"/operations/{operation_id}").status == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("verb", [":cancel", "%3Acancel"])
def test_cancel_by_either_verb(gateway: Gateway, method: str, verb: str) -> None:
    operation_id = begin(gateway)
    answer = gateway.call(method, f"/operations/{operation_id}{verb}")
    assert answer.status == 200
    assert set(answer.json()) == PENDING | {"error"}
    assert answer.json()["done"] is True
    assert answer.json()["error"] == {"code": 1, "message": "The operation was cancelled.", "details": []}
    assert gateway.call("GET", f"/operations/{operation_id}").text == answer.text
    assert gateway.call(method, f"/operations/{operation_id}{verb}").text == answer.text


def test_cancelling_what_has_ended_changes_nothing(gateway: Gateway) -> None:
    operation_id = begin(gateway)
    succeed(gateway, operation_id)
    cancelled = gateway.call("POST", f"/operations/{operation_id}:cancel")
    assert cancelled.text == gateway.call("GET", f"/operations/{operation_id}").text
    assert base64.b64decode(cancelled.json()["response"]["image"]) == JPEG


def test_cancelling_what_ends_at_that_moment(gateway: Gateway) -> None:
    operation_id, replaced = begin(gateway), gateway.store.replace

    def overtaken(operation: Operation, *more: Any) -> None:
        gateway.store.replace = replaced  # type: ignore[method-assign]
        fail(gateway, operation_id)
        gateway.store.replace(operation, *more)

    gateway.store.replace = overtaken  # type: ignore[method-assign]
    answer = gateway.call("GET", f"/operations/{operation_id}:cancel")
    assert (answer.status, answer.json()["error"]["code"]) == (200, 3)


@pytest.mark.parametrize("end", [succeed, fail])
def test_three_days_after_its_end_an_operation_is_gone(gateway: Gateway, end: Callable[[Gateway, str], None]) -> None:
    operation_id = begin(gateway)
    gateway.clock.sleep(DAY)
    end(gateway, operation_id)
    gateway.clock.sleep(3 * DAY - 1)
    assert gateway.call("GET", f"/operations/{operation_id}").status == 200
    gateway.clock.sleep(2)
    for path in (f"/operations/{operation_id}", f"/operations/{operation_id}:cancel"):
        answer = gateway.call("GET", path)
        assert (answer.status, answer.json()["code"]) == (404, 5)
    assert gateway.call("GET", f"/v1/operations/{operation_id}").status == 200


def test_a_picture_that_the_bucket_no_longer_has(gateway: Gateway) -> None:
    operation_id = begin(gateway)
    succeed(gateway, operation_id)
    gateway.images.objects.clear()
    answer = gateway.call("GET", f"/operations/{operation_id}")
    assert (answer.status, answer.json()["code"]) == (404, 5)


def test_operations_of_other_apis_are_not_this_ones(gateway: Gateway) -> None:
    native = gateway.call("POST", "/v1/operations", {"model": "flux", "prompt": "a cat"}).json()["id"]
    for method, path in [("GET", ""), ("GET", ":cancel"), ("POST", ":cancel")]:
        answer = gateway.call(method, f"/operations/{native}{path}")
        assert (answer.status, answer.json()["code"]) == (404, 5)
    assert stored(gateway, native).state is State.QUEUED


def test_an_idempotency_key_finds_its_operation_again(gateway: Gateway) -> None:
    first = gateway.call("POST", START, BODY, idempotency_key="k1")
    spaced = json.dumps(BODY, indent=4).encode()
    assert gateway.call("POST", START, spaced, idempotency_key="k1").text == first.text
    assert begin(gateway, idempotency_key="k2") != first.json()["id"]
    succeed(gateway, first.json()["id"])
    again = gateway.call("POST", START, BODY, idempotency_key="k1").json()
    assert (again["id"], again["done"]) == (first.json()["id"], True)
    assert len(gateway.store.documents) == 2


def test_without_a_key_the_same_request_is_a_second_order(gateway: Gateway) -> None:
    assert begin(gateway) != begin(gateway)


def test_an_idempotency_key_with_another_request(gateway: Gateway) -> None:
    begin(gateway, idempotency_key="k1")
    other = BODY | {"messages": [{"text": "a dog"}]}
    answer = gateway.call("POST", START, other, idempotency_key="k1")
    assert (answer.status, answer.json()["code"]) == (400, 9)
    assert len(gateway.store.documents) == 1


def test_ids_in_and_out(gateway: Gateway) -> None:
    answer = gateway.call("POST", START, BODY, x_client_request_id="c-1")
    assert answer.headers["x-request-id"] == answer.headers["x-server-trace-id"] == "request-1"
    assert answer.headers["x-client-request-id"] == "c-1"
    assert stored(gateway, answer.json()["id"]).metadata == {"client_request_id": "c-1"}
    traced = gateway.call(
        "GET", "/operations/none", x_amzn_trace_id="Root=1-67891233-abcdef012345678912345678;Sampled=1"
    )
    assert traced.status == 404
    assert traced.headers["x-server-trace-id"] == "1-67891233-abcdef012345678912345678"
    assert "x-client-request-id" not in traced.headers
    assert "x-server-trace-id" not in gateway.call("GET", "/v1/models").headers


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Api-Key", "Api-key", "api-key"])
def test_both_schemes_in_any_case(scheme: str) -> None:
    gateway = Gateway(access="keys")
    _, key = gateway.key()
    assert gateway.call("POST", START, BODY, authorization=f"{scheme} {key}").status == 200
    refused = gateway.call("POST", START, BODY, authorization=f"{scheme} wrong")
    assert (refused.status, refused.json()["code"]) == (401, 16)


def test_a_key_that_is_not_for_the_model() -> None:
    gateway = Gateway(access="keys")
    _, key = gateway.key(models=("other",))
    answer = gateway.call("POST", START, BODY, authorization=f"Api-Key {key}")
    assert (answer.status, answer.json()["code"]) == (403, 7)


@pytest.mark.parametrize("content_type", ["", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data"])
def test_the_body_is_read_whatever_its_content_type(gateway: Gateway, content_type: str) -> None:
    headers = {"content_type": content_type} if content_type else {}
    assert stored(gateway, begin(gateway, **headers)).request.seed == 1863


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", START, b"", 400, 3),
        ("POST", START, b"\xff\xfe{", 400, 3),
        ("POST", START, b"[" * 5000, 400, 3),
        ("POST", START, BODY | {"messages": [{"text": "x" * 1001}]}, 400, 3),
        ("GET", START, None, 405, 12),
        ("PUT", "/operations/x", None, 405, 12),
        ("GET", "/operations/", None, 404, 5),
        ("GET", "/operations/x/y", None, 404, 5),
        ("GET", "/operations/fbveu1sntj0000000000:cancel", None, 404, 5),
        ("POST", "/foundationModels/v1/completion", {}, 404, 5),
    ],
)
def test_errors_have_the_gateways_four_keys(
    gateway: Gateway, method: str, path: str, body: Any, status: int, code: int
) -> None:
    answer = gateway.call(method, path, body)
    document = answer.json()
    assert (answer.status, document["code"], document["details"]) == (status, code, [])
    assert set(document) == {"error", "code", "message", "details"}
    assert document["error"] == document["message"]
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("suffix", ["", ":cancel"])
def test_what_is_not_there_is_told_for_how_long_it_would_be_kept_here(gateway: Gateway, suffix: str) -> None:
    message = gateway.call("GET", f"/operations/{'0' * 20}{suffix}").json()["message"]
    assert message.endswith("does not exist. Check the id; ended operations are kept for 3 days.")
    aged = gateway.call("GET", f"/operations/{new_id(gateway.clock.now() - 31 * 86_400)}{suffix}")
    assert (aged.status, "30 days" in aged.text) == (404, False)


def test_a_picture_too_large_for_lambda_is_handed_out_by_s3(gateway: Gateway) -> None:
    operation_id = begin(gateway)
    succeed(gateway, operation_id, b"\xff\xd8" + b"x" * LARGEST_BODY)
    answer = gateway.call("GET", f"/operations/{operation_id}")
    assert answer.status == 303
    key = answer.headers["location"].removeprefix("https://bucket.invalid/").partition("?")[0]
    handed = json.loads(gateway.images.objects[key])
    assert set(handed) == PENDING | {"response"}
    assert len(base64.b64decode(handed["response"]["image"])) == LARGEST_BODY + 2


@pytest.mark.parametrize("end", [succeed, fail, None])
def test_words_that_are_not_to_be_kept(gateway: Gateway, end: Callable[[Gateway, str], None] | None) -> None:
    operation_id = begin(gateway, x_data_logging_enabled="false")
    assert stored(gateway, operation_id).request.prompt == PROMPT
    if end:
        end(gateway, operation_id)
    else:
        gateway.call("POST", f"/operations/{operation_id}:cancel")
    kept = stored(gateway, operation_id)
    assert (kept.request.messages, kept.request.seed) == ((), 1863)
    assert PROMPT not in gateway.store.documents[operation_id]
    announced = json.dumps([Event(operation).detail() for operation in gateway.store.history])
    assert PROMPT not in announced
    assert "fog" not in announced
    native = gateway.call("GET", f"/v1/operations/{operation_id}")
    assert native.json()["prompt"] is None
    assert gateway.call("GET", f"/operations/{operation_id}").status == 200


def test_what_was_forgotten_cannot_be_tried_again(gateway: Gateway) -> None:
    operation_id = begin(gateway, x_data_logging_enabled="false")
    fail(gateway, operation_id, FailureCode.UPSTREAM_FAILED)
    answer = gateway.call("POST", f"/v1/operations/{operation_id}:retry")
    assert (answer.status, answer.json()["code"]) == (409, "wrong_state")
    assert "was not kept" in answer.json()["detail"]
    assert stored(gateway, operation_id).state is State.FAILED


def test_words_are_kept_unless_told_otherwise(gateway: Gateway) -> None:
    operation_id = begin(gateway)
    fail(gateway, operation_id)
    assert gateway.call("GET", f"/v1/operations/{operation_id}").json()["prompt"] == PROMPT
    assert gateway.call("POST", f"/v1/operations/{operation_id}:retry").status == 202


def test_the_wait_route_answers_in_this_dialect(gateway: Gateway) -> None:
    operation_id = begin(gateway)
    succeed(gateway, operation_id)
    answer: Answered = gateway.call("GET", f"/v1/operations/{operation_id}/wait")
    assert answer.json()["response"]["@type"] == yandexart_responses.RESPONSE_TYPE
