"""URLs that a deployment sets in place of a provider's own."""

from dataclasses import dataclass

from imagegate.providers import registry
from imagegate.providers.registry import Providers, stand_in_urls
from imagegate.providers.replaced import with_replaced_urls
from support.fakes import NoSecrets, ScriptedHttp


@dataclass(frozen=True)
class _Config:
    auth_url: str


def test_a_stand_in_plays_every_provider_below_its_name() -> None:
    urls = stand_in_urls("http://127.0.0.1:9")
    assert urls["openai"] == "http://127.0.0.1:9/openai/v1"
    assert urls["voodoohop"] == "http://127.0.0.1:9/voodoohop"
    assert urls["azure-openai"] == "http://127.0.0.1:9/azure-openai/openai/v1"
    assert urls["gigachat.auth_url"] == "http://127.0.0.1:9/gigachat/api/v2/oauth"
    assert urls["expander"] == "http://127.0.0.1:9/expander/v1"
    assert len(set(urls.values())) == len(urls)
    for name in registry.provider_names():
        assert Providers(ScriptedHttp(), NoSecrets(), urls)(name).base_url == urls[name]


def test_urls_that_are_not_replaced_stay() -> None:
    providers = Providers(ScriptedHttp(), NoSecrets(), {"together": "http://b"})
    assert providers("together").base_url == "http://b"
    assert providers("openai").base_url == "https://api.openai.com/v1"


def test_further_urls_are_replaced_by_their_own_names() -> None:
    config = _Config(auth_url="https://auth.example")
    assert with_replaced_urls("a", config, {"a": "http://b", "other.auth_url": "http://c"}) is config
    assert with_replaced_urls("a", config, {"a.auth_url": "http://d"}) == _Config(auth_url="http://d")
