"""GigaChat: what is sent, and what is made of its answers. Contract: docs/protocols/gigachat.md."""

import json
import time
import uuid
from typing import Any

import pytest

from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Failed, Ready, Ticket
from imagegate.domain.operation.usage import Usage
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.upstreams import HttpResponse
from imagegate.providers.gigachat import TOKEN_SECONDS, GigaChat, GigaChatConfig, parse_chat, parse_token
from support.fakes import NoSecrets, ScriptedHttp

BASE = "https://giga.test/api/v1"
FILE = "5f7e8d1c-7b3e-4d8a-9a43-0b1c2d3e4f50"
ASKED = UpstreamRequest(request=ImageRequest(model="gigachat", messages=(Message("лиса"),)), model="GigaChat-2-Max")


def answer(document: Any, status: int = 200, **headers: str) -> HttpResponse:
    return HttpResponse(status, headers, json.dumps(document).encode())


def token(value: str = "t1", seconds: float = 1800.0) -> HttpResponse:
    return answer({"access_token": value, "expires_at": int((time.time() + seconds) * 1000)})


def chat(content: str, finish_reason: str = "stop") -> HttpResponse:
    message = {"role": "assistant", "content": content}
    usage = {"prompt_tokens": 22, "completion_tokens": 60, "total_tokens": 82, "precached_prompt_tokens": 0}
    return answer({"choices": [{"message": message, "index": 0, "finish_reason": finish_reason}], "usage": usage})


DRAWN = chat(f'<img src="{FILE}" fuse="true"/> — вот лиса')
JPEG = HttpResponse(200, {"content-type": "image/jpg"}, b"\xff\xd8...")
EXPIRED = answer({"status": 401, "message": "Token has expired"}, 401)


def made(
    *answers: HttpResponse | UpstreamError, secrets: dict[str, str] | None = None
) -> tuple[GigaChat, ScriptedHttp]:
    http = ScriptedHttp(list(answers))
    found = NoSecrets({"GIGACHAT_CREDENTIALS": "a2V5\n"} if secrets is None else secrets)
    return GigaChat("gigachat", BASE, http, found, GigaChatConfig()), http


def code_of(error: pytest.ExceptionInfo[UpstreamError]) -> FailureCode:
    return error.value.failure.code


def test_a_token_a_chat_and_a_file() -> None:
    giga, http = made(token(), DRAWN, JPEG)
    assert giga.submit(ASKED) == Ready(
        bodies=(JPEG.body,), usage=Usage(input_tokens=22, output_tokens=60, total_tokens=82)
    )
    oauth, asked, file = http.requests
    assert (oauth.method, oauth.url, oauth.form) == ("POST", GigaChatConfig().auth_url, {"scope": "GIGACHAT_API_PERS"})
    assert oauth.headers["authorization"] == "Basic a2V5"
    assert uuid.UUID(oauth.headers["rquid"]).version == 4
    assert (asked.method, asked.url) == ("POST", f"{BASE}/chat/completions")
    assert (asked.json["model"], asked.json["function_call"]) == ("GigaChat-2-Max", "auto")
    assert asked.json["messages"][-1] == {"role": "user", "content": "Нарисуй: лиса"}
    assert (file.method, file.url) == ("GET", f"{BASE}/files/{FILE}/content")
    assert asked.headers["authorization"] == file.headers["authorization"] == "Bearer t1"


def test_a_token_serves_until_a_minute_before_its_end() -> None:
    giga, http = made(token(), DRAWN, JPEG, DRAWN, JPEG)
    giga.submit(ASKED)
    giga.submit(ASKED)
    assert sum("oauth" in each.url for each in http.requests) == 1
    giga, http = made(token(seconds=59), DRAWN, token("t2"), JPEG)
    giga.submit(ASKED)
    assert [each.headers["authorization"] for each in http.requests[1::2]] == ["Bearer t1", "Bearer t2"]


def test_a_token_that_is_no_longer_taken_is_renewed_once() -> None:
    giga, http = made(token(), DRAWN, JPEG, EXPIRED, token("t2"), DRAWN, JPEG, EXPIRED, token("t3"), EXPIRED)
    giga.submit(ASKED)
    assert isinstance(giga.submit(ASKED), Ready)
    assert [each.headers["authorization"] for each in http.requests[3:7]] == [
        "Bearer t1", "Basic a2V5", "Bearer t2", "Bearer t2"
    ]  # fmt: skip
    with pytest.raises(UpstreamError) as caught:
        giga.submit(ASKED)
    assert code_of(caught) is FailureCode.AUTH
    assert len(http.requests) == 10


def test_a_fresh_token_that_is_not_taken_is_the_end() -> None:
    giga, http = made(token(), EXPIRED)
    with pytest.raises(UpstreamError) as caught:
        giga.submit(ASKED)
    assert code_of(caught) is FailureCode.AUTH
    assert len(http.requests) == 2


@pytest.mark.parametrize("refused", [answer({"status": 500, "message": "x"}, 500), answer({}, 404)])
def test_a_picture_that_cannot_be_read_becomes_a_ticket(refused: HttpResponse) -> None:
    giga, _ = made(token(), DRAWN, refused)
    ticket = giga.submit(ASKED)
    assert ticket == Ticket({"files": [FILE]})
    giga, _ = made(token(), JPEG)
    assert giga.check(Ticket({"files": [FILE]}), 0) == Ready(bodies=(JPEG.body,))


def test_a_file_that_is_gone_has_expired_and_one_in_trouble_is_asked_for_again() -> None:
    giga, _ = made(token(), answer({"status": 404, "message": "No such file"}, 404), answer({}, 502))
    check = giga.check(Ticket({"files": [FILE]}), 0)
    assert isinstance(check, Failed)
    assert check.failure.code is FailureCode.EXPIRED
    with pytest.raises(UpstreamError) as caught:
        giga.check(Ticket({"files": [FILE]}), 0)
    assert code_of(caught) is FailureCode.UPSTREAM_FAILED


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (answer({"status": 400, "message": "x"}, 400), FailureCode.INVALID_REQUEST),
        (answer({"status": 402, "message": "Payment Required"}, 402), FailureCode.NO_CREDIT),
        (answer({"status": 403, "message": "x"}, 403), FailureCode.AUTH),
        (answer({"status": 404, "message": "No such model"}, 404), FailureCode.NOT_FOUND),
        (answer({"status": 413, "message": "x"}, 413), FailureCode.INVALID_REQUEST),
        (answer({"status": 422, "message": "x"}, 422), FailureCode.INVALID_REQUEST),
        (answer({"status": 429, "message": "Too many requests"}, 429), FailureCode.RATE_LIMITED),
        (answer({"status": 500, "message": "x"}, 500), FailureCode.UPSTREAM_FAILED),
        (answer({"status": 503, "message": "x"}, 503), FailureCode.CAPACITY),
        (chat("Не люблю менять тему разговора", "blacklist"), FailureCode.CONTENT_FILTERED),
        (chat("Я умею только говорить"), FailureCode.BAD_PAYLOAD),
        (chat(""), FailureCode.BAD_PAYLOAD),
        (chat('<img src="../../oauth" fuse="true"/>'), FailureCode.BAD_PAYLOAD),
        (answer({"choices": "none"}), FailureCode.BAD_PAYLOAD),
        (answer({"choices": [{"message": "none"}]}), FailureCode.BAD_PAYLOAD),
        (answer([]), FailureCode.BAD_PAYLOAD),
    ],
    ids=lambda value: value if isinstance(value, str) else value.body.decode()[:60],
)
def test_what_the_chat_refuses(response: HttpResponse, code: FailureCode) -> None:
    with pytest.raises(UpstreamError) as caught:
        parse_chat("gigachat", response)
    assert code_of(caught) is code


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (answer({"code": 4, "message": "Can't decode 'Authorization' header"}, 400), FailureCode.AUTH),
        (answer({"code": 6, "message": "credentials doesn't match db data"}, 401), FailureCode.AUTH),
        (answer({"message": "x"}, 429), FailureCode.RATE_LIMITED),
        (answer({"message": "x"}, 502), FailureCode.CAPACITY),
        (answer({"access_token": "t\r\nx: y", "expires_at": 1}), FailureCode.BAD_PAYLOAD),
        (answer({}), FailureCode.BAD_PAYLOAD),
    ],
    ids=lambda value: value if isinstance(value, str) else value.body.decode()[:60],
)
def test_without_a_token_nothing_is_asked_for(response: HttpResponse, code: FailureCode) -> None:
    giga, http = made(response)
    with pytest.raises(UpstreamError) as caught:
        giga.submit(ASKED)
    assert code_of(caught) is code
    assert len(http.requests) == 1


def test_tokens_as_other_installations_write_them() -> None:
    assert parse_token("g", answer({"tok": "t", "exp": 1_800_000_000_000}), 0.0).until == 1_800_000_000 - 60
    assert parse_token("g", answer({"access_token": "t"}), 10.0).until == 10 + TOKEN_SECONDS - 60


def test_a_missing_key_is_named_and_a_ca_bundle_is_shown_to_both_hosts() -> None:
    giga, http = made(secrets={})
    with pytest.raises(UpstreamError, match="gigachat is not available here"):
        giga.submit(ASKED)
    giga, http = made(token(), DRAWN, JPEG, secrets={"GIGACHAT_CREDENTIALS": "k", "GIGACHAT_CA_BUNDLE": "PEM"})
    giga.submit(ASKED)
    assert {each.ca_bundle for each in http.requests} == {"PEM"}
