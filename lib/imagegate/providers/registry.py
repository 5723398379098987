"""The upstream protocols, and the route table of models.toml.

To add a protocol: one file beside this one, one line in PROTOCOLS. ADDING.md has the steps.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from imagegate.domain.errors import MisconfiguredError
from imagegate.domain.route import Route, Routes, Target
from imagegate.ports import Http, Provider, Secrets
from imagegate.providers.gradio_space import GradioSpace

PROTOCOLS = {
    "gradio_space": GradioSpace,
}


@cache
def _document() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("models.toml").read_text(encoding="utf-8"))


def routes() -> Routes:
    """Every route of models.toml."""
    return Routes(_route(name, entry) for name, entry in _document()["models"].items())


def _route(name: str, entry: Mapping[str, Any]) -> Route:
    targets = tuple(Target(*stop.split("/", 1)) for stop in entry["route"])
    return Route(name, targets, tuple(entry.get("aliases", ())), entry.get("description", ""))


class Providers:
    """The configured providers, made when first asked for."""

    def __init__(self, http: Http, secrets: Secrets, base_urls: Mapping[str, str]) -> None:
        """`base_urls` replaces the base URL of the providers it names (the embedded stack does)."""
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
        entry = _document()["providers"].get(name)
        if entry is None:
            raise MisconfiguredError(f"models.toml has no provider '{name}'")
        protocol = PROTOCOLS[entry["protocol"]]
        base_url = self._base_urls.get(name, entry["base_url"]).rstrip("/")
        return protocol(name, base_url, self._http, self._secrets)
