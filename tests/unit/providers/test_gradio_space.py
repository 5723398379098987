"""The Space protocol's pure parts, on recorded answers (docs/protocols/gradio-spaces.md)."""

import json
from typing import Any

import pytest

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Failed, Ready, Ticket
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.upstreams import HttpResponse, ServerSentEvent
from imagegate.providers.gradio_space import GradioSpace, build_arguments, parse_error
from support.fakes import NoSecrets, ScriptedHttp

BASE = "https://space.invalid"
FILE = {
    "path": "/tmp/gradio/abc/image.webp",
    "url": "https://space.invalid/c/file=/tmp/gradio/abc/image.webp",
    "size": None,
    "orig_name": "image.webp",
    "mime_type": None,
    "is_stream": False,
    "meta": {"_type": "gradio.FileData"},
}
ACCEPTED = HttpResponse(200, {}, b'{"event_id":"0123456789abcdef0123456789abcdef"}')
NOT_FOUND = HttpResponse(404, {}, b'{"detail":"Not Found"}')


def request(**changes: Any) -> ImageRequest:
    return ImageRequest(model="flux", messages=(Message("a cat"),), **changes)


def space(http: ScriptedHttp, **secrets: str) -> GradioSpace:
    return GradioSpace("space", BASE, http, NoSecrets(secrets))


def test_arguments_in_the_spaces_order() -> None:
    sent = request(size=Size(1000, 770), seed=5, steps=2)
    assert build_arguments(sent) == ["a cat", 5, False, 992, 768, 2]
    assert build_arguments(request()) == ["a cat", 0, True, 1024, 1024, 4]


def test_gradio_5_and_6_are_tried_first() -> None:
    http = ScriptedHttp([ACCEPTED])
    ticket = space(http).submit(UpstreamRequest(request=request(), model="m"))
    assert ticket.data == {"event_id": "0123456789abcdef0123456789abcdef", "prefix": "/gradio_api"}
    assert http.requests[0].url == f"{BASE}/gradio_api/call/infer"


def test_gradio_4_is_found_once_and_remembered() -> None:
    http = ScriptedHttp([NOT_FOUND, ACCEPTED, ACCEPTED])
    provider = space(http)
    assert provider.submit(UpstreamRequest(request=request(), model="m")).data["prefix"] == ""
    provider.submit(UpstreamRequest(request=request(), model="m"))
    assert [sent.url for sent in http.requests] == [
        f"{BASE}/gradio_api/call/infer",
        f"{BASE}/call/infer",
        f"{BASE}/call/infer",
    ]


def test_a_space_that_was_asleep_or_is_upgraded_is_found_under_its_other_prefix() -> None:
    asleep = HttpResponse(503, {}, b"<html>waking up</html>")
    http = ScriptedHttp([asleep, NOT_FOUND, ACCEPTED, NOT_FOUND, ACCEPTED])
    provider = space(http)
    with pytest.raises(UpstreamError):
        provider.submit(UpstreamRequest(request=request(), model="m"))
    assert provider.submit(UpstreamRequest(request=request(), model="m")).data["prefix"] == ""
    assert provider.submit(UpstreamRequest(request=request(), model="m")).data["prefix"] == "/gradio_api"


def test_a_space_that_is_no_gradio_app() -> None:
    with pytest.raises(UpstreamError) as caught:
        space(ScriptedHttp([NOT_FOUND, NOT_FOUND])).submit(UpstreamRequest(request=request(), model="m"))
    assert caught.value.failure.code is FailureCode.NOT_FOUND


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (HttpResponse(503, {}, b'{"detail":"Queue is full. Max size is 20"}'), FailureCode.CAPACITY),
        (HttpResponse(429, {"retry-after": "7"}, b"slow down"), FailureCode.RATE_LIMITED),
        (HttpResponse(401, {}, b"{}"), FailureCode.AUTH),
        (HttpResponse(500, {}, b"Internal Server Error"), FailureCode.UPSTREAM_FAILED),
        (HttpResponse(422, {}, b'{"detail":"no"}'), FailureCode.INVALID_REQUEST),
        (HttpResponse(200, {}, b"<html>maintenance</html>"), FailureCode.BAD_PAYLOAD),
        (HttpResponse(200, {}, b'{"event_id":7}'), FailureCode.BAD_PAYLOAD),
        (HttpResponse(200, {}, b"[]"), FailureCode.BAD_PAYLOAD),
        (HttpResponse(200, {}, b'{"event_id":"../config"}'), FailureCode.BAD_PAYLOAD),
        (HttpResponse(200, {}, b'{"event_id":"%s"}' % (b"x" * 129)), FailureCode.BAD_PAYLOAD),
        (HttpResponse(200, {}, b"[" * 200_000), FailureCode.BAD_PAYLOAD),
        (HttpResponse(500, {}, b'{"detail":"half a fox \\ud83e"}'), FailureCode.UPSTREAM_FAILED),
    ],
)
def test_refused_submissions(response: HttpResponse, code: FailureCode) -> None:
    with pytest.raises(UpstreamError) as caught:
        space(ScriptedHttp([response])).submit(UpstreamRequest(request=request(), model="m"))
    assert caught.value.failure.code is code
    assert caught.value.failure.message.encode()


def test_a_throttled_submission_says_when_to_come_back() -> None:
    with pytest.raises(UpstreamError) as caught:
        space(ScriptedHttp([HttpResponse(429, {"retry-after": "7"}, b"<b>slow</b> down")])).submit(
            UpstreamRequest(request=request(), model="m")
        )
    assert caught.value.failure.retry_after == 7
    assert "slow down" in caught.value.failure.message


def test_the_token_goes_along_when_there_is_one() -> None:
    http = ScriptedHttp([ACCEPTED, ACCEPTED])
    space(http).submit(UpstreamRequest(request=request(), model="m"))
    space(http, HF_TOKEN="hf_x").submit(UpstreamRequest(request=request(), model="m"))
    assert [sent.headers.get("authorization") for sent in http.requests] == [None, "Bearer hf_x"]


def check(*events: ServerSentEvent | UpstreamError, prefix: str = "/gradio_api") -> Any:
    http = ScriptedHttp(events=list(events))
    return space(http).check(Ticket({"event_id": "e", "prefix": prefix}), 1e12)


HEARTBEAT = ServerSentEvent("heartbeat", "null")
DEEP = "[" * 200_000


def shown(value: object) -> str:
    """In a test's name."""
    return repr(value)[:60]


@pytest.mark.parametrize(("prefix"), ["/gradio_api", ""])
def test_complete_gives_the_address_on_the_spaces_own_host_and_the_seed_used(prefix: str) -> None:
    verdict = check(HEARTBEAT, ServerSentEvent("complete", json.dumps([FILE, 4711])), prefix=prefix)
    assert isinstance(verdict, Ready)
    assert verdict.seed == 4711
    assert verdict.sources[0].url == f"{BASE}{prefix}/file=/tmp/gradio/abc/image.webp"


@pytest.mark.parametrize("data", ["null", "[]", "[null, 3]", "[{}]", "nonsense", '{"a":1}', DEEP], ids=shown)
def test_complete_without_a_picture_is_a_failure(data: str) -> None:
    verdict = check(ServerSentEvent("complete", data))
    assert isinstance(verdict, Failed)
    assert verdict.failure.code is FailureCode.BAD_PAYLOAD


@pytest.mark.parametrize("field", ["path", "url"])
def test_an_address_too_long_to_be_stored_is_none(field: str) -> None:
    verdict = check(ServerSentEvent("complete", json.dumps([{field: f"https://space.invalid/{'x' * 4096}"}, 1])))
    assert isinstance(verdict, Failed)
    assert verdict.failure.code is FailureCode.BAD_PAYLOAD


@pytest.mark.parametrize("told", [[], [None], ["7"], [True], [-1], [10**4000]], ids=shown)
def test_a_seed_that_is_none_is_not_reported(told: list[Any]) -> None:
    assert check(ServerSentEvent("complete", json.dumps([FILE, *told]))).seed is None


@pytest.mark.parametrize("code", [FailureCode.CAPACITY, FailureCode.RATE_LIMITED])
def test_a_stream_that_was_never_opened_can_be_opened_later(code: FailureCode) -> None:
    with pytest.raises(UpstreamError) as caught:
        check(UpstreamError(Failure(code, "no connection")))
    assert caught.value.failure.code is code


@pytest.mark.parametrize(
    "code", [FailureCode.UPSTREAM_FAILED, FailureCode.UPSTREAM_TIMEOUT, FailureCode.EXPIRED, FailureCode.BAD_PAYLOAD]
)
def test_a_stream_that_broke_is_lost(code: FailureCode) -> None:
    assert check(HEARTBEAT, UpstreamError(Failure(code, "broke"))) == Failed(Failure(code, "broke"))


def test_a_stream_without_a_last_event_is_never_pending() -> None:
    verdict = check(HEARTBEAT)
    assert isinstance(verdict, Failed)
    assert verdict.failure.code is FailureCode.UPSTREAM_TIMEOUT


QUOTA = (
    "You have exceeded your GPU quota (60s requested vs. 42s left). "
    'Try again in 0:09:48 <a href="https://x.invalid">sign up</a>'
)


@pytest.mark.parametrize(
    ("data", "code", "retry_after"),
    [
        ("null", FailureCode.UPSTREAM_FAILED, None),
        ('{"error": null}', FailureCode.UPSTREAM_FAILED, None),
        ('"404: Session not found."', FailureCode.EXPIRED, None),
        ('"404: Not Found"', FailureCode.EXPIRED, None),
        (json.dumps({"error": QUOTA, "title": "Error"}), FailureCode.RATE_LIMITED, 588.0),
        ('{"error": "GPU quota. Please retry in 0:09:48"}', FailureCode.RATE_LIMITED, 588.0),
        ('{"error": "GPU quota. Try again in 999999999:00:00"}', FailureCode.RATE_LIMITED, 86_400.0),
        (f'{{"error": "GPU quota. Try again in {"9" * 290}:00:00"}}', FailureCode.RATE_LIMITED, None),
        ('{"error": "half a fox \\ud83e"}', FailureCode.UPSTREAM_FAILED, None),
        (DEEP, FailureCode.UPSTREAM_FAILED, None),
        ('{"error": "Value 64 is less than minimum value 256."}', FailureCode.INVALID_REQUEST, None),
        ('{"error": "CUDA out of memory"}', FailureCode.UPSTREAM_FAILED, None),
        ('{"error": "NSFW content detected"}', FailureCode.CONTENT_FILTERED, None),
        ('{"error": "The content filter refused this prompt."}', FailureCode.CONTENT_FILTERED, None),
    ],
    ids=shown,
)
def test_errors_in_the_stream(data: str, code: FailureCode, retry_after: float | None) -> None:
    failure = parse_error("space", data)
    assert (failure.code, failure.retry_after) == (code, retry_after)
    assert "<a" not in failure.message
    assert failure.message.encode()
