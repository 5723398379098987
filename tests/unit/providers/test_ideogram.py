"""Ideogram: what is sent, and what is made of its answers. Contract: docs/protocols/ideogram.md."""

import json
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.attempt import Source
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Pending, Ready, Ticket
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.upstreams import HttpResponse
from imagegate.providers.ideogram import Ideogram, parse_generation, parse_started
from support.fakes import NoSecrets, ScriptedHttp

BASE = "https://ideogram.test/v2"
ID = "xtdZiqPwRxqY1Y7NExFmzB"
URL = f"https://ideogram.test/api/images/ephemeral/{ID}.png"
PICTURE = {"object_type": "image", "url": URL, "prompt": "a fox", "seed": 7, "is_image_safe": True}
UNSAFE = PICTURE | {"url": None, "is_image_safe": False}


def asked(count: int = 1, **changes: Any) -> UpstreamRequest:
    request = replace(ImageRequest(model="ideogram", messages=(Message("a fox"),)), **changes)
    return UpstreamRequest(request=request, model="ideogram-4-5", count=count)


def answer(document: Any, status: int = 200, **headers: str) -> HttpResponse:
    return HttpResponse(status=status, headers=headers, body=json.dumps(document).encode())


def generation(**fields: Any) -> HttpResponse:
    return answer({"generation_id": ID, "created": "2026-11-29T00:00:00Z", **fields})


def check(response: HttpResponse) -> Check:
    return parse_generation("ideogram", BASE, response)


def made(*answers: HttpResponse, **secrets: str) -> tuple[Ideogram, ScriptedHttp]:
    http = ScriptedHttp(list(answers))
    return Ideogram("ideogram", BASE, http, NoSecrets(secrets)), http


def test_a_generation_and_its_pictures() -> None:
    done = generation(status="completed", response_type="url", data=[PICTURE], usage_cost_usd_micros=60_000)
    ideogram, http = made(answer({"generation_id": ID}, 202), done, IDEOGRAM_API_KEY="k\n")
    ticket = ideogram.submit(asked())
    assert ticket == Ticket({"id": ID})
    assert ideogram.check(ticket, 0) == Ready(sources=(Source(URL),), seed=7, micro_dollars=60_000)
    start, question = http.requests
    assert (start.method, start.url) == ("POST", f"{BASE}/image/generate/ideogram-4-5")
    assert start.json == {"prompt": "a fox", "aspect_ratio": "1x1", "async": True}
    assert (question.method, question.url) == ("GET", f"{BASE}/generations/{ID}")
    assert start.headers == question.headers == {"api-key": "k"}


@pytest.mark.parametrize(
    ("changes", "sent"),
    [
        ({"size": Size(1920, 1080), "seed": 7}, {"aspect_ratio": "16x9", "seed": 7}),
        ({"ratio": (10, 16), "quality": "hd"}, {"aspect_ratio": "10x16", "quality": "high"}),
        ({"count": 3, "quality": "auto"}, {"aspect_ratio": "1x1", "num_images": 3}),
    ],
)
def test_what_is_sent(changes: dict[str, Any], sent: dict[str, Any]) -> None:
    ideogram, http = made(answer({"generation_id": ID}), IDEOGRAM_API_KEY="k")
    ideogram.submit(asked(**changes))
    assert http.requests[0].json == {"prompt": "a fox", "async": True, **sent}


def test_without_a_key_nothing_is_sent() -> None:
    ideogram, http = made(answer({"generation_id": ID}))
    with pytest.raises(UpstreamError, match="not available here") as caught:
        ideogram.submit(asked())
    assert (caught.value.failure.code, http.requests) == (FailureCode.AUTH, [])


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (answer({"error": "x"}, 400), FailureCode.INVALID_REQUEST),
        (answer({"error": "x"}, 413), FailureCode.INVALID_REQUEST),
        (answer({"error": "x"}, 401), FailureCode.AUTH),
        (answer({"error": "x"}, 403), FailureCode.AUTH),
        (answer({"reject_reason": "daily_limit"}, 402), FailureCode.NO_CREDIT),
        (answer({"error": "x"}, 404), FailureCode.NOT_FOUND),
        (answer({"error": "Prompt provided failed safety check"}, 422), FailureCode.CONTENT_FILTERED),
        (answer({"error": "x"}, 429), FailureCode.RATE_LIMITED),
        (answer({"error": "x"}, 500), FailureCode.UPSTREAM_FAILED),
        (answer({"error": "x"}, 503), FailureCode.CAPACITY),
        (answer({"generation_id": "../x"}), FailureCode.BAD_PAYLOAD),
        (answer([]), FailureCode.BAD_PAYLOAD),
    ],
    ids=lambda value: value if isinstance(value, str) else value.body.decode()[:60],
)
def test_what_is_refused(response: HttpResponse, code: FailureCode) -> None:
    with pytest.raises(UpstreamError) as caught:
        parse_started("ideogram", response)
    assert caught.value.failure.code is code


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (generation(status="failed"), FailureCode.UPSTREAM_FAILED),
        (generation(status="failed", failure_reason="Failed the safety review"), FailureCode.CONTENT_FILTERED),
        (generation(status="completed", data=[UNSAFE, UNSAFE]), FailureCode.CONTENT_FILTERED),
        (generation(status="completed", data=[]), FailureCode.BAD_PAYLOAD),
        (generation(status="completed", data=["none"]), FailureCode.BAD_PAYLOAD),
        (generation(status="completed"), FailureCode.BAD_PAYLOAD),
    ],
    ids=lambda value: value if isinstance(value, str) else value.body.decode()[60:160],
)
def test_ends_without_a_picture(response: HttpResponse, code: FailureCode) -> None:
    failed = check(response)
    assert isinstance(failed, Failed)
    assert failed.failure.code is code


@pytest.mark.parametrize("status", ["pending", "queued", None, 7])
def test_any_other_status_is_pending(status: Any) -> None:
    assert check(generation(status=status)) == Pending()


def test_pictures_that_are_not_safe_are_left_out() -> None:
    ready = check(generation(status="completed", data=[UNSAFE, PICTURE]))
    assert isinstance(ready, Ready)
    assert ready.sources == (Source(URL),)


def test_a_generation_that_is_gone_has_expired_and_a_throttled_question_says_nothing_of_it() -> None:
    throttled = answer({"error": "x"}, 429, **{"retry-after": "3"})
    ideogram, _ = made(answer({}, 404), throttled, answer([]), IDEOGRAM_API_KEY="k")
    gone = ideogram.check(Ticket({"id": ID}), 0)
    assert isinstance(gone, Failed)
    assert gone.failure.code is FailureCode.EXPIRED
    for code in (FailureCode.RATE_LIMITED, FailureCode.BAD_PAYLOAD):
        with pytest.raises(UpstreamError) as caught:
            ideogram.check(Ticket({"id": ID}), 0)
        assert caught.value.failure.code is code
