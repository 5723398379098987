"""The upstream protocols, and the route table of models.toml.

To add a protocol: a module beside this one, one line in PROTOCOLS. ADDING.md has the steps.
"""

import re
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from importlib.resources import files
from typing import Any

from imagegate.domain.errors import MisconfiguredError
from imagegate.domain.request.limits import Limits
from imagegate.domain.request.route import Route
from imagegate.domain.request.routes import Routes
from imagegate.ports.upstreams import Http, Provider, Reach, Secrets
from imagegate.providers.config import ConfigError, ProviderConfig, parse_config
from imagegate.providers.replaced import URL_SUFFIX, with_replaced_urls
from imagegate.providers.route_targets import RouteTargets

EXPANDER = "expander"
"""The name of the language model that expands prompts, beside the providers'."""

_HOST = re.compile(r"^(https?://[^/]+|\{[A-Z_]+\})")
"""What stands before the path of a base URL."""

COMMON_KEYS = ("protocol", "base_url", "enabled", "private_network", "picture_hosts")
"""Keys of a provider that every protocol has."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEntry:
    """A provider of a route table."""

    provider_class: Any
    """Called with name, base URL, Http and Secrets, and with the config if the class names a `config_type`."""
    base_url: str
    config: ProviderConfig | None
    reach: Reach

    @property
    def limits(self) -> Limits:
        """What it accepts."""
        limits: Limits = self.config.limits if self.config else self.provider_class.limits
        return limits

    def limits_for(self, model: str) -> Limits:
        """Those of one model, where the config or the protocol tells models apart."""
        of_model: Callable[[str], Limits] | None = getattr(self.config or self.provider_class, "limits_for", None)
        return of_model(model) if of_model else self.limits


class RouteTable:
    """The providers and models of a document such as models.toml, each made when it is first used."""

    def __init__(
        self, document: Mapping[str, Any], version: str | None = None, own: Collection[str] = frozenset()
    ) -> None:
        """`version`: which of the deployment's tables it is; `None` for one that has no others.

        `own`: names of the providers whose base URL is the user's own, and not models.toml's.
        """
        self.document = document
        self.version = version
        self.own = own
        self._entries: dict[str, ProviderEntry] = {}

    @cached_property
    def routes(self) -> Routes:
        """Every route."""
        return Routes((self._route(name, keys) for name, keys in self.document["models"].items()), self.version)

    def entry(self, provider: str) -> ProviderEntry:
        """The provider of that name. Raises MisconfiguredError when there is none, or its keys are wrong."""
        if provider not in self._entries:
            keys = self.document["providers"].get(provider)
            if keys is None:
                raise MisconfiguredError(f"models.toml has no provider '{provider}'")
            self._entries[provider] = build_entry(provider, keys)
        return self._entries[provider]

    def limits_of(self, provider: str) -> Limits:
        """What the provider of that name accepts; sends nothing, needs no credentials. Raises MisconfiguredError."""
        return self.entry(provider).limits

    def _route(self, name: str, keys: Mapping[str, Any]) -> Route:
        aliases, defaults = tuple(keys.get("aliases", ())), keys.get("defaults", {})
        return Route(
            model=name,
            targets=RouteTargets(keys, lambda provider, model: self.entry(provider).limits_for(model)),
            aliases=aliases,
            description=keys.get("description", ""),
            defaults=defaults,
        )


@cache
def _document() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("models.toml").read_text(encoding="utf-8"))


@cache
def builtin() -> RouteTable:
    """The table of models.toml."""
    return RouteTable(_document())


def build_entry(provider: str, keys: Mapping[str, Any]) -> ProviderEntry:
    """The entry that a provider's keys describe. Raises MisconfiguredError naming the key that is wrong."""
    provider_class = load_protocol(keys["protocol"])
    rest = {name: value for name, value in keys.items() if name not in COMMON_KEYS}
    config_type = getattr(provider_class, "config_type", None)
    if rest and not config_type:
        key = min(rest)
        raise ConfigError(provider, key, f"has the key '{key}', which its protocol has no use for")
    return ProviderEntry(
        provider_class=provider_class,
        base_url=keys["base_url"],
        config=parse_config(config_type, provider, rest) if config_type else None,
        reach=Reach(keys.get("private_network", False), tuple(keys.get("picture_hosts", ()))),
    )


def load_protocol(protocol: str) -> Any:
    """The protocol's Provider class. Raises MisconfiguredError when PROTOCOLS does not have it."""
    if protocol not in PROTOCOLS:
        known = ", ".join(sorted(PROTOCOLS))
        raise MisconfiguredError(f"models.toml: there is no protocol '{protocol}'; known: {known}")
    return getattr(import_module(f"{__package__}.{protocol}"), PROTOCOLS[protocol])


def provider_names() -> Sequence[str]:
    """Every provider of models.toml."""
    return tuple(_document()["providers"])


def stand_in_urls(url: str) -> dict[str, str]:
    """Where a server at `url` plays the upstreams: each below its name, with the path that its real base URL has.

    Further URLs of a provider are named `provider.key`.
    """
    urls = {
        f"{name}{'' if key == 'base_url' else f'.{key}'}": f"{url}/{name}{_HOST.sub('', value)}"
        for name, keys in _document()["providers"].items()
        for key, value in keys.items()
        if key.endswith(URL_SUFFIX)
    }
    return {**urls, EXPANDER: f"{url}/{EXPANDER}/v1"}


def limits_of(provider: str) -> Limits:
    """What the provider of that name in models.toml accepts. Raises MisconfiguredError."""
    return builtin().limits_of(provider)


def routes() -> Routes:
    """Every route of models.toml."""
    return builtin().routes


class Providers:
    """The providers of a table, made when first used."""

    def __init__(
        self,
        http: Http,
        secrets: Secrets,
        base_urls: Mapping[str, str],
        table: RouteTable | None = None,
        confine: Callable[[Reach], Http] | None = None,
    ) -> None:
        """`base_urls` replaces the URLs that it names (see `stand_in_urls`), as the embedded stack does.

        `table`: models.toml's if it is not given. `confine` makes the way to those of its providers whose base URL is
        the user's own; `http` if it is not given.
        """
        self._http = http
        self._secrets = secrets
        self._base_urls = base_urls
        self._table = table or builtin()
        self._confine = confine or (lambda reach: http)
        self._made: dict[str, Provider] = {}

    def __call__(self, name: str) -> Provider:
        """The provider of that name. Raises MisconfiguredError when the table has none."""
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> Provider:
        entry = self._table.entry(name)
        base_url, http, config = entry.base_url, self._confine(entry.reach), entry.config
        if name not in self._table.own:
            base_url, http = self._base_urls.get(name, base_url), self._http
            if entry.reach.picture_hosts and base_url == entry.base_url:
                http = self._confine(Reach(private_network=True, picture_hosts=entry.reach.picture_hosts))
            config = with_replaced_urls(name, config, self._base_urls) if config else None
        arguments = (name, base_url.rstrip("/"), http, self._secrets)
        provider: Provider = entry.provider_class(*arguments, *([config] if config else []))
        return provider
