"""Stability AI: what is sent, and what is made of its answers. Contract: docs/protocols/stability.md."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Ready
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.upstreams import HttpResponse
from imagegate.providers.stability import Stability, StabilityConfig, parse_answer
from support.fakes import NoSecrets, ScriptedHttp

BASE = "https://stability.test/v2beta/stable-image/generate"
EVERYTHING = {
    "size": Size(1920, 1080),
    "seed": 7,
    "guidance": 4.5,
    "negative_prompt": "fog",
    "output_format": "webp",
    "steps": 9,
}


def asked(model: str = "core", **changes: Any) -> UpstreamRequest:
    request = replace(ImageRequest(model="m", messages=(Message("a fox"),)), **changes)
    return UpstreamRequest(request=request, model=model)


def answer(document: Any, status: int = 200, **headers: str) -> HttpResponse:
    return HttpResponse(status=status, headers=headers, body=json.dumps(document).encode())


def refusal(status: int, name: str, **headers: str) -> HttpResponse:
    return answer({"id": "ab12", "name": name, "errors": ["some-field: is required"]}, status, **headers)


def drawn(**changes: Any) -> HttpResponse:
    image = base64.b64encode(b"PNG").decode()
    return answer({"image": image, "seed": 7, "finish_reason": "SUCCESS", **changes})


def made(*answers: HttpResponse, **secrets: str) -> tuple[Stability, ScriptedHttp]:
    http = ScriptedHttp(list(answers))
    return Stability("stability", BASE, http, NoSecrets(secrets), StabilityConfig()), http


@pytest.mark.parametrize(
    ("model", "path", "sent"),
    [
        ("core", "core", {"negative_prompt": "fog", "output_format": "webp"}),
        ("ultra", "ultra", {"negative_prompt": "fog", "output_format": "webp"}),
        ("sd3.5-large", "sd3", {"negative_prompt": "fog", "cfg_scale": "4.5", "output_format": "png"}),
        ("sd3.5-medium", "sd3", {"negative_prompt": "fog", "cfg_scale": "4.5", "output_format": "png"}),
        ("sd3.5-large-turbo", "sd3", {"cfg_scale": "4.5", "output_format": "png"}),
        ("sd3.5-flash", "sd3", {"cfg_scale": "4.5", "output_format": "png"}),
    ],
)
def test_a_model_gets_what_it_takes_and_nothing_else(model: str, path: str, sent: dict[str, str]) -> None:
    stability, http = made(drawn(), STABILITY_API_KEY="k\n")
    assert stability.submit(asked(model, **EVERYTHING)) == Ready(bodies=(b"PNG",), seed=7)
    [request] = http.requests
    assert (request.method, request.url, request.multipart) == ("POST", f"{BASE}/{path}", True)
    assert request.headers == {"authorization": "Bearer k", "accept": "application/json"}
    named = {"model": model} if path == "sd3" else {}
    assert request.form == {"prompt": "a fox", "aspect_ratio": "16:9", "seed": "7", **named, **sent}


def test_what_is_taken_is_what_is_promised() -> None:
    capabilities = {
        model: StabilityConfig().limits_for(model).capabilities for model in ("core", "sd3.5-large", "sd3.5-flash")
    }
    assert capabilities == {
        "core": {"seed", "negative_prompt"},
        "sd3.5-large": {"seed", "negative_prompt", "guidance"},
        "sd3.5-flash": {"seed", "guidance"},
    }


def test_what_is_sent_of_a_bare_prompt() -> None:
    stability, http = made(drawn(), STABILITY_API_KEY="k")
    stability.submit(asked())
    assert http.requests[0].form == {"prompt": "a fox", "aspect_ratio": "1:1", "output_format": "png"}


def test_without_a_key_nothing_is_sent() -> None:
    stability, http = made(drawn())
    with pytest.raises(UpstreamError, match="not available here") as caught:
        stability.submit(asked())
    assert (caught.value.failure.code, http.requests) == (FailureCode.AUTH, [])


@pytest.mark.parametrize(("told", "seed"), [(9, 9), (0, 7), ("9", 7), (None, 7)])
def test_the_seed_that_is_told_counts(told: Any, seed: int) -> None:
    assert parse_answer("stability", drawn(seed=told), 7).seed == seed


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (refusal(400, "bad_request"), FailureCode.INVALID_REQUEST),
        (refusal(413, "content_too_large"), FailureCode.INVALID_REQUEST),
        (refusal(422, "invalid_language"), FailureCode.INVALID_REQUEST),
        (refusal(401, "unauthorized"), FailureCode.AUTH),
        (refusal(403, "permission_denied"), FailureCode.AUTH),
        (refusal(403, "content_moderation"), FailureCode.CONTENT_FILTERED),
        (refusal(402, "payment_required"), FailureCode.NO_CREDIT),
        (refusal(404, "not_found"), FailureCode.NOT_FOUND),
        (refusal(429, "rate_limit_exceeded"), FailureCode.RATE_LIMITED),
        (refusal(500, "internal_error"), FailureCode.UPSTREAM_FAILED),
        (refusal(503, "unavailable"), FailureCode.CAPACITY),
        (answer({"errors": "none"}, 400), FailureCode.INVALID_REQUEST),
        (drawn(finish_reason="CONTENT_FILTERED"), FailureCode.CONTENT_FILTERED),
        (drawn(finish_reason="ERROR"), FailureCode.UPSTREAM_FAILED),
        (drawn(image=None), FailureCode.BAD_PAYLOAD),
        (drawn(image="?!"), FailureCode.BAD_PAYLOAD),
        (answer([]), FailureCode.BAD_PAYLOAD),
    ],
    ids=lambda value: value if isinstance(value, str) else value.body.decode()[:70],
)
def test_what_is_refused(response: HttpResponse, code: FailureCode) -> None:
    with pytest.raises(UpstreamError) as caught:
        parse_answer("stability", response, None)
    assert caught.value.failure.code is code


@pytest.mark.parametrize(("headers", "seconds"), [({}, 60.0), ({"retry-after": "2"}, 2.0)])
def test_an_account_that_asked_too_often_waits(headers: dict[str, str], seconds: float) -> None:
    with pytest.raises(UpstreamError) as caught:
        parse_answer("stability", refusal(429, "rate_limit_exceeded", **headers), None)
    assert caught.value.failure.retry_after == seconds
