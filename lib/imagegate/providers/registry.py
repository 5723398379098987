"""The upstream protocols, and the route table of models.toml.

To add a protocol: a module beside this one, one line in PROTOCOLS. ADDING.md has the steps.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from importlib.resources import files
from typing import Any, overload

from imagegate.domain.errors import MisconfiguredError
from imagegate.domain.request.limits import Limits
from imagegate.domain.request.route import Route, Routes, Target
from imagegate.ports.upstreams import Http, Provider, Secrets
from imagegate.providers.config import ProviderConfig, parse_config
from imagegate.providers.replaced import URL_SUFFIX, reach, with_replaced_urls

PROTOCOLS: Mapping[str, str] = {
    "bedrock": "Bedrock",
    "bfl": "Bfl",
    "gemini": "Gemini",
    "comfyui": "ComfyUI",
    "dashscope": "DashScope",
    "gigachat": "GigaChat",
    "fal": "Fal",
    "gradio_space": "GradioSpace",
    "ideogram": "Ideogram",
    "openai_images": "OpenAIImages",
    "replicate": "Replicate",
    "sdapi": "Sdapi",
    "runware": "Runware",
    "stability": "Stability",
    "workers_ai": "WorkersAI",
    "yandexart": "YandexArt",
}
"""Protocol, which is a module of this folder, to the Provider class in it.

A module is loaded when a route with one of its providers is first used: a function's start costs the same
however many protocols there are.
"""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A provider of models.toml."""

    provider_class: Any
    """Called with name, base URL, Http and Secrets, and with the config if the class names a `config_type`."""
    base_url: str
    config: ProviderConfig | None

    @property
    def limits(self) -> Limits:
        limits: Limits = self.config.limits if self.config else self.provider_class.limits
        return limits

    def limits_for(self, model: str) -> Limits:
        """Those of one model, where the config or the protocol tells models apart."""
        of_model: Callable[[str], Limits] | None = getattr(self.config or self.provider_class, "limits_for", None)
        return of_model(model) if of_model else self.limits


class _Targets(Sequence[Target]):
    """The targets of a route, whose protocols are loaded when the first one is used."""

    def __init__(self, route: Mapping[str, Any]) -> None:
        self._route = route

    @cached_property
    def _targets(self) -> tuple[Target, ...]:
        return tuple(_target(stop, self._route) for stop in self._route["route"])

    @overload
    def __getitem__(self, index: int) -> Target: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Target]: ...
    def __getitem__(self, index: int | slice) -> Target | Sequence[Target]:
        return self._targets[index]

    def __len__(self) -> int:
        return len(self._route["route"])

    def __iter__(self) -> Iterator[Target]:
        return iter(self._targets)


@cache
def _document() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("models.toml").read_text(encoding="utf-8"))


@cache
def _entry(provider: str) -> _Entry:
    keys = _document()["providers"].get(provider)
    if keys is None:
        raise MisconfiguredError(f"models.toml has no provider '{provider}'")
    provider_class = load_protocol(keys["protocol"])
    rest = {name: value for name, value in keys.items() if name not in ("protocol", "base_url")}
    config_type = getattr(provider_class, "config_type", None)
    if config_type:
        return _Entry(provider_class, keys["base_url"], parse_config(config_type, provider, rest))
    if rest:
        raise MisconfiguredError(f"models.toml: [providers.{provider}] has keys its protocol has no use for: {rest}")
    return _Entry(provider_class, keys["base_url"], None)


def load_protocol(protocol: str) -> Any:
    """The protocol's Provider class. Raises MisconfiguredError when PROTOCOLS does not have it."""
    if protocol not in PROTOCOLS:
        known = ", ".join(sorted(PROTOCOLS))
        raise MisconfiguredError(f"models.toml: there is no protocol '{protocol}'; known: {known}")
    return getattr(import_module(f"{__package__}.{protocol}"), PROTOCOLS[protocol])


def provider_names() -> Sequence[str]:
    """Every provider of models.toml."""
    return tuple(_document()["providers"])


def base_url_names() -> Sequence[str]:
    """What `UpstreamBaseUrls` can replace: every provider's base URL, and `provider.key` for each further one."""
    further = [
        f"{name}.{key}"
        for name, keys in _document()["providers"].items()
        for key in keys
        if key.endswith(URL_SUFFIX) and key != "base_url"
    ]
    return (*provider_names(), *further)


def limits_of(provider: str) -> Limits:
    """What the provider of that name accepts; sends nothing, needs no credentials. Raises MisconfiguredError."""
    return _entry(provider).limits


def routes() -> Routes:
    """Every route of models.toml."""
    return Routes(_route(name, entry) for name, entry in _document()["models"].items())


def _route(name: str, entry: Mapping[str, Any]) -> Route:
    return Route(name, _Targets(entry), tuple(entry.get("aliases", ())), entry.get("description", ""))


def _target(stop: str, entry: Mapping[str, Any]) -> Target:
    provider, _, model = stop.partition("/")
    return Target(provider, model, _entry(provider).limits_for(model), entry.get("prices_usd", {}).get(provider))


class Providers:
    """The configured providers, made when first used."""

    def __init__(self, http: Http, secrets: Secrets, base_urls: Mapping[str, str] | None) -> None:
        """`base_urls` replaces the URLs that it names (see `base_url_names`), as the embedded stack does."""
        self._http = http
        self._secrets = secrets
        self._base_urls = base_urls
        self._made: dict[str, Provider] = {}

    def __call__(self, name: str) -> Provider:
        """The provider of that name. Raises MisconfiguredError when models.toml has none."""
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> Provider:
        entry = _entry(name)
        base_url, http = reach(name, entry.base_url, self._base_urls, self._http)
        arguments = (name, base_url.rstrip("/"), http, self._secrets)
        config = (with_replaced_urls(name, entry.config, self._base_urls),) if entry.config else ()
        provider: Provider = entry.provider_class(*arguments, *config)
        return provider
