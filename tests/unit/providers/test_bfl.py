"""Black Forest Labs: tasks built, answers understood (docs/protocols/bfl.md)."""

import json
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.attempt import Source
from imagegate.domain.operation.order import InputBody, UpstreamRequest
from imagegate.domain.operation.outcome import Failed, Pending, Ready, Ticket
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.upstreams import HttpResponse
from imagegate.providers.bfl import Bfl, build_body
from support.fakes import NoSecrets, ScriptedHttp

BASE = "https://api.bfl.ai/v1"
ID = "f0b2a1c3-1111-4222-8333-444455556666"
POLLING = f"https://api.us1.bfl.ai/v1/get_result?id={ID}"
SAMPLE = "https://delivery-eu1.bfl.ai/results/abc/sample.jpeg?sig=x"
STARTED = {"id": ID, "polling_url": POLLING, "cost": 3.0, "input_mp": 0.0, "output_mp": 1.05}
REASONS = {"Moderation Reasons": ["x"]}
READY = {"id": ID, "status": "Ready", "result": {"sample": SAMPLE, "prompt": "a cat", "seed": 7, "duration": 1.0}}


def answer(document: Any, status: int = 200, **headers: str) -> HttpResponse:
    return HttpResponse(status, {k.replace("_", "-"): v for k, v in headers.items()}, json.dumps(document).encode())


def bfl(http: ScriptedHttp) -> Bfl:
    return Bfl("bfl", BASE, http, NoSecrets({"BFL_API_KEY": "k-1"}))


def asked(model: str = "flux-2-pro", inputs: int = 0, **changes: Any) -> UpstreamRequest:
    request = replace(ImageRequest(model="flux", messages=(Message("a cat"),)), **changes)
    return UpstreamRequest(request=request, model=model, count=1, inputs=(InputBody(b"\x89PNG", "image/png"),) * inputs)


def test_a_submission_is_one_post_with_the_key() -> None:
    http = ScriptedHttp([answer(STARTED)])
    assert bfl(http).submit(asked(seed=7)) == Ticket({"url": POLLING, "credits": 3.0})
    [sent] = http.requests
    assert (sent.method, sent.url, sent.headers) == ("POST", f"{BASE}/flux-2-pro", {"x-key": "k-1"})
    assert sent.json == {"prompt": "a cat", "width": 1024, "height": 1024, "seed": 7}


@pytest.mark.parametrize(
    ("upstream_request", "fields"),
    [
        (asked(size=Size(1920, 1080)), {"width": 1920, "height": 1088}),
        (asked(ratio=(16, 9)), {"width": 1280, "height": 720}),
        (asked(output_format="webp"), {"output_format": "png"}),
        (asked("flux-2-flex", steps=20, guidance=4.5), {"steps": 20, "guidance": 4.5}),
        (asked("flux-kontext-pro", ratio=(16, 9)), {"aspect_ratio": "16:9"}),
        (asked("flux-kontext-pro"), {"aspect_ratio": "1:1"}),
        (asked(inputs=2), {"input_image": "iVBORw==", "input_image_2": "iVBORw=="}),
    ],
    ids=str,
)
def test_what_is_asked_for_is_in_the_body(upstream_request: UpstreamRequest, fields: dict[str, Any]) -> None:
    built = build_body(upstream_request)
    assert {name: built[name] for name in fields} == fields


def test_nothing_is_sent_that_the_model_does_not_take() -> None:
    assert build_body(asked(steps=4, guidance=3.0)).keys() == {"prompt", "width", "height"}
    assert build_body(asked("unheard-of", inputs=1, size=Size(512, 512))).keys() == {"prompt", "width", "height"}
    assert build_body(asked(inputs=1)).keys() == {"prompt", "input_image"}


def test_limits_are_those_of_the_model() -> None:
    pro, flex, klein = map(Bfl.limits_for, ("flux-2-pro", "flux-2-flex", "flux-2-klein-9b"))
    assert (pro.input_images, klein.input_images, Bfl.limits.input_images) == (8, 4, 0)
    assert (pro.capabilities, flex.capabilities) == ({"seed"}, {"seed", "steps", "guidance"})


@pytest.mark.parametrize(
    ("url", "asked_at"),
    [
        (f"https://gateway.bfl.ai/v1/get_result?id={ID}", f"https://gateway.bfl.ai/v1/get_result?id={ID}"),
        ("https://api.eu.bfl.ai/v1/get_result", f"https://api.eu.bfl.ai/v1/get_result?id={ID}"),
        ("https://bfl.ai/x", f"https://bfl.ai/x?id={ID}"),
    ],
)
def test_a_task_is_asked_about_at_its_own_address(url: str, asked_at: str) -> None:
    http = ScriptedHttp([answer(STARTED | {"polling_url": url}), answer({"id": ID, "status": "Pending"})])
    ticket = bfl(http).submit(asked())
    assert bfl(http).check(ticket, 0) == Pending()
    assert (http.requests[1].url, http.requests[1].headers) == (asked_at, {"x-key": "k-1"})


@pytest.mark.parametrize(
    "url",
    [
        "http://api.us1.bfl.ai/v1/get_result",
        "https://bfl.ai.example.com/x",
        "https://evilbfl.ai/x",
        "https://user@api.bfl.ai/x",
        "https://api.bfl.ai:444/x",
        "https://api.bfl.ai@example.com/x",
        "https://example.com/.bfl.ai",
        "//example.com/x",
        "https://[::1",
        "",
        None,
        7,
    ],
)
def test_the_key_is_shown_to_no_other_host(url: Any) -> None:
    http = ScriptedHttp([answer(STARTED | {"polling_url": url})])
    with pytest.raises(UpstreamError) as caught:
        bfl(http).submit(asked())
    assert caught.value.failure.code is FailureCode.BAD_PAYLOAD
    assert len(http.requests) == 1


@pytest.mark.parametrize(
    ("response", "code", "retry_after"),
    [
        (answer({"detail": "bad"}, 400), FailureCode.INVALID_REQUEST, None),
        (answer({"detail": [{"loc": ["body"], "msg": "bad"}, 7]}, 422), FailureCode.INVALID_REQUEST, None),
        (answer({"detail": "Not authenticated"}, 401), FailureCode.AUTH, None),
        (answer({"detail": "Not authenticated"}, 403), FailureCode.AUTH, None),
        (answer({"detail": "Insufficient credits"}, 402), FailureCode.NO_CREDIT, None),
        (answer({"detail": "Not Found"}, 404), FailureCode.NOT_FOUND, None),
        (answer({"error": "x", "message": "busy", "retry_after": 7}, 429), FailureCode.RATE_LIMITED, 7),
        (answer({"detail": "busy"}, 429, retry_after="2"), FailureCode.RATE_LIMITED, 2),
        (answer({"message": "busy", "retry_after": "soon"}, 429), FailureCode.RATE_LIMITED, None),
        (answer({"message": "busy", "retry_after": 1e300}, 429), FailureCode.RATE_LIMITED, 86_400),
        (answer({"detail": "x"}, 500), FailureCode.UPSTREAM_FAILED, None),
        (answer({"detail": "x"}, 503), FailureCode.CAPACITY, None),
        (HttpResponse(502, {}, b"<html></html>"), FailureCode.UPSTREAM_FAILED, None),
        (HttpResponse(200, {}, b"<html></html>"), FailureCode.BAD_PAYLOAD, None),
        (answer({"id": "../x", "polling_url": POLLING}), FailureCode.BAD_PAYLOAD, None),
    ],
)
def test_refused_submissions(response: HttpResponse, code: FailureCode, retry_after: float | None) -> None:
    http = ScriptedHttp([response])
    with pytest.raises(UpstreamError) as caught:
        bfl(http).submit(asked())
    assert (caught.value.failure.code, caught.value.failure.retry_after) == (code, retry_after)
    assert len(http.requests) == 1


def check(response: HttpResponse, charged: Any = 3.0) -> Any:
    return bfl(ScriptedHttp([response])).check(Ticket({"url": POLLING, "credits": charged}), 0)


@pytest.mark.parametrize("document", [{"status": "Pending"}, {"status": "New"}, {"state": "Pending"}, {"id": ID}])
def test_a_status_that_is_no_known_end_is_pending(document: Any) -> None:
    assert check(answer(document)) == Pending()


def test_a_finished_task_has_an_address_and_its_cost() -> None:
    assert check(answer(READY)) == Ready(sources=(Source(SAMPLE),), seed=7, micro_dollars=30_000)
    assert check(answer(READY | {"cost": 4.5})).micro_dollars == 45_000
    assert check(answer(READY | {"cost": "free"})).micro_dollars == 30_000
    assert check(answer(READY), None).micro_dollars is None
    assert check(answer(READY | {"status": None, "state": "Ready"})).seed == 7


@pytest.mark.parametrize("cost", [-1, 1e9, "3", None, [3]])
def test_an_odd_cost_is_not_told(cost: Any) -> None:
    assert check(answer(READY | {"cost": cost}), None).micro_dollars is None


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (
            answer({"status": "Request Moderated", "details": {"Moderation Reasons": ["x"]}}),
            FailureCode.CONTENT_FILTERED,
        ),
        (answer({"status": "Content Moderated"}), FailureCode.CONTENT_FILTERED),
        (answer({"status": "Task not found"}), FailureCode.EXPIRED),
        (answer({"status": "Task not found"}, 404), FailureCode.EXPIRED),
        (answer({"status": "Error", "details": {"Moderation Reasons": 7}}), FailureCode.UPSTREAM_FAILED),
        (answer({"status": "Failed"}), FailureCode.UPSTREAM_FAILED),
        (answer({"status": "Ready", "result": None}), FailureCode.BAD_PAYLOAD),
        (answer({"status": "Ready", "result": {"sample": ""}}), FailureCode.BAD_PAYLOAD),
    ],
)
def test_ends_without_a_picture(response: HttpResponse, code: FailureCode) -> None:
    failed = check(response)
    assert isinstance(failed, Failed)
    assert failed.failure.code is code


@pytest.mark.parametrize("response", [answer({}, 500), answer({}, 429), answer({"detail": "x"}, 404), answer([])])
def test_a_check_that_fails_is_no_verdict(response: HttpResponse) -> None:
    with pytest.raises(UpstreamError):
        check(response)


def test_there_is_nothing_to_cancel() -> None:
    bfl(ScriptedHttp()).cancel(Ticket({"url": POLLING}))
