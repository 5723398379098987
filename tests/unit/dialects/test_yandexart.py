"""YandexART's dialect (reference/yandexart.md §1)."""

import json
from dataclasses import replace
from typing import Any

import pytest

from imagegate.dialects import yandexart
from imagegate.domain.errors import Failure, FailureCode, InvalidRequest, UnknownModel, UnknownOperation
from imagegate.domain.operation import Operation, State
from imagegate.domain.request import ImageRequest, Message

DOCUMENTED = {
    "modelUri": "art://b1gexample/yandex-art/latest",
    "generationOptions": {"seed": "1863", "aspectRatio": {"widthRatio": "2", "heightRatio": "1"}},
    "messages": [{"weight": "1", "text": "a pattern of pastel succulents"}],
}


def parse(document: Any) -> ImageRequest:
    return yandexart.parse(json.dumps(document).encode()).request


def test_the_documented_request() -> None:
    assert parse(DOCUMENTED) == ImageRequest(
        "yandex-art", (Message("a pattern of pastel succulents", 1.0),), ratio=(2, 1), seed=1863, output_format="jpeg"
    )


@pytest.mark.parametrize("seed", [1863, "1863", 1863.0])
def test_numbers_come_as_numbers_or_strings(seed: Any) -> None:
    assert parse(DOCUMENTED | {"generationOptions": {"seed": seed}}).seed == 1863


@pytest.mark.parametrize(
    "options",
    [None, {}, {"seed": 0}, {"seed": "0"}, {"seed": None, "aspectRatio": None}, {"aspectRatio": {"widthRatio": 0}}],
)
def test_zero_null_and_absent_mean_default(options: Any) -> None:
    request = parse({"modelUri": "art://f/flux", "messages": [{"text": "x"}], "generationOptions": options})
    assert (request.seed, request.ratio) == (None, (1, 1))
    assert request.messages == (Message("x", 1.0),)


def test_extra_fields_and_snake_case_are_taken() -> None:
    document = {"model_uri": "art://f/flux/rc", "messages": [{"text": "x", "role": "user"}], "temperature": 1}
    assert parse(document).model == "flux"


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"modelUri": "art://f/flux"},
        {"modelUri": "art://f/flux", "messages": []},
        {"modelUri": "art://f/flux", "messages": [None]},
        {"modelUri": "art://f/flux", "messages": [{"text": 5}]},
        {"modelUri": "art://f/flux", "messages": [{"text": "  "}]},
        {"modelUri": "gpt://f/flux", "messages": [{"text": "x"}]},
        {"modelUri": "flux", "messages": [{"text": "x"}]},
        DOCUMENTED | {"generationOptions": {"seed": "many"}},
        DOCUMENTED | {"generationOptions": {"seed": 2**63}},
        DOCUMENTED | {"generationOptions": {"seed": 5.5}},
    ],
)
def test_what_is_refused(document: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(document)
    answer = yandexart.refusal(caught.value)
    assert answer.status == 400
    assert answer.body["code"] == 3
    assert answer.body["error"] == answer.body["message"]


def operation(**changes: Any) -> Operation:
    made = Operation("0" * 20, "me", yandexart.NAME, ImageRequest("flux", (Message("x"),)), 1.0, 2.0, 3.0)
    return replace(made, updated_at=2.0, **changes)


def test_the_pending_answer_is_byte_for_byte_the_documented_one() -> None:
    text = json.dumps(yandexart.pending(operation()).body, separators=(",", ":"))
    assert text == (
        '{"id":"00000000000000000000","description":"","createdAt":null,"createdBy":"",'
        '"modifiedAt":null,"done":false,"metadata":null}'
    )


def test_the_finished_answer() -> None:
    body = yandexart.success(operation(state=State.SUCCEEDED), "/9j/").body
    assert body["done"] is True
    assert body["response"] == {"@type": yandexart.RESPONSE_TYPE, "image": "/9j/", "modelVersion": ""}
    assert "error" not in body
    assert body["createdAt"] == "1970-01-01T00:00:01.000Z"


@pytest.mark.parametrize("code", list(FailureCode))
def test_a_failed_operation_has_an_error_and_never_code_zero(code: FailureCode) -> None:
    answer = yandexart.failure(operation(state=State.FAILED), Failure(code, "because"))
    assert answer.status == 200
    assert answer.body["error"]["code"] > 0
    assert "response" not in answer.body


def test_refusals_have_the_services_codes() -> None:
    assert yandexart.refusal(UnknownOperation("gone")).status == 404
    assert yandexart.refusal(UnknownOperation("gone")).body["code"] == 5
    assert yandexart.refusal(UnknownModel("no")).body["code"] == 3
