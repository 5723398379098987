"""Our answers against the newest openai package's own types, as JSON Schema and with its strict validation on."""

from typing import Any

import jsonschema_rs
import openai
import pytest
from openai.types import ImagesResponse
from openai.types.shared import ErrorObject

from imagegate.domain.failure import Failure, FailureCode
from support.ended import end_at_once
from support.gateway import Gateway
from support.sdk_transport import Transport

RESPONSE = jsonschema_rs.validator_for(ImagesResponse.model_json_schema())
ERROR = jsonschema_rs.validator_for(ErrorObject.model_json_schema())
GENERATIONS = "/v1/images/generations"


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.mark.parametrize(
    "asked", [{}, {"response_format": None}, {"response_format": "url"}, {"response_format": "b64_json"}]
)
def test_every_form_of_success_fits_the_packages_schema(gateway: Gateway, asked: dict[str, Any]) -> None:
    end_at_once(gateway)
    body = gateway.call("POST", GENERATIONS, {"prompt": "x", "safety_identifier": "s", **asked}).json()
    RESPONSE.validate(body)
    ImagesResponse.model_validate(body, strict=True)
    assert set(body["data"][0]) == {asked.get("response_format") or "url"}


@pytest.mark.parametrize("code", list(FailureCode))
def test_every_failure_fits_the_packages_schema(gateway: Gateway, code: FailureCode) -> None:
    end_at_once(gateway, Failure(code, "because"))
    answer = gateway.call("POST", GENERATIONS, {"prompt": "x"})
    ERROR.validate(answer.json()["error"])
    assert answer.status >= 400


@pytest.mark.parametrize("body", [b"{", {}, {"prompt": "x", "model": "nope"}, {"prompt": "x", "n": 99}])
def test_every_refusal_fits_the_packages_schema(gateway: Gateway, body: Any) -> None:
    ERROR.validate(gateway.call("POST", GENERATIONS, body).json()["error"])


def test_a_closed_door_fits_the_packages_schema() -> None:
    ERROR.validate(Gateway(access="keys").call("POST", GENERATIONS, {"prompt": "x"}).json()["error"])


@pytest.mark.parametrize("response_format", [openai.omit, None, "url", "b64_json"])
def test_the_sdk_accepts_the_answer_with_strict_validation(gateway: Gateway, response_format: Any) -> None:
    end_at_once(gateway)
    with openai.OpenAI(
        base_url="http://api.invalid/v1",
        api_key="x",
        http_client=openai.DefaultHttpxClient(transport=Transport(gateway)),
        _strict_response_validation=True,
    ) as client:
        answer = client.images.generate(prompt="x", model="flux", response_format=response_format)
    assert answer.data
    assert bool(answer.data[0].url) is (response_format != "b64_json")
