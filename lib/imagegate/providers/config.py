"""What models.toml says of one provider beyond its protocol and base URL, read into its protocol's dataclass."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, Literal, Protocol, TypeVar, get_args, get_origin, get_type_hints

from imagegate.domain.errors import MisconfiguredError
from imagegate.domain.request.limits import Limits


class ConfigError(MisconfiguredError):
    """A key of a provider that is unknown, missing or of another type."""

    def __init__(self, provider: str, key: str, what: str) -> None:
        """`what`: what is wrong with it, as the end of a sentence about the provider."""
        super().__init__(f"models.toml: [providers.{provider}] {what}")
        self.key = key
        self.what = what


class ProviderConfig(Protocol):
    """A frozen dataclass of str, bool, int, float, Literal, `tuple[X, ...]` and `Mapping[str, X]` fields."""

    @property
    def limits(self) -> Limits:
        """What a provider with this config accepts."""


F = TypeVar("F", bound=ProviderConfig)


def parse_config(kind: type[F], provider: str, entry: Mapping[str, Any]) -> F:
    """The config in `entry`. Raises ConfigError naming the key that is unknown, missing or of another type."""
    hints = get_type_hints(kind)
    if unknown := entry.keys() - hints.keys():
        key = min(unknown)
        raise ConfigError(provider, key, f"has the unknown key '{key}'; known: {', '.join(sorted(hints))}")
    for field in fields(kind):  # type: ignore[arg-type]  # typing has no bound for "a dataclass"
        if field.name not in entry and field.default is MISSING and field.default_factory is MISSING:
            raise ConfigError(provider, field.name, f"lacks the key '{field.name}'")
    return kind(**{name: parse_value(provider, name, value, hints[name]) for name, value in entry.items()})


def parse_value(provider: str, name: str, value: Any, hint: Any) -> Any:
    """The value of a key, of the type `hint`. Raises ConfigError for one of another type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal and value in arguments:
        return value
    if origin is tuple and isinstance(value, list):
        return tuple(parse_value(provider, name, element, arguments[0]) for element in value)
    if origin is Mapping and isinstance(value, dict):
        return {key: parse_value(provider, name, element, arguments[1]) for key, element in value.items()}
    if hint is float and type(value) is int:
        return float(value)
    # Not isinstance: a bool is an int to Python, and a mistake here.
    if origin is None and type(value) is hint:
        return value
    raise ConfigError(provider, name, f"has {name} = {value!r}, which must be {describe_type(hint)}")


def describe_type(hint: Any) -> str:
    """What a key of that type may be, in TOML's words."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " or ".join(map(repr, arguments))
    if origin is tuple:
        return f"a list, each element {describe_type(arguments[0])}"
    if origin is Mapping:
        return f"a table, each value {describe_type(arguments[1])}"
    return {str: "text", bool: "true or false", int: "a whole number", float: "a number"}.get(hint, str(hint))
