"""GET /v1/models says what each model takes, what it costs, and whether it can be used."""

from dataclasses import replace
from typing import Any

import pytest

from imagegate.web.app import create_app
from imagegate.web.lambda_handler import lambda_handler
from support.gateway import Gateway


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


def listed(gateway: Gateway) -> dict[str, Any]:
    return {entry["id"]: entry for entry in gateway.call("GET", "/v1/models").json()["data"]}


def test_a_model_says_what_it_takes_and_what_each_provider_is(gateway: Gateway) -> None:
    flux = gateway.call("GET", "/v1/models/flux").json()
    assert flux["capabilities"] | {"seed": True, "steps_maximum": None} == flux["capabilities"]
    assert (flux["capabilities"]["negative_prompt"], flux["capabilities"]["edits"]) == (False, False)
    assert flux["capabilities"]["prompt_characters"] == 1000
    assert flux["capabilities"]["output_formats"] == ["png", "jpeg", "webp"]
    assert flux["available"] is True
    [first, second] = flux["targets"]
    assert (first["provider"], second["provider"]) == ("alpha", "beta")
    assert first["fields"] == ["seed", "steps"]
    assert first["sizes"] == {"side_minimum": 64, "side_maximum": 2048, "side_step": 8}
    assert first["expected_seconds"] > 0


def test_an_alias_carries_the_same(gateway: Gateway) -> None:
    models = listed(gateway)
    same = {"id": "flux-schnell", "alias_of": "flux"}
    assert models["flux-schnell"] == models["flux"] | same


def test_a_model_without_a_provider_that_has_its_key_is_listed_as_unavailable(gateway: Gateway) -> None:
    services = replace(
        gateway.services, missing_secrets=lambda target: () if target.provider == "beta" else ("ALPHA_KEY",)
    )
    gateway.handler = lambda_handler(create_app(services))
    assert [target["available"] for target in listed(gateway)["flux"]["targets"]] == [False, True]
    assert listed(gateway)["flux"]["available"] is True
    gateway.handler = lambda_handler(create_app(replace(services, missing_secrets=lambda target: ("KEY",))))
    flux = listed(gateway)["flux"]
    assert flux["available"] is False
    assert {target["expected_seconds"] for target in flux["targets"]} == {None}
