"""YandexART's asynchronous API: requests built, operations understood (docs/protocols/yandexart.md)."""

import base64
import json
import uuid
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Failed, Pending, Ready, Ticket
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.upstreams import HttpResponse
from imagegate.providers.yandexart import YandexArt, build_body, parse_operation
from support.fakes import NoSecrets, ScriptedHttp

BASE = "https://llm.api.cloud.yandex.net"
ID = "fbveu1sntj0000000000"
STARTED = {
    "id": ID,
    "description": "",
    "createdAt": None,
    "createdBy": "",
    "modifiedAt": None,
    "done": False,
    "metadata": None,
}
"""The documented line."""

TYPE = "type.googleapis.com/yandex.cloud.ai.foundation_models.v1.image_generation.ImageGenerationResponse"
JPEG = b"\xff\xd8\xff\xd9"
IMAGE = {"@type": TYPE, "image": base64.b64encode(JPEG).decode(), "modelVersion": ""}
REFUSED = "it is not possible to generate an image from this request because it may violate the terms of use"


def answer(document: Any, status: int = 200, **headers: str) -> HttpResponse:
    return HttpResponse(status, headers, json.dumps(document).encode())


def gateway_error(status: int, code: int, text: str) -> HttpResponse:
    """grpc-gateway's body, as recorded."""
    return answer({"error": text, "code": code, "message": text, "details": []}, status)


def art(http: ScriptedHttp, **secrets: str) -> YandexArt:
    return YandexArt("yandexart", BASE, http, NoSecrets({"YC_API_KEY": "AQVN", "YC_FOLDER_ID": "b1g"} | secrets))


def request(*messages: Message, **changes: Any) -> ImageRequest:
    return replace(ImageRequest(model="yandex-art", messages=messages or (Message("a cat"),)), **changes)


def test_the_documented_request() -> None:
    pattern = Message("узор из цветных пастельных суккулентов", 1.0)
    upstream_request = UpstreamRequest(request=request(pattern, seed=1863, ratio=(2, 1)), model="yandex-art/latest")
    assert build_body(upstream_request, "b1g") == {
        "modelUri": "art://b1g/yandex-art/latest",
        "generationOptions": {
            "seed": "1863",
            "mimeType": "image/jpeg",
            "aspectRatio": {"widthRatio": "2", "heightRatio": "1"},
        },
        "messages": [{"weight": "1", "text": "узор из цветных пастельных суккулентов"}],
    }


def test_messages_go_as_they_came() -> None:
    messages = (Message("a forest", 5.0), Message("fog", 0.25), Message("people", -1.5), Message("line\nbreak"))
    assert build_body(UpstreamRequest(request=request(*messages), model="m"), "b1g")["messages"] == [
        {"text": "a forest", "weight": "5"},
        {"text": "fog", "weight": "0.25"},
        {"text": "people", "weight": "-1.5"},
        {"text": "line\nbreak", "weight": "1"},
    ]


@pytest.mark.parametrize(
    ("changes", "ratio"),
    [
        ({}, ("1", "1")),
        ({"ratio": (2, 4)}, ("1", "2")),
        ({"size": Size(1792, 1024)}, ("7", "4")),
        ({"size": Size(512, 512), "ratio": (9, 16)}, ("1", "1")),
    ],
)
def test_pixels_become_a_shape(changes: dict[str, Any], ratio: tuple[str, str]) -> None:
    options = build_body(UpstreamRequest(request=request(**changes), model="m"), "b1g")["generationOptions"]
    assert (options["aspectRatio"]["widthRatio"], options["aspectRatio"]["heightRatio"]) == ratio
    assert "seed" not in options


def test_a_whole_model_uri_is_kept() -> None:
    assert (
        build_body(UpstreamRequest(request=request(), model="art://other/tuned"), "b1g")["modelUri"]
        == "art://other/tuned"
    )


def test_a_submission_is_one_post_with_key_folder_and_ids() -> None:
    http = ScriptedHttp([answer(STARTED)])
    ticket = art(http).submit(
        UpstreamRequest(request=request(seed=7), model="yandex-art/latest", idempotency_key="op-1")
    )
    assert ticket == Ticket({"id": ID, "seed": 7})
    [wire] = http.requests
    assert (wire.method, wire.url) == ("POST", f"{BASE}/foundationModels/v1/imageGenerationAsync")
    assert wire.headers["authorization"] == "Api-Key AQVN"
    assert wire.headers["x-folder-id"] == "b1g"
    assert wire.headers["x-client-request-id"] == wire.headers["idempotency-key"]
    assert uuid.UUID(wire.headers["idempotency-key"])


def test_the_same_submission_has_the_same_ids() -> None:
    http = ScriptedHttp([answer(STARTED)] * 3)
    for key in ("op-1", "op-1", "op-2"):
        art(http).submit(UpstreamRequest(request=request(), model="m", idempotency_key=key))
    first, again, other = (wire.headers["idempotency-key"] for wire in http.requests)
    assert first == again != other


def test_private_requests_say_so() -> None:
    http = ScriptedHttp([answer(STARTED)] * 2)
    art(http).submit(UpstreamRequest(request=request(private=True), model="m", idempotency_key="op-1"))
    art(http).submit(UpstreamRequest(request=request(), model="m"))
    private, other = (wire.headers for wire in http.requests)
    assert private["x-data-logging-enabled"] == "false"
    assert private["idempotency-key"]
    assert "x-data-logging-enabled" not in other


def test_an_iam_token_is_a_bearer_token() -> None:
    http = ScriptedHttp([answer(STARTED)])
    art(http, YC_API_KEY="", YC_IAM_TOKEN="t1.x").submit(UpstreamRequest(request=request(), model="m"))
    assert http.requests[0].headers["authorization"] == "Bearer t1.x"
    assert "idempotency-key" not in http.requests[0].headers


@pytest.mark.parametrize("missing", [{"YC_API_KEY": ""}, {"YC_FOLDER_ID": ""}])
def test_without_credentials_nothing_is_sent(missing: dict[str, str]) -> None:
    http = ScriptedHttp()
    with pytest.raises(UpstreamError, match="not available here") as caught:
        art(http, **missing).submit(UpstreamRequest(request=request(), model="m"))
    assert caught.value.failure.code is FailureCode.AUTH
    assert not http.requests


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (gateway_error(400, 3, REFUSED), FailureCode.CONTENT_FILTERED),
        (
            gateway_error(400, 3, "Я не могу сгенерировать это изображение. Давайте попробуем другую тему."),
            FailureCode.CONTENT_FILTERED,
        ),
        (gateway_error(400, 3, "text is too long"), FailureCode.INVALID_REQUEST),
        (gateway_error(400, 3, "Failed to parse model URI"), FailureCode.NOT_FOUND),
        (gateway_error(400, 3, "invalid model_uri"), FailureCode.NOT_FOUND),
        (
            gateway_error(400, 3, "Specified folder ID 'x' does not match with service account folder ID 'y'"),
            FailureCode.AUTH,
        ),
        (gateway_error(400, 9, "model aliceai-image-art-3.0 is not allowed for this method"), FailureCode.NOT_FOUND),
        (gateway_error(400, 9, "precondition"), FailureCode.INVALID_REQUEST),
        (gateway_error(401, 16, "Token is invalid or has expired."), FailureCode.AUTH),
        (gateway_error(403, 7, "Access to model art://x/yandex-art/latest denied"), FailureCode.AUTH),
        (gateway_error(429, 8, "rate quota limit exceed: allowed 500 requests"), FailureCode.RATE_LIMITED),
        (gateway_error(500, 13, "internal"), FailureCode.UPSTREAM_FAILED),
        (gateway_error(501, 12, "unimplemented"), FailureCode.NOT_FOUND),
        (gateway_error(503, 14, "unavailable"), FailureCode.CAPACITY),
        (gateway_error(504, 4, "deadline"), FailureCode.UPSTREAM_TIMEOUT),
        (gateway_error(409, 6, "exists"), FailureCode.UPSTREAM_FAILED),
        (gateway_error(409, 10, "aborted"), FailureCode.UPSTREAM_FAILED),
        (gateway_error(499, 1, "cancelled"), FailureCode.UPSTREAM_FAILED),
        (
            answer({"code": 16, "message": "Token is invalid", "details": []}, 401),
            FailureCode.AUTH,
        ),
        (
            answer({"error": {"grpcCode": 8, "httpCode": 429, "message": "Too Many Requests"}}, 429),
            FailureCode.RATE_LIMITED,
        ),
        (answer({"error": REFUSED}, 400), FailureCode.CONTENT_FILTERED),
        (HttpResponse(502, {}, b"<html>Bad gateway</html>"), FailureCode.UPSTREAM_FAILED),
        (HttpResponse(200, {}, b"<html>welcome</html>"), FailureCode.BAD_PAYLOAD),
        (answer([]), FailureCode.BAD_PAYLOAD),
        (answer({"done": False}), FailureCode.BAD_PAYLOAD),
        (answer({"id": "../keys", "done": False}), FailureCode.BAD_PAYLOAD),
        (answer({"id": 7}), FailureCode.BAD_PAYLOAD),
        (answer({"id": "x" * 129}), FailureCode.BAD_PAYLOAD),
        (HttpResponse(200, {}, b"[" * 200_000), FailureCode.BAD_PAYLOAD),
        (answer({"error": {"code": "9" * 5000, "message": "half a fox \ud83e"}}, 400), FailureCode.UPSTREAM_FAILED),
        (answer(STARTED | {"done": True, "error": {"code": 3, "message": REFUSED}}), FailureCode.CONTENT_FILTERED),
    ],
)
def test_refused_submissions(response: HttpResponse, code: FailureCode) -> None:
    with pytest.raises(UpstreamError) as caught:
        art(ScriptedHttp([response])).submit(UpstreamRequest(request=request(), model="m"))
    assert caught.value.failure.code is code
    assert "<" not in caught.value.failure.message
    assert caught.value.failure.message.encode()


def test_a_throttled_submission_says_when_to_come_back() -> None:
    response = answer({"error": "slow", "code": 8, "message": "slow"}, 429, **{"retry-after": "2"})
    with pytest.raises(UpstreamError) as caught:
        art(ScriptedHttp([response])).submit(UpstreamRequest(request=request(), model="m"))
    assert caught.value.failure == Failure(FailureCode.RATE_LIMITED, "yandexart answered HTTP 429: slow", 2)


def test_a_picture_there_at_once_is_taken() -> None:
    ready = art(ScriptedHttp([answer(STARTED | {"done": True, "response": IMAGE})])).submit(
        UpstreamRequest(request=request(), model="m")
    )
    assert ready == Ready(bodies=(JPEG,))


def check(response: HttpResponse, **ticket: Any) -> Any:
    return art(ScriptedHttp([response])).check(Ticket({"id": ID, **ticket}), 0)


def test_a_check_is_one_get() -> None:
    http = ScriptedHttp([answer(STARTED)])
    assert art(http).check(Ticket({"id": ID}), 0) == Pending()
    [wire] = http.requests
    assert (wire.method, wire.url, wire.json) == ("GET", f"{BASE}/operations/{ID}", None)
    assert wire.headers["authorization"] == "Api-Key AQVN"


@pytest.mark.parametrize(
    "document",
    [
        {"id": ID},
        STARTED | {"done": "no idea"},
        STARTED | {"error": {"code": 13, "message": "rolling back"}},
        STARTED | {"response": IMAGE},
        STARTED | {"status": "SOMETHING_NEW"},
    ],
)
def test_only_done_is_done(document: Any) -> None:
    assert check(answer(document)) == Pending()


def test_the_recorded_answer_holds_a_jpeg() -> None:
    done = STARTED | {"createdAt": "2026-11-20T10:00:00Z", "done": True, "response": IMAGE}
    assert check(answer(done), seed=1863) == Ready(bodies=(JPEG,), seed=1863)
    assert check(answer(done | {"error": None}), seed=0).seed is None
    assert check(answer(done | {"error": {"code": 0, "message": ""}})).bodies == (JPEG,)


@pytest.mark.parametrize(
    "response", [None, {}, {"image": ""}, {"image": "***"}, {"image": "Ж"}, {"image": 7}, {"image": None}, "picture"]
)
def test_done_without_a_picture(response: Any) -> None:
    failed = check(answer(STARTED | {"done": True, "response": response}))
    assert failed.failure.code is FailureCode.BAD_PAYLOAD


@pytest.mark.parametrize(
    ("code", "message", "word"),
    [
        (1, "The operation was cancelled", FailureCode.UPSTREAM_FAILED),
        (3, REFUSED, FailureCode.CONTENT_FILTERED),
        (3, "bad ratio", FailureCode.INVALID_REQUEST),
        ("3", "bad ratio", FailureCode.INVALID_REQUEST),
        (4, "deadline", FailureCode.UPSTREAM_TIMEOUT),
        (7, "denied", FailureCode.AUTH),
        (8, "gauge quota limit exceed", FailureCode.RATE_LIMITED),
        (9, "precondition", FailureCode.INVALID_REQUEST),
        (13, "internal", FailureCode.UPSTREAM_FAILED),
        (14, "unavailable", FailureCode.CAPACITY),
        (16, "expired", FailureCode.AUTH),
        (99, "new", FailureCode.UPSTREAM_FAILED),
        ("odd", "", FailureCode.UPSTREAM_FAILED),
        pytest.param("9" * 5000, "", FailureCode.UPSTREAM_FAILED, id="long"),
    ],
)
def test_late_errors(code: Any, message: str, word: FailureCode) -> None:
    failed = check(answer(STARTED | {"done": True, "error": {"code": code, "message": message, "details": []}}))
    assert isinstance(failed, Failed)
    assert failed.failure.code is word


def test_after_its_retention_an_operation_has_expired() -> None:
    failed = check(gateway_error(404, 5, f"operation {ID} not found"))
    assert isinstance(failed, Failed)
    assert failed.failure.code is FailureCode.EXPIRED


@pytest.mark.parametrize(
    "response",
    [gateway_error(429, 8, "slow"), gateway_error(500, 13, "x"), HttpResponse(200, {}, b"<html></html>")],
)
def test_a_failed_check_does_not_end_the_job(response: HttpResponse) -> None:
    with pytest.raises(UpstreamError):
        check(response)


def test_cancelling_never_fails() -> None:
    cancelled = STARTED | {"done": True, "error": {"code": 1, "message": "cancelled"}}
    broken = UpstreamError(Failure(FailureCode.UPSTREAM_FAILED, "gone"))
    http = ScriptedHttp([answer(cancelled), gateway_error(404, 5, "not found"), broken])
    for _ in range(3):
        art(http).cancel(Ticket({"id": ID}))
    assert http.requests[0].url == f"{BASE}/operations/{ID}:cancel"
    art(ScriptedHttp(), YC_API_KEY="").cancel(Ticket({"id": ID}))


def test_pending_tells_when_to_come_back() -> None:
    assert parse_operation("up", answer(STARTED, **{"retry-after": "3"}), None) == Pending(3)
