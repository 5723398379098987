"""models.toml is read whole, and what is wrong in it is named."""

from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.errors import InvalidRequest, MisconfiguredError
from imagegate.domain.request.capabilities import ignored
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.limits import CompletionMode
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.local.upstreams.app import BASE_PATHS, STAND_IN_SECRETS
from imagegate.providers import registry
from imagegate.providers.config import parse_config
from imagegate.providers.openai_compat import OpenAICompatConfig
from support.fakes import NoSecrets, ScriptedHttp

PROVIDERS = sorted(registry._document()["providers"])


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_provider_can_be_made_and_has_the_limits_of_its_entry(name: str) -> None:
    made = registry.Providers(ScriptedHttp(), NoSecrets(), {name: "http://127.0.0.1:1/x/"})(name)
    assert (made.name, made.base_url) == (name, "http://127.0.0.1:1/x")
    assert made.limits == registry.limits_of(name)


def test_every_stop_of_a_route_is_a_provider() -> None:
    assert {target.provider for route in registry.routes() for target in route.targets} <= set(PROVIDERS)


def test_every_provider_has_a_stand_in_with_the_path_of_its_real_base_url() -> None:
    for name in PROVIDERS:
        assert BASE_PATHS[name].endswith("/v1") == registry._document()["providers"][name]["base_url"].endswith("/v1")


def test_the_stand_ins_secrets_are_enough() -> None:
    openai_like = [name for name in PROVIDERS if registry._document()["providers"][name]["protocol"] == "openai_images"]
    for name in openai_like:
        config = registry.builtin().entry(name).config
        assert isinstance(config, OpenAICompatConfig)
        assert STAND_IN_SECRETS.keys() & config.keys.keys() or config.headers


def test_names_are_unique_over_models_and_aliases() -> None:
    names = [name for route in registry.routes() for name in (route.model, *route.aliases)]
    exact = [name for name in names if not name.endswith("*")]
    assert len(set(exact)) == len(exact)


def test_a_route_is_priced_whole_or_not_at_all() -> None:
    """One unknown price would keep every key with a budget in dollars from the route's other providers."""
    for route in registry.routes():
        prices = {target.provider: target.price_usd for target in route.targets}
        assert len({price is None for price in prices.values()}) == 1, (route.model, prices)


@pytest.mark.parametrize(
    ("model", "provider", "size", "price"),
    [
        ("flux", "fal", Size(1024, 1024), 0.003),
        ("flux", "fal", Size(2048, 2048), 0.012),
        ("flux", "fal", Size(1040, 1040), 0.006),
        ("flux", "replicate", Size(2048, 2048), 0.003),
        ("flux-2-pro", "bfl", Size(2048, 2048), 0.075),
        ("flux-2-klein-9b", "workers-ai", Size(1920, 1920), 0.021),
    ],
)
def test_a_picture_is_priced_by_the_megapixels_that_are_made(
    model: str, provider: str, size: Size, price: float
) -> None:
    request = ImageRequest(model=model, messages=(Message("a fox"),), size=size, provider=provider)
    [target] = registry.routes().resolve(request).targets
    assert target.price_usd == price
    assert target.micro_dollars == round(price * 1e6)


def test_prices_of_further_megapixels_are_of_providers_with_a_price() -> None:
    for route in registry.routes():
        for target in route.targets:
            assert target.price_usd or not target.megapixel_usd, (route.model, target.provider)


def test_free_providers_come_before_paid_ones() -> None:
    flux = registry.routes().find("flux")
    assert flux is not None
    assert [target.provider for target in flux.targets[:2]] == ["black-forest-labs", "voodoohop"]


def test_withdrawn_upstreams_are_on_no_route_that_clients_use_by_habit() -> None:
    on = {route.model for route in registry.routes() for target in route.targets if target.provider == "yandexart"}
    assert on == {"yandex-art-legacy"}


def test_what_differs_between_servers_is_in_their_limits() -> None:
    openai, yandex, together = map(registry.limits_of, ("openai", "yandex-ai-studio", "together"))
    assert {entry.completion for entry in (openai, yandex, together)} == {CompletionMode.SYNC}
    assert (openai.input_images, yandex.input_images, together.input_images) == (16, 0, 0)
    animated = {"frame_count", "frame_duration_ms", "svg", "prompt_rewriter", "complexity"}
    options = {"quality", "background", "moderation", "input_fidelity", "partial_images"}
    assert openai.capabilities == options | animated
    assert yandex.capabilities == frozenset()
    assert together.capabilities == {"seed", "steps", "negative_prompt"}
    assert (openai.steps_maximum, together.steps_maximum) == (None, 4)
    assert (openai.submit_seconds, yandex.submit_seconds) == (360, 240)
    assert (openai.requests_per_minute, openai.expected_seconds) == (None, 40)


@pytest.mark.parametrize("call", [registry.limits_of, registry.Providers(ScriptedHttp(), NoSecrets(), {})])
def test_an_unknown_provider(call: Any) -> None:
    with pytest.raises(MisconfiguredError, match="absent"):
        call("absent")


def test_facts_are_read_with_their_types() -> None:
    entry = {"keys": {"K": "Bearer"}, "takes": ["seed"], "timeout": 7, "size": "ratio", "auto_size": True}
    config = parse_config(OpenAICompatConfig, "mine", entry)
    assert config == OpenAICompatConfig(
        keys={"K": "Bearer"}, takes=("seed",), timeout=7.0, size="ratio", auto_size=True
    )
    assert isinstance(config.timeout, float)


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        ({"tiemout": 7}, "unknown key 'tiemout'.*timeout"),
        ({"timeout": "7"}, "timeout = '7'"),
        ({"input_images": True}, "input_images = True"),
        ({"size": "inches"}, "'pixels' or 'ratio' or 'sides'"),
        ({"takes": ["sead"]}, "takes = 'sead'"),
        ({"takes": "seed"}, "takes = 'seed'"),
        ({"keys": {"K": 7}}, "keys = 7"),
    ],
)
def test_what_is_wrong_with_an_entry_is_named(entry: dict[str, Any], named: str) -> None:
    with pytest.raises(MisconfiguredError, match=named):
        parse_config(OpenAICompatConfig, "mine", entry)


def test_yandexart_clients_are_served_by_its_successor_which_reports_what_it_ignored() -> None:
    messages = (Message("a fox", 2.0), Message("snow", 1.0), Message("fog", -1.0))
    sent = ImageRequest(
        model="alice-art", messages=messages, seed=1863, ratio=(2, 1), output_format="jpeg", lenient=True
    )
    [target] = registry.routes().resolve(sent).targets
    assert target.provider == "yandex-ai-studio"
    assert ignored(sent, target.limits) == ("aspect_ratio", "seed", "weight", "negative_weight")
    with pytest.raises(InvalidRequest, match="seed"):
        registry.routes().resolve(replace(sent, lenient=False))
    [real] = registry.routes().resolve(replace(sent, model="yandex-art-legacy")).targets
    assert ignored(sent, real.limits) == ()


def test_masks_are_taken_by_forms_only() -> None:
    taking = {name for name in registry.provider_names() if registry.limits_of(name).supports_masks}
    assert taking == {"openai", "azure-openai"}
