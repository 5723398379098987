"""What models.toml says of one provider beyond its protocol and base URL, read into its protocol's dataclass."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, Literal, Protocol, TypeVar, get_args, get_origin, get_type_hints

from imagegate.domain.errors import MisconfiguredError
from imagegate.domain.request.limits import Limits


class ProviderConfig(Protocol):
    """A frozen dataclass of str, bool, int, float, Literal, `tuple[X, ...]` and `Mapping[str, X]` fields."""

    @property
    def limits(self) -> Limits:
        """What a provider with this config accepts."""


F = TypeVar("F", bound=ProviderConfig)


def parse_config(kind: type[F], provider: str, entry: Mapping[str, Any]) -> F:
    """The config in `entry`. Raises MisconfiguredError naming the key that is unknown, missing or of another type."""
    hints = get_type_hints(kind)
    if unknown := entry.keys() - hints.keys():
        raise _invalid(provider, f"has the unknown key '{min(unknown)}'; known: {', '.join(sorted(hints))}")
    for field in fields(kind):  # type: ignore[arg-type]  # typing has no bound for "a dataclass"
        if field.name not in entry and field.default is MISSING and field.default_factory is MISSING:
            raise _invalid(provider, f"lacks the key '{field.name}'")
    return kind(**{name: _typed(provider, name, value, hints[name]) for name, value in entry.items()})


def _typed(provider: str, name: str, value: Any, hint: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal and value in arguments:
        return value
    if origin is tuple and isinstance(value, list):
        return tuple(_typed(provider, name, element, arguments[0]) for element in value)
    if origin is Mapping and isinstance(value, dict):
        return {key: _typed(provider, name, element, arguments[1]) for key, element in value.items()}
    if hint is float and type(value) is int:
        return float(value)
    # Not isinstance: a bool is an int to Python, and a mistake here.
    if origin is None and type(value) is hint:
        return value
    expected = " or ".join(map(repr, arguments)) if origin is Literal else str(hint)
    raise _invalid(provider, f"has {name} = {value!r}, which must be {expected}")


def _invalid(provider: str, what: str) -> MisconfiguredError:
    return MisconfiguredError(f"models.toml: [providers.{provider}] {what}")
