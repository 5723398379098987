"""What Gemini is sent, and what its answers mean (docs/protocols/gemini.md)."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.order import InputBody, UpstreamRequest
from imagegate.domain.operation.outcome import Ready
from imagegate.domain.operation.usage import Usage
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.upstreams import HttpResponse
from imagegate.providers import registry
from imagegate.providers.gemini import REFUSALS, build_body, parse_answer
from support.fakes import NoSecrets, ScriptedHttp

PIXEL = base64.b64encode(b"\x89PNG...").decode()
INLINE = {"inlineData": {"mimeType": "image/png", "data": PIXEL}}
PICTURE = InputBody(b"one", "image/png")


def request(**changes: Any) -> ImageRequest:
    return replace(ImageRequest(model="m", messages=(Message("a fox"),)), **changes)


def candidate(*parts: Any, reason: str = "STOP", **told: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": list(parts)}, "finishReason": reason, **told}]}


def answer(document: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status, {}, json.dumps(document).encode())


def error(status: int, word: str, message: str = "no", *details: Any) -> HttpResponse:
    return answer({"error": {"code": status, "message": message, "status": word, "details": list(details)}}, status)


def parsed(response: HttpResponse) -> Ready:
    return parse_answer("gemini", response, None)


def failure(response: HttpResponse) -> Any:
    with pytest.raises(UpstreamError) as raised:
        parsed(response)
    return raised.value.failure


@pytest.mark.parametrize(
    ("provider", "url", "secret"),
    [
        ("gemini", "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent", "GEMINI_API_KEY"),
        (
            "vertex",
            "https://aiplatform.googleapis.com/v1beta1/publishers/google/models/m:generateContent",
            "GOOGLE_API_KEY",
        ),
    ],
)
def test_each_face_has_its_path_and_its_key(provider: str, url: str, secret: str) -> None:
    http = ScriptedHttp([answer(candidate(INLINE))])
    registry.Providers(http, NoSecrets({secret: "AIza"}), {})(provider).submit(
        UpstreamRequest(request=request(), model="m")
    )
    [sent] = http.requests
    assert (sent.method, sent.url, sent.headers) == ("POST", url, {"x-goog-api-key": "AIza"})


def test_a_prompt_goes_with_a_shape_and_a_seed() -> None:
    body = build_body(UpstreamRequest(request=request(size=Size(1920, 1080), seed=7), model="m"))
    assert body == {
        "contents": [{"role": "user", "parts": [{"text": "a fox"}]}],
        "generationConfig": {"responseModalities": ["IMAGE"], "imageConfig": {"aspectRatio": "16:9"}, "seed": 7},
    }


def test_a_picture_to_edit_keeps_its_shape_unless_told_otherwise() -> None:
    body = build_body(UpstreamRequest(request=request(), model="m", inputs=(PICTURE,)))
    assert body["contents"][0]["parts"][1] == {"inlineData": {"mimeType": "image/png", "data": "b25l"}}
    assert "imageConfig" not in body["generationConfig"]
    wide = build_body(UpstreamRequest(request=request(ratio=(16, 9)), model="m", inputs=(PICTURE,)))
    assert wide["generationConfig"]["imageConfig"] == {"aspectRatio": "16:9"}


@pytest.mark.parametrize(
    "parts",
    [[INLINE], [{"text": "Here:"}, INLINE], [{"text": f"![fox](data:image/png;base64,{PIXEL})"}], [INLINE, INLINE]],
)
def test_the_first_picture_is_the_answer(parts: list[Any]) -> None:
    assert parsed(answer(candidate(*parts))).bodies == (b"\x89PNG...",)


def test_tokens_are_counted() -> None:
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 1120, "totalTokenCount": 1130}
    assert parsed(answer(candidate(INLINE) | {"usageMetadata": usage})).usage == Usage(
        input_tokens=10, output_tokens=1120, total_tokens=1130
    )


@pytest.mark.parametrize("reason", sorted(REFUSALS))
def test_a_refusal_is_a_success_without_a_picture(reason: str) -> None:
    refused = failure(answer(candidate(reason=reason, finishMessage="not this")))
    assert refused.code is FailureCode.CONTENT_FILTERED
    assert "not this" in refused.message
    assert failure(answer({"promptFeedback": {"blockReason": reason}})).code is FailureCode.CONTENT_FILTERED


@pytest.mark.parametrize(
    "document",
    [
        candidate({"text": "no"}, reason="NO_IMAGE"),
        candidate(reason="IMAGE_OTHER"),
        candidate({"inlineData": {"data": "*"}}),
        candidate(7, {"inlineData": 7}),
        {"candidates": []},
        {"candidates": 7},
        [],
        None,
    ],
    ids=str,
)
def test_no_picture_for_no_reason_is_a_failure(document: Any) -> None:
    assert failure(answer(document)).code is FailureCode.BAD_PAYLOAD


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (error(400, "INVALID_ARGUMENT", "no", {"reason": "API_KEY_INVALID"}), FailureCode.AUTH),
        (error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."), FailureCode.AUTH),
        (error(400, "INVALID_ARGUMENT"), FailureCode.INVALID_REQUEST),
        (error(400, "FAILED_PRECONDITION", "User location is not supported"), FailureCode.AUTH),
        (error(400, "FAILED_PRECONDITION", "Please enable billing"), FailureCode.NO_CREDIT),
        (error(403, "PERMISSION_DENIED"), FailureCode.AUTH),
        (error(404, "NOT_FOUND"), FailureCode.NOT_FOUND),
        (error(429, "RESOURCE_EXHAUSTED"), FailureCode.RATE_LIMITED),
        (
            error(429, "RESOURCE_EXHAUSTED", "no", {"violations": [{"quotaId": "RequestsPerDayPerProject"}]}),
            FailureCode.NO_CREDIT,
        ),
        (error(500, "INTERNAL"), FailureCode.UPSTREAM_FAILED),
        (error(503, "UNAVAILABLE", "The model is overloaded."), FailureCode.CAPACITY),
        (error(503, "UNAVAILABLE", "Deadline expired before operation could complete."), FailureCode.UPSTREAM_FAILED),
        (error(504, "DEADLINE_EXCEEDED", "Deadline expired."), FailureCode.UPSTREAM_FAILED),
        (answer([{"error": {"code": 429, "message": "no", "status": "x"}}], 429), FailureCode.RATE_LIMITED),
        (HttpResponse(502, {}, b"<html>"), FailureCode.UPSTREAM_FAILED),
    ],
)
def test_each_refusal_has_its_code(response: HttpResponse, code: FailureCode) -> None:
    assert failure(response).code is code


@pytest.mark.parametrize(("delay", "pause"), [("34s", 34), ("0.5s", 0.5), ("999999999s", 86400), ("soon", None)])
def test_a_pause_is_told_in_the_body(delay: str, pause: float | None) -> None:
    assert failure(error(429, "RESOURCE_EXHAUSTED", "no", {"retryDelay": delay})).retry_after == pause
