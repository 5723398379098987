"""DashScope: what is sent, and what is made of its answers. Contract: docs/protocols/dashscope.md."""

import json
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.attempt import Source
from imagegate.domain.operation.order import InputBody, UpstreamRequest
from imagegate.domain.operation.outcome import Failed, Pending, Ready, Ticket
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.limits import CompletionMode
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.upstreams import HttpResponse
from imagegate.providers.dashscope import (
    DashScope,
    DashScopeConfig,
    build_body,
    parse_pictures,
    parse_started,
    parse_task,
)
from support.fakes import NoSecrets, ScriptedHttp

HELD, TASKS = DashScopeConfig(), DashScopeConfig(tasks=True)
BASE = "https://dashscope.test/api/v1"
URL = "https://oss.test/a.png?Expires=1&Signature=x"
TASK = "86ecf553-d340-4e21-af6e-a0c6a421c010"


def answer(document: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status, {}, json.dumps(document).encode())


def output(**fields: Any) -> HttpResponse:
    return answer({"output": fields, "request_id": "r"})


def problem(code: str, status: int = 400, message: str = "because") -> HttpResponse:
    return answer({"code": code, "message": message, "request_id": "r"}, status)


def choices(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"finish_reason": "stop", "message": {"role": "assistant", "content": [part]}} for part in parts]


def asked(model: str = "qwen-image-2.0", count: int = 1, **changes: Any) -> UpstreamRequest:
    return UpstreamRequest(
        request=replace(ImageRequest(model="m", messages=(Message("a fox"),)), **changes), model=model, count=count
    )


def sent(config: DashScopeConfig, request: UpstreamRequest, response: HttpResponse) -> Any:
    http = ScriptedHttp([response])
    DashScope("dashscope", BASE, http, NoSecrets({"DASHSCOPE_API_KEY": "k\n"}), config).submit(request)
    [one] = http.requests
    return one


def test_a_held_call_has_messages_and_the_prompt_is_left_as_it_is() -> None:
    request = sent(HELD, asked(seed=0, negative_prompt="dogs"), output(choices=choices({"image": URL})))
    assert request.url == f"{BASE}/services/aigc/multimodal-generation/generation"
    assert request.headers == {"authorization": "Bearer k"}
    assert request.timeout > 120
    assert request.json == {
        "model": "qwen-image-2.0",
        "input": {"messages": [{"role": "user", "content": [{"text": "a fox"}]}]},
        "parameters": {
            "size": "1024*1024", "n": 1, "prompt_extend": False, "watermark": False, "seed": 0,
            "negative_prompt": "dogs",
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("model", "path", "given"),
    [
        ("wan2.6-t2i", "image-generation/generation", {"messages": [{"role": "user", "content": [{"text": "a fox"}]}]}),
        ("wan2.5-t2i-preview", "text2image/image-synthesis", {"prompt": "a fox"}),
        ("wan2.2-t2i-flash", "text2image/image-synthesis", {"prompt": "a fox"}),
    ],
)
def test_a_task_goes_where_its_model_is(model: str, path: str, given: dict[str, Any]) -> None:
    request = sent(TASKS, asked(model, 3), output(task_id=TASK, task_status="PENDING"))
    assert request.url == f"{BASE}/services/aigc/{path}"
    assert request.headers["x-dashscope-async"] == "enable"
    assert (request.json["input"], request.json["parameters"]["n"]) == (given, 3)


def test_a_bare_prompt_has_its_negative_beside_it() -> None:
    body = build_body(asked("wan2.2-t2i-flash", negative_prompt="dogs"), TASKS)
    assert body["input"] == {"prompt": "a fox", "negative_prompt": "dogs"}


def test_pictures_to_work_from_stand_before_the_words() -> None:
    body = build_body(replace(asked(), inputs=(InputBody(b"x", "image/png"),)), HELD)
    assert body["input"]["messages"][0]["content"] == [{"image": "data:image/png;base64,eA=="}, {"text": "a fox"}]


@pytest.mark.parametrize(
    ("config", "model", "size", "made"),
    [
        (HELD, "qwen-image-2.0", Size(300, 300), "512*512"),
        (HELD, "qwen-image-2.0", Size(4096, 2048), "2048*1024"),
        (TASKS, "wan2.6-t2i", Size(512, 512), "1280*1280"),
        (TASKS, "wan2.2-t2i-flash", Size(512, 1024), "768*1024"),
    ],
)
def test_sizes_are_each_models_own(config: DashScopeConfig, model: str, size: Size, made: str) -> None:
    assert build_body(asked(model, size=size), config)["parameters"]["size"] == made


def test_how_each_lets_us_wait() -> None:
    assert HELD.limits.completion is CompletionMode.SYNC
    assert TASKS.limits_for("wan2.6-t2i").completion is CompletionMode.POLL
    assert HELD.limits.works_from(3, prompted=True)
    assert not TASKS.limits.works_from(1, prompted=True)


def test_pictures_of_a_held_call() -> None:
    assert parse_pictures("d", output(choices=choices({"image": URL})), 7) == Ready(sources=(Source(URL),), seed=7)
    both = parse_pictures("d", output(choices=choices({"image": URL}, {"text": "!"}, {"image": URL + "2"})), 7)
    assert both == Ready(sources=(Source(URL), Source(URL + "2")))


@pytest.mark.parametrize("parse", [parse_pictures, parse_started, parse_task])
@pytest.mark.parametrize("in_200", [False, True], ids=["", "in a 200"])
@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("DataInspectionFailed", 400, FailureCode.CONTENT_FILTERED),
        ("IPInfringementSuspect", 400, FailureCode.CONTENT_FILTERED),
        ("Arrearage", 400, FailureCode.NO_CREDIT),
        ("AllocationQuota.FreeTierOnly", 403, FailureCode.NO_CREDIT),
        ("InvalidApiKey", 401, FailureCode.AUTH),
        ("AccessDenied", 403, FailureCode.AUTH),
        ("Model.AccessDenied", 403, FailureCode.AUTH),
        ("ModelNotFound", 404, FailureCode.NOT_FOUND),
        ("Throttling", 429, FailureCode.RATE_LIMITED),
        ("Throttling.RateQuota", 429, FailureCode.RATE_LIMITED),
        ("Throttling.AllocationQuota", 429, FailureCode.RATE_LIMITED),
        ("RequestTimeOut", 500, FailureCode.UPSTREAM_TIMEOUT),
        ("InternalError.Timeout", 500, FailureCode.UPSTREAM_TIMEOUT),
        ("ModelUnavailable", 503, FailureCode.CAPACITY),
        ("InternalError", 500, FailureCode.UPSTREAM_FAILED),
        ("InternalError.Algo", 500, FailureCode.UPSTREAM_FAILED),
        ("InvalidParameter", 400, FailureCode.INVALID_REQUEST),
    ],
)
def test_errors_have_their_codes(parse: Any, in_200: bool, code: str, status: int, expected: FailureCode) -> None:
    with pytest.raises(UpstreamError) as caught:
        parse("dashscope", problem(code, 200 if in_200 else status), None)
    assert caught.value.failure.code is expected


@pytest.mark.parametrize("parse", [parse_pictures, parse_started, parse_task])
@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (problem("InvalidParameter", 400, "Model not exist."), FailureCode.NOT_FOUND),
        (HttpResponse(503, {}, b"<html>"), FailureCode.CAPACITY),
        (HttpResponse(502, {}, b"<html>"), FailureCode.UPSTREAM_FAILED),
        (HttpResponse(200, {}, b"<html>"), FailureCode.BAD_PAYLOAD),
        (answer([]), FailureCode.BAD_PAYLOAD),
        (answer({"output": "none"}), FailureCode.BAD_PAYLOAD),
        (output(task_id="../x", task_status=1, choices=3), FailureCode.BAD_PAYLOAD),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "__name__", "")[:40],
)
def test_what_is_no_answer(parse: Any, response: HttpResponse, expected: FailureCode) -> None:
    with pytest.raises(UpstreamError) as caught:
        parse("dashscope", response, None)
    assert caught.value.failure.code is expected


def test_a_started_task_is_a_ticket() -> None:
    ticket = parse_started("d", output(task_id=TASK, task_status="PENDING"), 7)
    assert ticket == Ticket({"id": TASK, "seed": 7})


@pytest.mark.parametrize("status", ["PENDING", "RUNNING", "SUSPENDED", "WHATEVER"])
def test_a_task_that_has_not_ended(status: str) -> None:
    assert parse_task("d", output(task_id=TASK, task_status=status), 7) == Pending()


@pytest.mark.parametrize("found", [{"results": [{"url": URL}]}, {"choices": choices({"image": URL})}])
def test_pictures_of_a_task(found: dict[str, Any]) -> None:
    assert parse_task("d", output(task_status="SUCCEEDED", **found), 7) == Ready(sources=(Source(URL),), seed=7)


def test_fewer_pictures_than_asked_for_are_a_success() -> None:
    results = [{"url": URL}, {"code": "DataInspectionFailed", "message": "no"}]
    assert parse_task("d", output(task_status="SUCCEEDED", results=results), None) == Ready(sources=(Source(URL),))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"task_status": "FAILED", "code": "DataInspectionFailed", "message": "no"}, FailureCode.CONTENT_FILTERED),
        ({"task_status": "FAILED", "code": "InternalError.Algo"}, FailureCode.UPSTREAM_FAILED),
        ({"task_status": "FAILED"}, FailureCode.UPSTREAM_FAILED),
        ({"task_status": "CANCELED"}, FailureCode.UPSTREAM_FAILED),
        ({"task_status": "UNKNOWN", "task_id": ""}, FailureCode.EXPIRED),
        ({"task_status": "SUCCEEDED", "results": [{"code": "DataInspectionFailed"}]}, FailureCode.CONTENT_FILTERED),
        ({"task_status": "SUCCEEDED", "choices": choices({"text": "no"})}, FailureCode.BAD_PAYLOAD),
        ({"task_status": "SUCCEEDED"}, FailureCode.BAD_PAYLOAD),
    ],
    ids=str,
)
def test_verdicts(fields: dict[str, Any], code: FailureCode) -> None:
    check = parse_task("d", output(**fields), None)
    assert isinstance(check, Failed)
    assert check.failure.code is code
