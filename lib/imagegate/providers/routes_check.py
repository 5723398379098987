"""What is wrong with a routes file. Pure."""

import difflib
import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, get_type_hints
from urllib.parse import urlsplit

from imagegate.domain.errors import MisconfiguredError
from imagegate.providers import registry
from imagegate.providers.config import ConfigError, describe_type, parse_value
from imagegate.providers.routes_keys import PRICES, FileKeys, ModelKeys, ProviderKeys, RequestDefaults

_PROVIDER = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}")
_ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}\*?")
_HOST = re.compile(r"[a-z0-9.-]+(:\d{1,5})?|\[[0-9a-f:]+\](:\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that has to be changed."""

    path: tuple[str, ...]
    """The keys that lead to it."""
    what: str
    """What is wrong and what is right, as the end of a sentence that begins with the path."""


def find_problems(document: Mapping[str, Any], builtin: Mapping[str, Any]) -> list[Problem]:
    """Everything that is wrong with the file, in its order; `builtin`: the document of models.toml."""
    found = [*_wrong_keys((), document, FileKeys)]
    if found:
        return found
    tables = [(kind, name) for kind in ("providers", "models") for name in document.get(kind, {})]
    found = [Problem(path, "must be a table") for path in tables if not isinstance(document[path[0]][path[1]], dict)]
    if found:
        return found
    base = builtin if document.get("builtins", True) else {"providers": {}, "models": {}}
    known = {*base["providers"], *document.get("providers", {})}
    for name, keys in document.get("providers", {}).items():
        found += _provider_problems(name, keys, builtin["providers"].get(name, {}))
    for name, keys in document.get("models", {}).items():
        found += _model_problems(name, keys, builtin["models"].get(name, {}), known)
    return found or [*_name_problems(document, base)]


def is_private(host: str) -> bool:
    """Whether a host name says by itself that it is on this machine or a private network."""
    host = host.rstrip(".")
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_global
    except ValueError:
        # Resolvers read an address also where its parts are octal, hexadecimal or fewer than four.
        number = re.fullmatch(r"(?:.*\.)?(?:\d+|0x[0-9a-f]*)", host) is not None
        return number or host == "localhost" or "." not in host or host.endswith((".local", ".internal", ".localhost"))


def _provider_problems(name: str, keys: Mapping[str, Any], builtin: Mapping[str, Any]) -> Iterator[Problem]:
    path = ("providers", name)
    if not _PROVIDER.fullmatch(name):
        yield Problem(path, "is no name of a provider: use a-z, 0-9, _ and -")
    common = {key: value for key, value in keys.items() if key in get_type_hints(ProviderKeys)}
    present = {**({} if "protocol" in keys else builtin), **common}
    wrong = [*_wrong_keys(path, common, ProviderKeys, present)]
    if "protocol" in keys and isinstance(keys["protocol"], str) and keys["protocol"] not in registry.PROTOCOLS:
        wrong.append(Problem((*path, "protocol"), _not_one_of(keys["protocol"], registry.PROTOCOLS)))
    yield from wrong
    if wrong:
        yield from _unknown_keys(path, keys)
    else:
        private = keys.get("private_network", builtin.get("private_network", False))
        yield from _url_problems((*path, "base_url"), keys.get("base_url"), private)
        yield from _host_problems((*path, "picture_hosts"), keys.get("picture_hosts", ()))
        yield from _protocol_problems(path, keys, builtin)


def _unknown_keys(path: tuple[str, ...], keys: Mapping[str, Any]) -> Iterator[Problem]:
    """Keys of no protocol, where it is not known of which one they would have to be."""
    kinds = (getattr(registry.load_protocol(name), "config_type", None) for name in registry.PROTOCOLS)
    legal = {*get_type_hints(ProviderKeys), *(key for kind in kinds if kind for key in get_type_hints(kind))}
    for key in keys:
        if key not in legal:
            yield Problem((*path, key), f"is no key; {_not_one_of(key, legal)}")


def _url_problems(path: tuple[str, ...], url: str | None, private: bool) -> Iterator[Problem]:
    if url is None:
        return
    try:
        parsed = urlsplit(url)
        host, _ = parsed.hostname or "", parsed.port
    except ValueError:
        host, parsed = "", urlsplit("")
    plain = (
        parsed.scheme in ("http", "https") and host and not (parsed.query or parsed.fragment or "@" in parsed.netloc)
    )
    if not plain or re.search(r"\s", url):
        yield Problem(path, "must be https://host/path, without user, query or #")
    elif not private and (parsed.scheme == "http" or is_private(host)):
        yield Problem(path, f"is {url}; http:// and private addresses need private_network = true beside it")


def _host_problems(path: tuple[str, ...], hosts: Iterable[str]) -> Iterator[Problem]:
    for host in hosts:
        if not _HOST.fullmatch(host):
            yield Problem(path, f"has {host!r}; write a host in lower case, with a port if it is not the usual one")


def _protocol_problems(path: tuple[str, ...], keys: Mapping[str, Any], builtin: Mapping[str, Any]) -> Iterator[Problem]:
    """What the protocol itself says of its keys."""
    name = path[1]
    whole = {**(builtin if keys.get("protocol", builtin.get("protocol")) == builtin.get("protocol") else {}), **keys}
    try:
        registry.build_entry(name, whole)
    except ConfigError as error:
        known = re.search(r"known: (.*)", error.what)
        what = f"is no key of its protocol; {_not_one_of(error.key, known[1].split(', '))}" if known else ""
        yield Problem((*path, error.key), what or f"cannot be used: the provider {error.what}")
    except (MisconfiguredError, ValueError) as error:
        yield Problem(path, f"cannot be used: {error}")


def _model_problems(
    name: str, keys: Mapping[str, Any], builtin: Mapping[str, Any], providers: set[str]
) -> Iterator[Problem]:
    path = ("models", name)
    if not _MODEL.fullmatch(name):
        yield Problem(path, "is no name of a model: use letters, digits and . _ : / -")
    wrong = [*_wrong_keys(path, keys, ModelKeys, {**builtin, **keys})]
    yield from wrong
    if wrong:
        return
    for stop in keys.get("route", ()):
        provider, slash, model = stop.partition("/")
        if not slash or not model:
            yield Problem((*path, "route"), f"has {stop!r}; write provider/model")
        elif provider not in providers:
            yield Problem((*path, "route"), f"names the provider {_not_one_of(provider, providers)}")
    if "route" in keys and not keys["route"]:
        yield Problem((*path, "route"), "is empty; enabled = false removes the model")
    for alias in keys.get("aliases", ()):
        if not _ALIAS.fullmatch(alias):
            yield Problem(
                (*path, "aliases"), f"has {alias!r}; use letters, digits and . _ : / -, and * at the end only"
            )
    served = {stop.partition("/")[0] for stop in keys.get("route", builtin.get("route", ()))}
    for table in PRICES:
        for provider in keys.get(table, {}):
            if provider not in served:
                not_served = _not_one_of(provider, served)
                yield Problem((*path, table, provider), f"is no provider of the model's route; {not_served}")
    yield from _wrong_keys((*path, "defaults"), keys.get("defaults", {}), RequestDefaults)


def _name_problems(document: Mapping[str, Any], base: Mapping[str, Any]) -> Iterator[Problem]:
    """Names that stand for two models, of which one would never be asked for; and a file without any model."""
    changed = document.get("models", {})
    enabled = {name: keys for name, keys in ({**base["models"], **changed}).items() if keys.get("enabled", True)}
    if not enabled:
        yield Problem((), "leaves no model; add [models.NAME], or leave builtins = false out")
    taken: dict[str, str] = {}
    for name in (name for name in changed if name in enabled):
        for alias in changed[name].get("aliases", ()):
            path = ("models", name, "aliases")
            if alias in enabled and alias != name:
                remedy = f"leave it out, or remove the model with [models.{alias}] enabled = false"
                yield Problem(path, f"has {alias!r}, which is the name of a model; {remedy}")
            elif taken.setdefault(alias, name) != name:
                yield Problem(path, f"has {alias!r}, which [models.{taken[alias]}] has too; leave one of them out")


def _wrong_keys(
    path: tuple[str, ...], keys: Mapping[str, Any], kind: type[Any], present: Mapping[str, Any] | None = None
) -> Iterator[Problem]:
    """Keys that `kind` does not have, or that are of another type, and those that must be `present` and are not."""
    hints = get_type_hints(kind, include_extras=True)
    for key, value in keys.items():
        if key not in hints:
            yield Problem((*path, key), f"is no key; {_not_one_of(key, hints)}")
        elif not (key in ("defaults", "providers", "models") and isinstance(value, dict)):
            try:
                parse_value("", key, value, hints[key])
            except ConfigError:
                table = key in ("defaults", "providers", "models")
                must_be = f"a table: write [{'.'.join((*path, key))}…]" if table else describe_type(hints[key])
                yield Problem((*path, key), f"is {value!r}; it must be {must_be}")
    for entry in fields(kind):
        required = entry.default is MISSING and entry.default_factory is MISSING
        if required and entry.name not in (keys if present is None else present):
            yield Problem(path, f"lacks the key {entry.name}")


def _not_one_of(value: str, legal: Iterable[str]) -> str:
    return f"{value!r} is not one of {', '.join(sorted(legal))}{_did_you_mean(value, legal)}"


def _did_you_mean(value: str, legal: Iterable[str]) -> str:
    near = difflib.get_close_matches(value, [*legal], 1, 0.6)
    return f". Do you mean {near[0]}?" if near else ""
