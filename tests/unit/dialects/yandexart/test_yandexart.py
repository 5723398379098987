"""YandexART's dialect (docs/protocols/yandexart.md)."""

import json
from dataclasses import replace
from typing import Any

import pytest

from imagegate.dialects.yandexart import requests as yandexart_requests
from imagegate.dialects.yandexart import responses as yandexart_responses
from imagegate.dialects.yandexart.dialect import NAME
from imagegate.domain.errors import (
    Forbidden,
    Gone,
    InvalidRequest,
    KeyReused,
    RequestError,
    Unauthenticated,
    UnknownModel,
    UnknownOperation,
    WrongState,
)
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.picture import Picture
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.usecases.start import GenerationRequest

DOCUMENTED = {
    "modelUri": "art://b1gexample/yandex-art/latest",
    "generationOptions": {"seed": "1863", "aspectRatio": {"widthRatio": "2", "heightRatio": "1"}},
    "messages": [{"weight": "1", "text": "a pattern of pastel succulents"}],
}
PLAIN = {"modelUri": "art://f/flux", "messages": [{"text": "x"}]}


def generation(document: Any, **headers: str) -> GenerationRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return yandexart_requests.parse(json.dumps(document).encode(), named)


def parse(document: Any) -> ImageRequest:
    return generation(document).request


def options(**given: Any) -> dict[str, Any]:
    return PLAIN | {"generationOptions": given}


def test_the_documented_request() -> None:
    assert parse(DOCUMENTED) == ImageRequest(
        model="yandex-art",
        messages=(Message("a pattern of pastel succulents", 1.0),),
        ratio=(2, 1),
        seed=1863,
        output_format="jpeg",
        lenient=True,
    )


@pytest.mark.parametrize("seed", [1863, "1863", 1863.0, "1863.0"])
def test_integers_come_as_numbers_or_strings(seed: Any) -> None:
    assert parse(options(seed=seed)).seed == 1863


def test_an_integer_has_64_bits() -> None:
    assert parse(options(seed=str(2**63 - 1))).seed == 2**63 - 1


@pytest.mark.parametrize(
    ("weight", "meant"),
    [(1, 1.0), ("1", 1.0), (1.5, 1.5), ("1.5", 1.5), ("-0.5", -0.5), (None, 1.0), (0, 1.0), ("0", 1.0), (True, 1.0)],
)
def test_weights_come_as_numbers_or_strings_and_zero_is_one(weight: Any, meant: float) -> None:
    messages = [{"text": "a"}, {"text": "b", "weight": weight}]
    assert parse(PLAIN | {"messages": messages}).messages == (Message("a", 1.0), Message("b", meant))


@pytest.mark.parametrize(
    "given",
    [
        None,
        {},
        {"seed": 0},
        {"seed": "0"},
        {"seed": None, "aspectRatio": None, "mimeType": None},
        {"aspectRatio": {}, "mimeType": ""},
        {"aspectRatio": {"widthRatio": 0, "heightRatio": "0"}},
        {"aspectRatio": {"widthRatio": None}},
    ],
)
def test_zero_null_and_absent_mean_default(given: Any) -> None:
    request = parse(PLAIN | {"generationOptions": given})
    assert (request.seed, request.ratio, request.output_format) == (None, (1, 1), "jpeg")
    assert request.messages == (Message("x", 1.0),)


def test_extra_fields_and_snake_case_are_taken() -> None:
    document = {
        "model_uri": "art://f/flux/rc",
        "messages": [{"text": "x", "role": "user"}],
        "temperature": 1,
        "generation_options": {"aspect_ratio": {"width_ratio": 3}, "temperature": 0.6, "mime_type": "image/jpeg"},
    }
    assert (parse(document).model, parse(document).ratio) == ("flux", (3, 1))


@pytest.mark.parametrize("branch", ["", "/latest", "/rc", "/deprecated", "/2026-01-01"])
def test_branches_lead_to_the_same_model(branch: str) -> None:
    assert parse(PLAIN | {"modelUri": f"art://b1g/yandex-art{branch}"}).model == "yandex-art"


def test_messages_without_text_say_nothing() -> None:
    assert parse(PLAIN | {"messages": [{"text": "x"}, {"text": " "}, {"text": None}, {}]}).messages == (Message("x"),)


def test_another_picture_type_is_answered_with_jpeg_and_noted() -> None:
    png = generation(options(mimeType="image/png"))
    assert (png.request.output_format, png.reply) == ("jpeg", {"mime_type": "image/png"})
    assert generation(options(mimeType="image/jpeg")).reply == {}


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"modelUri": "art://f/flux"},
        {"modelUri": None, "messages": [{"text": "x"}]},
        {"modelUri": "art://f/flux", "messages": []},
        {"modelUri": "art://f/flux", "messages": None},
        {"modelUri": "art://f/flux", "messages": "x"},
        {"modelUri": "art://f/flux", "messages": [None]},
        {"modelUri": "art://f/flux", "messages": [{"text": 5}]},
        {"modelUri": "art://f/flux", "messages": [{"text": "  "}]},
        {"modelUri": "art://f/flux", "messages": [{"text": "x", "weight": -1}]},
        {"modelUri": "art://f/flux", "messages": [{"text": "x", "weight": "abc"}]},
        {"modelUri": "art://f/flux", "messages": [{"text": "x", "weight": "NaN"}]},
        {"modelUri": "art://f/flux", "messages": [{"text": "x", "weight": " 1"}]},
        {"modelUri": "art://f/flux", "messages": [{"text": "x" * 32_001}]},
        {"modelUri": "gpt://f/flux", "messages": [{"text": "x"}]},
        {"modelUri": "art:///flux", "messages": [{"text": "x"}]},
        {"modelUri": "flux", "messages": [{"text": "x"}]},
        PLAIN | {"generationOptions": []},
        options(seed="many"),
        options(seed=""),
        options(seed=True),
        options(seed=2**63),
        options(seed=-1),
        options(seed=5.5),
        options(seed=" 7"),
        options(seed="1_000"),
        options(mimeType="jpeg"),
        options(mimeType=7),
        options(aspectRatio={"widthRatio": "wide"}),
        options(aspectRatio={"widthRatio": -1}),
        options(aspectRatio=[1, 2]),
    ],
    ids=str,
)
def test_what_is_refused(document: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(document)
    answer = yandexart_responses.render_refusal(caught.value)
    assert (answer.status, answer.body["code"], answer.body["details"]) == (400, 3, [])
    assert answer.body["error"] == answer.body["message"]
    assert set(answer.body) == {"error", "code", "message", "details"}


def test_the_callers_headers() -> None:
    message = generation(PLAIN, idempotency_key="k", x_data_logging_enabled="False", x_client_request_id="c1")
    assert (message.idempotency_key, message.request.private, message.metadata) == (
        "k",
        True,
        {"client_request_id": "c1"},
    )
    silent = generation(PLAIN, idempotency_key="", x_data_logging_enabled="true")
    assert (silent.idempotency_key, silent.request.private, silent.metadata) == (None, False, {})
    assert generation(PLAIN).digest == silent.digest != generation(DOCUMENTED).digest
    with pytest.raises(InvalidRequest) as caught:
        generation(PLAIN, idempotency_key="k" * 256)
    assert caught.value.param == "Idempotency-Key"


def operation(**changes: Any) -> Operation:
    made = Operation(
        id="0" * 20,
        owner="me",
        dialect=NAME,
        request=ImageRequest(model="flux", messages=(Message("x"),)),
        created_at=1.0,
        deadline=2.0,
        due_at=3.0,
    )
    return replace(made, updated_at=2.0, model="flux", **changes)


KEYS = ["id", "description", "createdAt", "createdBy", "modifiedAt", "done", "metadata"]
"""All keys of a pending operation; a finished one has exactly one more."""


def test_the_pending_answer_is_byte_for_byte_the_documented_one() -> None:
    answer = yandexart_responses.render_pending(operation(), 7)
    assert json.dumps(answer.body, separators=(",", ":")) == (
        '{"id":"00000000000000000000","description":"","createdAt":null,"createdBy":"",'
        '"modifiedAt":null,"done":false,"metadata":null}'
    )
    assert answer.headers == {"retry-after": "7"}


def test_the_finished_answer() -> None:
    made = Attempt(
        number=1,
        provider="alpha",
        model="m",
        slots=(0,),
        state=AttemptState.DONE,
        started_at=1.0,
        not_honoured=("weight", "seed", "aspect_ratio"),
        seed=9,
        ended_at=2.0,
    )
    failed = replace(made, number=2, state=AttemptState.FAILED, not_honoured=("size",))
    kept = Picture(
        slot=0, key="k", sha256="s", content_type="image/jpeg", width=1, height=1, bytes=1, provider="alpha", seed=9
    )
    finished = operation(
        state=State.SUCCEEDED, attempts=(made, failed), pictures=(kept,), reply={"mime_type": "image/png"}
    )
    answer = yandexart_responses.render_success(finished, "/9j/")
    assert list(answer.body) == [*KEYS, "response"]
    assert answer.body["done"] is True
    assert answer.body["metadata"] is None
    assert answer.body["createdAt"] == "1970-01-01T00:00:01.000Z"
    assert answer.body["response"] == {"@type": yandexart_responses.RESPONSE_TYPE, "image": "/9j/", "modelVersion": ""}
    assert answer.headers == {
        "x-imagegate-model": "flux",
        "x-imagegate-provider": "alpha",
        "x-imagegate-seed": "9",
        "x-imagegate-not-honoured": "aspectRatio, mimeType, seed, weight",
    }


GRPC = {
    FailureCode.INVALID_REQUEST: 3,
    FailureCode.CONTENT_FILTERED: 3,
    FailureCode.RATE_LIMITED: 8,
    FailureCode.NO_CREDIT: 8,
    FailureCode.BUDGET_EXCEEDED: 8,
    FailureCode.CAPACITY: 14,
    FailureCode.DEADLINE_EXCEEDED: 4,
    FailureCode.UPSTREAM_TIMEOUT: 4,
    FailureCode.CANCELLED: 1,
}


@pytest.mark.parametrize("code", list(FailureCode))
def test_a_failed_operation_has_an_error_and_never_code_zero(code: FailureCode) -> None:
    answer = yandexart_responses.render_failure(operation(state=State.FAILED), Failure(code, "because"))
    assert answer.status == 200
    assert list(answer.body) == [*KEYS, "error"]
    message = answer.body["error"].pop("message")
    assert answer.body["error"] == {"code": GRPC.get(code, 13), "details": []}
    assert message.startswith("because")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidRequest, 400, 3),
        (UnknownModel, 400, 3),
        (UnknownOperation, 404, 5),
        (Gone, 404, 5),
        (Forbidden, 403, 7),
        (WrongState, 400, 9),
        (KeyReused, 400, 9),
        (Unauthenticated, 401, 16),
    ],
)
def test_refusals_have_the_services_codes(error: type[RequestError], status: int, code: int) -> None:
    answer = yandexart_responses.render_refusal(error("no", remedy="Do."))
    assert (answer.status, answer.body["code"], answer.body["message"]) == (status, code, "no Do.")


@pytest.mark.parametrize(
    ("code", "status"),
    [(1, 499), (3, 400), (5, 404), (7, 403), (8, 429), (9, 400), (13, 500), (14, 503), (16, 401)],
)
def test_each_grpc_code_has_its_http_status(code: int, status: int) -> None:
    answer = yandexart_responses.render_error(code, "why")
    assert (answer.status, answer.body) == (status, {"error": "why", "code": code, "message": "why", "details": []})


@pytest.mark.parametrize(("status", "code"), [(404, 5), (405, 12), (400, 3), (429, 8), (500, 13), (503, 14)])
def test_what_never_reached_a_route(status: int, code: int) -> None:
    answer = yandexart_responses.render_breakdown(status, "why")
    assert (answer.status, answer.body["code"]) == (status, code)
