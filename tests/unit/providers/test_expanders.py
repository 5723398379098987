"""Requests to language models as they go out, and answers as servers write them."""

import json
from typing import Any

import pytest

from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.ports.upstreams import HttpRequest, HttpResponse
from imagegate.providers.expanders import CHAT_PROTOCOLS, ChatExpander, Endpoint, parse_answer
from support.fakes import NoSecrets, ScriptedHttp

SECRETS = NoSecrets({"KEY": "s3cret\n", "TOKEN": "t1.abc"})
CHAT = {"choices": [{"message": {"role": "assistant", "content": "A fox."}, "finish_reason": "stop"}]}
COMPLETION = {"result": {"alternatives": [{"message": {"text": "A fox."}, "status": "ALTERNATIVE_STATUS_FINAL"}]}}


def sent(endpoint: Endpoint, answer: Any = CHAT) -> HttpRequest:
    http = ScriptedHttp([HttpResponse(200, {}, json.dumps(answer).encode())])
    assert ChatExpander(endpoint, http, SECRETS).expand("a fox", 500, 12.0) == "A fox."
    [request] = http.requests
    return request


def test_a_chat_completion_says_no_more_than_every_server_understands() -> None:
    request = sent(Endpoint(protocol="openai", url="https://llm.invalid/v1/", model="m1", secret="KEY"))
    assert (request.method, request.url) == ("POST", "https://llm.invalid/v1/chat/completions")
    assert request.headers == {"authorization": "Bearer s3cret"}
    assert request.json.keys() == {"model", "messages"}
    assert request.json["model"] == "m1"
    system, user = request.json["messages"]
    assert (system["role"], user) == ("system", {"role": "user", "content": "a fox"})
    assert "at most 500 characters" in system["content"]
    assert (request.timeout, request.total_timeout, request.idempotent) == (12.0, 12.0, True)


def test_a_server_without_keys_gets_none() -> None:
    request = sent(Endpoint(protocol="openai", url="", model="m1", secret=""))
    assert request.url == "https://api.openai.com/v1/chat/completions"
    assert request.headers == {}


def test_yandex_gets_the_folder_that_pays() -> None:
    request = sent(
        Endpoint(
            protocol="openai", url="https://ai.api.cloud.yandex.net/v1", model="gpt://b1g/yandexgpt-5.1", secret="KEY"
        )
    )
    assert request.headers == {"authorization": "Bearer s3cret", "openai-project": "b1g"}


@pytest.mark.parametrize(("secret", "shown"), [("KEY", "Api-Key s3cret"), ("TOKEN", "Bearer t1.abc")])
def test_a_completion_of_yandexgpt(secret: str, shown: str) -> None:
    request = sent(
        Endpoint(protocol="yandexgpt", url="", model="gpt://b1g/yandexgpt/latest", secret=secret), COMPLETION
    )
    assert request.url == "https://llm.api.cloud.yandex.net/foundationModels/v1/completion"
    assert request.headers == {"authorization": shown, "x-folder-id": "b1g"}
    assert request.json["modelUri"] == "gpt://b1g/yandexgpt/latest"
    assert request.json["completionOptions"] == {"stream": False, "temperature": 0.3, "maxTokens": "500"}
    assert [entry["role"] for entry in request.json["messages"]] == ["system", "user"]
    assert request.json["messages"][1]["text"] == "a fox"


@pytest.mark.parametrize(("model", "told"), [("gpt://b1g/yandexgpt-5.1", True), ("m1", False)])
def test_private_prompts_say_so_where_the_server_has_a_header(model: str, told: bool) -> None:
    http = ScriptedHttp([HttpResponse(200, {}, json.dumps(CHAT).encode())])
    ChatExpander(Endpoint(protocol="openai", url="", model=model, secret="KEY"), http, SECRETS).expand(
        "a fox", 500, 12.0, private=True
    )
    assert ("x-data-logging-enabled" in http.requests[0].headers) == told


def read(protocol: str, document: Any, status: int = 200) -> str:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return parse_answer(CHAT_PROTOCOLS[protocol], HttpResponse(status, {}, body))


def choice(content: Any, finish_reason: str = "stop", **message: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": content, **message}, "finish_reason": finish_reason}]}


def alternative(text: Any, status: str = "FINAL") -> dict[str, Any]:
    return {"alternatives": [{"message": {"text": text}, "status": f"ALTERNATIVE_STATUS_{status}"}]}


@pytest.mark.parametrize(
    ("protocol", "document", "text"),
    [
        ("openai", choice("A fox."), "A fox."),
        ("openai", choice([{"type": "text", "text": "A "}, {"type": "text", "text": "fox."}]), "A fox."),
        ("openai", choice("A fox. In the fore", "length"), "A fox."),
        ("openai", choice("Half a fox \ud83e."), "Half a fox ?."),
        ("openai", choice("A fox in the fore", "length"), "A fox in the fore"),
        ("openai", {"choices": [*choice("A fox.")["choices"], *choice("A cat.")["choices"]]}, "A fox."),
        ("yandexgpt", alternative("A fox."), "A fox."),
        ("yandexgpt", {"result": alternative("A fox.")}, "A fox."),
        ("yandexgpt", {"result": alternative("A fox. In the fore", "TRUNCATED_FINAL")}, "A fox."),
    ],
)
def test_answers(protocol: str, document: Any, text: str) -> None:
    assert read(protocol, document) == text


@pytest.mark.parametrize(
    ("protocol", "status", "document", "code"),
    [
        ("openai", 200, choice("", "content_filter"), FailureCode.CONTENT_FILTERED),
        ("openai", 200, choice(None, refusal="I can't."), FailureCode.CONTENT_FILTERED),
        ("openai", 200, choice(None), FailureCode.BAD_PAYLOAD),
        ("openai", 200, choice(7), FailureCode.BAD_PAYLOAD),
        ("openai", 200, {"choices": []}, FailureCode.BAD_PAYLOAD),
        ("openai", 200, {"choices": [None]}, FailureCode.BAD_PAYLOAD),
        ("openai", 200, {"choices": [{"message": "A fox."}]}, FailureCode.BAD_PAYLOAD),
        ("openai", 200, [], FailureCode.BAD_PAYLOAD),
        ("openai", 200, b"<html>", FailureCode.BAD_PAYLOAD),
        pytest.param("openai", 200, b"[" * 200_000, FailureCode.BAD_PAYLOAD, id="deep"),
        ("openai", 400, {"error": {"message": "no", "code": "content_filter"}}, FailureCode.CONTENT_FILTERED),
        ("openai", 400, {"error": {"message": "unsupported"}}, FailureCode.INVALID_REQUEST),
        ("openai", 401, {"error": {"message": "bad key"}}, FailureCode.AUTH),
        ("openai", 404, {"detail": "no such model"}, FailureCode.NOT_FOUND),
        ("openai", 429, {"error": "slow down"}, FailureCode.RATE_LIMITED),
        ("openai", 500, b"", FailureCode.UPSTREAM_FAILED),
        ("yandexgpt", 200, {"result": alternative("", "CONTENT_FILTER")}, FailureCode.CONTENT_FILTERED),
        ("yandexgpt", 200, {"result": alternative("")}, FailureCode.BAD_PAYLOAD),
        ("yandexgpt", 200, {"result": 7}, FailureCode.BAD_PAYLOAD),
        ("yandexgpt", 400, {"error": {"grpcCode": 3, "message": "Specified folder ID"}}, FailureCode.AUTH),
        ("yandexgpt", 429, {"error": {"grpcCode": 8, "message": "rate quota"}}, FailureCode.RATE_LIMITED),
    ],
)
def test_what_is_no_text(protocol: str, status: int, document: Any, code: FailureCode) -> None:
    with pytest.raises(UpstreamError) as caught:
        read(protocol, document, status)
    assert caught.value.failure.code is code


def test_no_secret_is_in_a_message() -> None:
    http = ScriptedHttp([HttpResponse(401, {}, b'{"error":{"message":"bad key"}}')])
    with pytest.raises(UpstreamError) as caught:
        ChatExpander(Endpoint(protocol="openai", url="", model="m1", secret="KEY"), http, SECRETS).expand(
            "a fox", 500, 12.0
        )
    assert "s3cret" not in str(caught.value)
