"""The generated page of all keys of a routes file."""

from dataclasses import MISSING, fields
from typing import Any, get_type_hints

from imagegate.cli.markdown import table
from imagegate.providers import registry
from imagegate.providers.config import describe_type
from imagegate.providers.routes_keys import FileKeys, ModelKeys, ProviderKeys, RequestDefaults
from imagegate.providers.routes_schema import config_types, describe_keys

_TABLES = ("providers", "models", "defaults")
"""Keys whose value is a table with keys of its own."""


def routes_keys() -> str:
    """Every key, what it may be and what it means."""
    own = {name: kind for name, kind in config_types().items() if fields(kind)}
    others = ", ".join(f"`{name}`" for name in registry.PROTOCOLS if name not in own)
    parts = [
        "# Keys of a routes file\n\n[Routes](routes.md) says how they are used.\n",
        _section("At the top", FileKeys),
        _section("`[providers.NAME]`", ProviderKeys),
        _section("`[models.NAME]`", ModelKeys),
        _section("`[models.NAME.defaults]`", RequestDefaults),
        *(_section(f'`[providers.NAME]` with `protocol = "{name}"`', kind) for name, kind in own.items()),
        f"Protocols without keys of their own: {others}.\n",
    ]
    return "\n".join(parts)


def _section(title: str, kind: type[Any]) -> str:
    hints, described = get_type_hints(kind, include_extras=True), describe_keys(kind)
    rows = [
        tuple(
            cell.replace("|", "\\|")
            for cell in (f"`{entry.name}`", _value(entry, hints), _default(entry), described[entry.name])
        )
        for entry in fields(kind)
    ]
    return f"## {title}\n\n" + table(("key", "value", "default", "meaning"), rows)


def _value(entry: Any, hints: dict[str, Any]) -> str:
    return "a table, see below" if entry.name in _TABLES else describe_type(hints[entry.name])


def _default(entry: Any) -> str:
    if entry.default is MISSING:
        return "" if entry.default_factory is not MISSING else "required"
    if isinstance(entry.default, bool):
        return f"`{str(entry.default).lower()}`"
    return f"`{entry.default}`" if entry.default not in ("", (), 0, 0.0) else ""
