"""Prompt expansion in the requests and answers of each dialect."""

import json
from typing import Any
from urllib.parse import unquote

import pytest

from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.picture import Picture
from support.gateway import Answered, Gateway

CAT = "A cat in the evening sun."
NATIVE, OPENAI = "/v1/operations", "/v1/images/generations"
YANDEX = "/foundationModels/v1/imageGenerationAsync"
DOCUMENTED = {"modelUri": "art://b1g/flux/latest", "messages": [{"text": "a cat"}]}


def asked(gateway: Gateway, path: str, expand: Any, **headers: str) -> Answered:
    return gateway.call("POST", path, {"model": "flux", "prompt": "a cat", "expand": expand}, **headers)


def stored(gateway: Gateway) -> Operation:
    [operation_id] = gateway.store.documents
    operation = gateway.store.get(operation_id)
    assert operation
    return operation


def ended(gateway: Gateway, prompt: str | None) -> Operation:
    """The only operation, ended: from the expanded prompt, or without an expansion."""
    now, operation = gateway.clock.now(), stored(gateway)
    refusal = Failure(FailureCode.UPSTREAM_TIMEOUT, "no answer in time")
    operation = operation.expanded(prompt) if prompt else operation.without_expansion(refusal)
    gateway.images.put("k", b"picture", "image/png")
    made = Picture(
        slot=0,
        key="k",
        sha256="0" * 64,
        content_type="image/png",
        width=64,
        height=64,
        bytes=7,
        provider="alpha",
        seed=1,
        revised_prompt=prompt,
    )
    passed_over = () if prompt else ("expand",)
    attempt = Attempt(
        number=1,
        provider="alpha",
        model="schnell",
        slots=(0,),
        state=AttemptState.DONE,
        started_at=now,
        ended_at=now,
        not_honoured=passed_over,
    )
    operation = operation.moved(State.RUNNING, now).with_attempt(attempt).with_pictures((made,)).complete_if_done(now)
    gateway.store._write(operation)
    return operation


@pytest.mark.parametrize("path", [NATIVE, OPENAI])
def test_it_is_asked_for_by_a_field(path: str) -> None:
    gateway = Gateway()
    assert asked(gateway, path, True, prefer="respond-async").status == 202
    assert stored(gateway).request.expand is True


@pytest.mark.parametrize(("path", "no"), [(NATIVE, False), (OPENAI, False), (OPENAI, None)])
def test_nobody_gets_it_who_does_not_ask(path: str, no: bool | None) -> None:
    gateway = Gateway()
    assert asked(gateway, path, no, prefer="respond-async").status == 202
    assert stored(gateway).request.expand is False


@pytest.mark.parametrize("path", [NATIVE, OPENAI])
def test_anything_but_yes_or_no_is_refused(path: str) -> None:
    answer = asked(Gateway(), path, "always")
    problem = answer.json().get("error") or answer.json()
    assert (answer.status, problem["param"]) == (400, "expand")


def test_a_deployment_without_a_language_model_says_what_to_do() -> None:
    gateway = Gateway(expands=False)
    problem = asked(gateway, NATIVE, True).json()
    assert (problem["status"], problem["code"], problem["param"]) == (400, "expansion_unavailable", "expand")
    assert "Expander" in problem["remedy"]
    answer = asked(gateway, OPENAI, True)
    error = answer.json()["error"]
    assert (answer.status, error["code"], error["param"]) == (400, "expansion_unavailable", "expand")
    assert "Expander" in error["message"]
    body = {"model": "flux", "prompt": "a cat", "expand": True, "validate_only": True}
    assert gateway.call("POST", NATIVE, body).json()["code"] == "expansion_unavailable"
    assert gateway.store.documents == {}


def test_an_openai_client_is_told_what_became_of_its_prompt() -> None:
    gateway = Gateway()
    asked(gateway, OPENAI, True, prefer="respond-async")
    operation = ended(gateway, CAT)
    answer = gateway.call("GET", f"/v1/operations/{operation.id}/wait").json()
    assert answer["data"][0]["revised_prompt"] == CAT
    assert "not_honoured" not in answer


def test_an_openai_client_is_told_that_nothing_became_of_it() -> None:
    gateway = Gateway()
    asked(gateway, OPENAI, True, prefer="respond-async")
    operation = ended(gateway, None)
    answer = gateway.call("GET", f"/v1/operations/{operation.id}/wait").json()
    assert "revised_prompt" not in answer["data"][0]
    assert answer["not_honoured"] == ["expand"]


def test_a_stream_tells_it_too() -> None:
    gateway = Gateway()
    body = {"model": "flux", "prompt": "a cat", "expand": True, "stream": True}
    gateway.call("POST", OPENAI, body, prefer="respond-async")
    operation = ended(gateway, CAT)
    text = gateway.call("GET", f"/v1/operations/{operation.id}/wait").text
    event = json.loads(text.partition("data: ")[2].partition("\n")[0])
    assert event["revised_prompt"] == CAT


@pytest.mark.parametrize("prompt", [CAT, None])
def test_the_operations_api_shows_all_of_it(prompt: str | None) -> None:
    gateway = Gateway()
    asked(gateway, NATIVE, True)
    operation = ended(gateway, prompt)
    document = gateway.call("GET", f"/v1/operations/{operation.id}").json()
    assert (document["prompt"], document["expand"], document["revised_prompt"]) == ("a cat", True, prompt)
    assert document["images"][0]["revised_prompt"] == prompt
    assert (document["not_expanded"] is None) == (prompt is not None)
    if prompt is None:
        assert document["not_expanded"] == {"code": "upstream_timeout", "message": "no answer in time"}


@pytest.mark.parametrize(("said", "expand"), [("true", True), (" TRUE ", True), ("false", False), ("", False)])
def test_a_yandexart_client_asks_in_a_header(said: str, expand: bool) -> None:
    gateway = Gateway()
    assert gateway.call("POST", YANDEX, DOCUMENTED, x_imagegate_expand=said).status == 200
    assert stored(gateway).request.expand is expand


def test_a_header_that_says_neither_is_refused() -> None:
    answer = Gateway().call("POST", YANDEX, DOCUMENTED, x_imagegate_expand="please")
    assert (answer.status, answer.json()["code"]) == (400, 3)
    assert "x-imagegate-expand" in answer.json()["message"]


def test_a_yandexart_client_is_told_that_there_is_no_language_model() -> None:
    answer = Gateway(expands=False).call("POST", YANDEX, DOCUMENTED, x_imagegate_expand="true")
    assert (answer.status, answer.json()["code"]) == (400, 9)
    assert "Expander" in answer.json()["message"] == answer.json()["error"]


@pytest.mark.parametrize("prompt", [CAT, "Рыжая лиса в снегу, 100% красоты.", "狐" * 1500])
def test_a_yandexart_client_reads_the_revised_prompt_in_a_header(prompt: str) -> None:
    gateway = Gateway()
    gateway.call("POST", YANDEX, DOCUMENTED, x_imagegate_expand="true")
    operation = ended(gateway, prompt)
    answer = gateway.call("GET", f"/operations/{operation.id}")
    header = answer.headers["x-imagegate-revised-prompt"]
    assert header.isascii()
    assert len(header) < 8000
    assert unquote(header) == prompt[:800]
    assert "x-imagegate-not-honoured" not in answer.headers


def test_a_yandexart_client_reads_in_a_header_that_it_came_to_nothing() -> None:
    gateway = Gateway()
    gateway.call("POST", YANDEX, DOCUMENTED, x_imagegate_expand="true")
    answer = gateway.call("GET", f"/operations/{ended(gateway, None).id}")
    assert answer.headers["x-imagegate-not-honoured"] == "expand"
    assert "x-imagegate-revised-prompt" not in answer.headers


def test_one_idempotency_key_is_for_one_of_both() -> None:
    gateway = Gateway()
    assert gateway.call("POST", YANDEX, DOCUMENTED, idempotency_key="k").status == 200
    assert gateway.call("POST", YANDEX, DOCUMENTED, idempotency_key="k", x_imagegate_expand="true").status == 400
    assert gateway.call("POST", YANDEX, DOCUMENTED, idempotency_key="k", x_imagegate_expand="false").status == 200
