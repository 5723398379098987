"""The upstream protocols, and the route table of models.toml.

To add a protocol: one file beside this one, one line in PROTOCOLS. ADDING.md has the steps.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from imagegate.domain.errors import MisconfiguredError
from imagegate.domain.request.limits import Limits
from imagegate.domain.request.route import Route, Routes, Target
from imagegate.ports.upstreams import Http, Provider, Secrets
from imagegate.providers.config import ProviderConfig, parse_config
from imagegate.providers.gradio_space import GradioSpace
from imagegate.providers.openai_compat import OpenAICompatConfig
from imagegate.providers.openai_images import OpenAIImages
from imagegate.providers.replaced import reach
from imagegate.providers.yandexart import YandexArt


@dataclass(frozen=True, slots=True)
class Protocol:
    """How the providers of a protocol are made, and where their limits stand."""

    make: Callable[..., Provider]
    """Called with name, base URL, Http, Secrets, and the provider's facts if it has any."""
    limits: Limits | type[ProviderConfig]
    """One for all its providers; or the class of their facts, which the rest of a provider's entry is read into."""


PROTOCOLS = {
    "gradio_space": Protocol(GradioSpace, GradioSpace.limits),
    "openai_images": Protocol(OpenAIImages, OpenAICompatConfig),
    "yandexart": Protocol(YandexArt, YandexArt.limits),
}


@dataclass(frozen=True, slots=True)
class _Entry:
    """A provider of models.toml."""

    protocol: Protocol
    base_url: str
    configs: tuple[ProviderConfig, ...]
    """One, or none when all providers of the protocol are alike."""

    @property
    def limits(self) -> Limits:
        return self.configs[0].limits if isinstance(self.protocol.limits, type) else self.protocol.limits


@cache
def _document() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("models.toml").read_text(encoding="utf-8"))


@cache
def _entry(provider: str) -> _Entry:
    keys = _document()["providers"].get(provider)
    if keys is None:
        raise MisconfiguredError(f"models.toml has no provider '{provider}'")
    protocol = PROTOCOLS[keys["protocol"]]
    rest = {name: value for name, value in keys.items() if name not in ("protocol", "base_url")}
    if isinstance(protocol.limits, type):
        return _Entry(protocol, keys["base_url"], (parse_config(protocol.limits, provider, rest),))
    if rest:
        raise MisconfiguredError(f"models.toml: [providers.{provider}] has keys its protocol has no use for: {rest}")
    return _Entry(protocol, keys["base_url"], ())


def provider_names() -> Sequence[str]:
    """Every provider of models.toml."""
    return tuple(_document()["providers"])


def limits_of(provider: str) -> Limits:
    """What the provider of that name accepts; asks nobody, needs no credentials. Raises MisconfiguredError."""
    return _entry(provider).limits


def routes() -> Routes:
    """Every route of models.toml."""
    return Routes(_route(name, entry) for name, entry in _document()["models"].items())


def _route(name: str, entry: Mapping[str, Any]) -> Route:
    targets = tuple(_target(stop, entry) for stop in entry["route"])
    return Route(name, targets, tuple(entry.get("aliases", ())), entry.get("description", ""))


def _target(stop: str, entry: Mapping[str, Any]) -> Target:
    provider, _, model = stop.partition("/")
    return Target(provider, model, limits_of(provider), entry.get("prices_usd", {}).get(provider))


class Providers:
    """The configured providers, made when first asked for."""

    def __init__(self, http: Http, secrets: Secrets, base_urls: Mapping[str, str] | None) -> None:
        """`base_urls` replaces the base URL of the providers it names (the embedded stack does), see `reach`."""
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
        return entry.protocol.make(name, base_url.rstrip("/"), http, self._secrets, *entry.configs)
