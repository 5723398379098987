"""A user's routes file: providers and models that extend and override those of models.toml (docs/routes.md)."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from imagegate.domain.errors import MisconfiguredError
from imagegate.providers import registry
from imagegate.providers.registry import RouteTable
from imagegate.providers.routes_check import Problem, find_problems
from imagegate.providers.toml_lines import line_of

LARGEST = 128 * 1024
"""Bytes of a routes file. DynamoDB takes 400 KB for an item."""


class RoutesFileError(MisconfiguredError):
    """A routes file that cannot be used; the message has a line for each reason."""


def parse_routes(text: str, source: str = "imagegate.toml", version: str | None = None) -> RouteTable:
    """The table that the file makes of models.toml, every entry of the file checked.

    `source` names the file in messages. Raises RoutesFileError.
    """
    if len(text.encode()) > LARGEST:
        raise RoutesFileError(f"{source} has more than {LARGEST} bytes.")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RoutesFileError(_describe_syntax(source, text, str(error))) from None
    except RecursionError:
        raise RoutesFileError(f"{source}:1: not valid TOML: its tables or lists are nested too deeply.") from None
    builtin = registry.builtin().document
    problems = find_problems(document, builtin)
    if problems:
        raise RoutesFileError("\n".join(_describe(source, text, problem) for problem in problems))
    own = [name for name, keys in document.get("providers", {}).items() if "base_url" in keys]
    return RouteTable(merge(builtin, document), version, frozenset(own))


def merge(builtin: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """Both as one: keys of the file override those of the same provider or model, its models come first."""
    base = builtin if document.get("builtins", True) else {"providers": {}, "models": {}}
    providers = _merge_tables(base["providers"], document.get("providers", {}), builtin["providers"])
    disabled = {name for name, keys in providers.items() if not keys.pop("enabled", True)}
    models = _merge_tables(base["models"], document.get("models", {}), builtin["models"])
    for keys in models.values():
        keys["route"] = [stop for stop in keys["route"] if stop.partition("/")[0] not in disabled]
    first = dict.fromkeys([*document.get("models", {}), *models])
    kept = {name: models[name] for name in first if models[name].pop("enabled", True) and models[name]["route"]}
    return {"providers": {name: keys for name, keys in providers.items() if name not in disabled}, "models": kept}


def _merge_tables(
    base: Mapping[str, Any], changes: Mapping[str, Any], builtin: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """`base` with `changes`; what a change leaves out it has from the built-in of its name, if there is one."""
    changed = {name: _merge_entry(builtin.get(name, {}), keys) for name, keys in changes.items()}
    return {name: dict(keys) for name, keys in base.items()} | changed


def _merge_entry(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    if changes.get("protocol", base.get("protocol")) != base.get("protocol"):
        return dict(changes)  # another protocol has other keys
    own = changes.get("prices_usd", {})
    further = {name: usd for name, usd in base.get("megapixel_prices_usd", {}).items() if name not in own}
    prices = {
        "prices_usd": base.get("prices_usd", {}) | own,
        "megapixel_prices_usd": further | changes.get("megapixel_prices_usd", {}),
    }
    return {**base, **changes, **{table: merged for table, merged in prices.items() if merged}}


def _describe(source: str, text: str, problem: Problem) -> str:
    return f"{source}:{line_of(text, problem.path)}: {'.'.join(problem.path) or 'it'} {problem.what}"


def _describe_syntax(source: str, text: str, error: str) -> str:
    """tomllib's words with the line in front, and with a remedy where they name none."""
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", error, re.DOTALL)
    what, line, column = (found[1], found[2], found[3]) if found else (error, None, None)
    line = line or str(text.count("\n") + 1)
    if what.startswith(("Cannot overwrite", "Cannot declare", "Cannot mutate", "Cannot redefine")):
        what += ": it is in the file before; keep one of the two"
    return f"{source}:{line}: not valid TOML: {what} ({f'column {column}' if column else 'at the end'})."
