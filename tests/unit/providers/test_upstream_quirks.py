"""Old and odd servers that speak OpenAI's Images API: what they answer is understood, or told in their own words.

Answers after docs/protocols/openai-compatible.md#answers and #tasks.
"""

import base64
import json
from typing import Any

import pytest

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.attempt import Source
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Pending, Ready, Submission, Ticket
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.upstreams import HttpResponse
from imagegate.providers.openai_compat import OpenAICompatConfig
from imagegate.providers.openai_images import OpenAIImages
from support.fakes import NoSecrets, ScriptedHttp, picture

BASE = "https://up.example.com/api/v1"
PNG = picture()
PNG64 = base64.b64encode(PNG).decode()
URL = "https://cdn.example.com/fox.png"
WANTED = UpstreamRequest(request=ImageRequest(model="m", messages=(Message("a fox"),)), model="m")
CONFIG = OpenAICompatConfig(keys={"MY_KEY": "Bearer"}, headers={"x-kind": "image_generation"})


def answer(document: Any, status: int = 200, **headers: str) -> HttpResponse:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return HttpResponse(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def provider(*answers: HttpResponse, config: OpenAICompatConfig = CONFIG) -> tuple[OpenAIImages, ScriptedHttp]:
    http = ScriptedHttp(list(answers))
    return OpenAIImages("up", BASE, http, NoSecrets({"MY_KEY": "sk-up"}), config), http


def submitted(*answers: HttpResponse, config: OpenAICompatConfig = CONFIG) -> Submission:
    return provider(*answers, config=config)[0].submit(WANTED)


def failure(*answers: HttpResponse) -> Failure:
    with pytest.raises(UpstreamError) as raised:
        submitted(*answers)
    return raised.value.failure


def events(*documents: Any, end: str = "\n\n") -> HttpResponse:
    body = "".join(f"event: {document['type']}{end[:1]}data: {json.dumps(document)}{end}" for document in documents)
    return answer(f": ping{end}{body}data: [DONE]{end}".encode(), content_type="text/event-stream; charset=utf-8")


DONE = Ready(sources=(Source(URL),), seed=5)
PARTIAL = {"type": "image_generation.partial_image", "b64_json": base64.b64encode(b"a sketch").decode()}
COMPLETED = {"type": "image_generation.completed", "b64_json": PNG64, "usage": {"total_tokens": 7}}
BASE64URL = base64.urlsafe_b64encode(b"\xfb\xff\xfe" * 4).decode()


@pytest.mark.parametrize(
    ("response", "bodies", "urls"),
    [
        (answer({"images": [{"url": URL}]}), [], [URL]),
        (answer({"images": [URL]}), [], [URL]),
        (answer({"data": {"image_urls": [URL]}}), [], [URL]),
        (answer({"data": {"url": URL}}), [], [URL]),
        (answer({"data": [{"url": [URL]}]}), [], [URL]),
        (answer({"output": [PNG64]}), [PNG], []),
        (answer({"data": [{"b64_json": BASE64URL}]}), [b"\xfb\xff\xfe" * 4], []),
        (answer({"data": [{"b64_json": BASE64URL.rstrip("=")}]}), [b"\xfb\xff\xfe" * 4], []),
        (answer(PNG, content_type="image/png"), [PNG], []),
        (answer(b"GIF89a...", content_type="image/gif"), [b"GIF89a..."], []),
        (answer(b"....ftypavif", content_type="image/avif"), [b"....ftypavif"], []),
        (events(PARTIAL, COMPLETED), [PNG], []),
        (events(PARTIAL, COMPLETED, end="\r\n\r\n"), [PNG], []),
        (events({"type": "image_edit.completed", "url": URL}), [], [URL]),
        (answer(f'data: {{"created": 1, "data": [{{"url": "{URL}"}}]}}\n\ndata: [DONE]\n\n'.encode()), [], [URL]),
        (answer({"task_id": "7", "status": "succeeded", "data": [{"url": URL}]}), [], [URL]),
    ],
)
def test_pictures_are_found_and_kept_as_they_came(response: HttpResponse, bodies: list[bytes], urls: list[str]) -> None:
    """B6 and B7 of what people send: pictures under other names, base64url, events, the bare picture, GIF and AVIF."""
    ready = submitted(response)
    assert isinstance(ready, Ready)
    assert (list(ready.bodies), list(ready.sources)) == (bodies, [Source(url) for url in urls])


def test_the_usage_is_in_the_last_event() -> None:
    ready = submitted(events(PARTIAL, COMPLETED))
    assert isinstance(ready, Ready)
    assert ready.usage
    assert ready.usage.total_tokens == 7


@pytest.mark.parametrize(
    ("response", "code", "words"),
    [
        (events({"type": "error", "error": {"code": "moderation_blocked", "message": "no"}}), "content_filtered", "no"),
        (events(PARTIAL), "bad_payload", "without a picture"),
        (answer({"error": {"code": "content_filter", "message": "filtered"}}, 400), "content_filtered", "filtered"),
        (answer({"error": {"code": "contentFilter", "message": "filtered"}}, 400), "content_filtered", "filtered"),
        (answer({"error": {"code": "insufficient_user_quota", "message": "top up"}}, 403), "no_credit", "top up"),
        (answer({"error": {"type": "insufficient_user_quota", "message": "top up"}}, 500), "no_credit", "top up"),
        (answer({"error": {"code": "E_1234", "message": "the flux capacitor"}}, 500), "upstream_failed", "flux capac"),
        (answer({"error": {"code": "E_1234", "message": "the flux capacitor"}}, 418), "upstream_failed", "flux capac"),
        (answer({"code": "odd", "message": "the flux capacitor"}, 502), "upstream_failed", "flux capacitor"),
    ],
)
def test_a_refusal_has_the_right_code_and_the_upstreams_words(response: HttpResponse, code: str, words: str) -> None:
    """B4 and B8, and codes that are not known."""
    found = failure(response)
    assert found.code == FailureCode(code)
    assert words in found.message


def test_a_date_says_when_to_come_back() -> None:
    """B5."""
    headers = {"retry_after": "Sun, 29 Nov 2026 12:00:30 GMT", "date": "Sun, 29 Nov 2026 12:00:00 GMT"}
    assert failure(answer({"error": {"message": "slow down"}}, 429, **headers)).retry_after == 30


def test_fields_that_only_the_gateway_sent_are_left_out_when_they_are_refused() -> None:
    """B2: one after the other, and remembered."""
    refusals = [answer({"error": {"message": f"unknown field {name}"}}, 400) for name in ("response_format", "size")]
    done = answer({"data": [{"url": URL}]})
    up, http = provider(*refusals, done, done)
    assert isinstance(up.submit(WANTED), Ready)
    assert isinstance(up.submit(WANTED), Ready)
    sent = [{"response_format", "size"} & set(request.json) for request in http.requests]
    assert sent == [{"response_format", "size"}, {"size"}, set(), set()]


LINK = "/api/v1/images/tasks/t-1"


@pytest.mark.parametrize(
    ("accepted", "config", "url"),
    [
        (answer({"task_id": "t-1", "task_status": "SUCCEED"}), {}, "/tasks/t-1"),
        (answer({"task_id": "t-1"}), {}, "/tasks/t-1"),
        (answer({"code": 0, "data": {"task_id": "t-1", "task_status": "submitted"}}), {}, "/tasks/t-1"),
        (answer({"code": 200, "data": [{"status": "submitted", "task_id": "t-1"}]}), {}, "/tasks/t-1"),
        (answer({"id": "t-1", "object": "image.generation.task", "status": "pending"}), {}, "/tasks/t-1"),
        (answer({"id": "t-1", "object": "generation.task"}), {"tasks": "/jobs?id={id}"}, "/jobs?id=t-1"),
        (answer({"id": "t-1", "status": "queued"}, 202), {}, "/tasks/t-1"),
        (answer({"task_id": "t-1", "poll_url": LINK}), {}, "/images/tasks/t-1"),
        (answer(b"", 202, location=LINK), {}, "/images/tasks/t-1"),
        (answer({}, 202, operation_location=f"https://up.example.com{LINK}?v=1"), {}, "/images/tasks/t-1?v=1"),
        # A foreign host gets no key: the task is asked for at the provider's own.
        (answer({"id": "t-1"}, 202, location="https://evil.example.com/x"), {}, "/tasks/t-1"),
        (answer({"task_id": "t-1", "status_url": "http://up.example.com/x"}), {}, "/tasks/t-1"),
    ],
)
def test_a_task_is_polled_where_the_answer_or_the_file_says(accepted: HttpResponse, config: Any, url: str) -> None:
    """B3."""
    with_config = OpenAICompatConfig(keys=CONFIG.keys, headers=CONFIG.headers, **config)
    up, http = provider(accepted, answer({"status": "completed", "results": [URL]}), config=with_config)
    ticket = up.submit(WANTED)
    assert isinstance(ticket, Ticket), ticket
    assert json.loads(json.dumps(ticket.data)) == ticket.data
    assert up.check(ticket, 0) == Ready(sources=(Source(URL),))
    asked = http.requests[-1]
    assert (asked.method, asked.url) == ("GET", f"{BASE}{url}")
    assert asked.headers == {"authorization": "Bearer sk-up", "x-kind": "image_generation"}


@pytest.mark.parametrize(
    "response",
    [
        answer({"id": "no/path"}, 202),
        answer(b"", 202, location="https://evil.example.com/x"),
        answer({"id": "x", "model": "m", "object": "list", "data": []}),
        answer({"task_id": "7", "status": "failed"}),
    ],
)
def test_what_cannot_be_polled_is_a_failure_at_once(response: HttpResponse) -> None:
    assert failure(response).code is FailureCode.BAD_PAYLOAD


def checked(response: HttpResponse) -> Check:
    return provider(response)[0].check(Ticket({"path": LINK, "seed": 5}), 0)


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (answer({"task_status": "PROCESSING", "input": {"image_urls": [URL]}}), Pending()),
        (answer({"status": "dreaming"}, retry_after="7"), Pending(7)),
        (answer(b"", 202), Pending()),
        (answer({"task_status": "SUCCEED", "output_images": [URL]}), DONE),
        (answer({"status": "completed", "http_status": 200, "result": {"data": [{"url": URL}]}}), DONE),
        (answer({"data": {"task_status": "succeed", "task_result": {"images": [{"index": 0, "url": URL}]}}}), DONE),
        (answer({"data": {"status": "completed", "result": {"images": [{"url": [URL]}]}}}), DONE),
        (answer({"created": 1, "data": [{"b64_json": PNG64}]}), Ready(bodies=(PNG,), seed=5)),
        (answer(PNG, content_type="image/png"), Ready(bodies=(PNG,), seed=5)),
    ],
)
def test_where_a_task_stands(response: HttpResponse, expected: Check) -> None:
    assert checked(response) == expected


@pytest.mark.parametrize(
    ("response", "code", "words"),
    [
        (answer({"status": "failed", "error": {"message": "the flux capacitor"}}), "upstream_failed", "flux capacitor"),
        (answer({"task_status": "FAILED", "message": "nsfw content found"}), "content_filtered", "nsfw"),
        (answer({"data": {"status": "failed", "error": {"code": "insufficient_user_quota"}}}), "no_credit", "up:"),
        (answer({"status": "cancelled"}), "upstream_failed", "cancelled"),
        (answer({"status": "completed"}), "bad_payload", "without a picture"),
        (answer({"error": {"message": "no such task"}}, 404), "not_found", "`tasks`"),
    ],
)
def test_how_a_task_ends_without_a_picture(response: HttpResponse, code: str, words: str) -> None:
    found = checked(response)
    assert isinstance(found, Failed)
    assert found.failure.code == FailureCode(code)
    assert words in found.failure.message


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_a_poll_that_fails_says_nothing_of_the_task(status: int) -> None:
    with pytest.raises(UpstreamError):
        checked(answer({"error": {"message": "not now"}}, status))
