"""What models.toml says of one provider beyond its protocol and base URL, read into its protocol's dataclass."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Annotated, Any, Literal, Protocol, TypeVar, get_args, get_origin, get_type_hints

from imagegate.domain.errors import MisconfiguredError
from imagegate.domain.request.limits import Limits


class ConfigError(MisconfiguredError):
    """A key of a provider that is unknown, missing or of another type."""

    def __init__(self, provider: str, key: str, what: str) -> None:
        """`what`: what is wrong with it, as the end of a sentence about the provider."""
        super().__init__(f"models.toml: [providers.{provider}] {what}")
        self.key = key
        self.what = what


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the most that a number may be."""

    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Matches:
    """The pattern of a text."""

    pattern: str
    description: str
    """What the pattern means, as what the text "must be"."""


Positive = Annotated[int, Bounds(1, 2**62)]
Count = Annotated[int, Bounds(0, 2**31)]
ExpectedSeconds = Annotated[float, Bounds(0.01, 86_400)]
SecretName = Annotated[str, Matches(r"[A-Za-z0-9_.-]{1,100}", "the name of a secret, such as MY_KEY")]
OptionalSecretName = Annotated[str, Matches(r"[A-Za-z0-9_.-]{0,100}", "the name of a secret, or empty")]
Url = Annotated[str, Matches(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?", "https://host/path")]
Scheme = Annotated[str, Matches(r"[A-Za-z][A-Za-z0-9_-]*", "a scheme of Authorization, such as Bearer")]
HeaderName = Annotated[str, Matches(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", "the name of a header")]
HeaderValue = Annotated[
    str, Matches(r"(?:[ -z|~]|\{[A-Z][A-Z0-9_]*\})*", "ASCII on one line, with {SECRET_NAME} for a secret")
]


class ProviderConfig(Protocol):
    """A frozen dataclass whose fields are of the types that `parse_value` knows.

    It may have a method `contradiction`, which returns the key that contradicts another and what is wrong with it.
    """

    @property
    def limits(self) -> Limits:
        """What a provider with this config accepts."""


F = TypeVar("F", bound=ProviderConfig)

_LARGEST_NUMBER = 2**62
"""No setting needs more; NaN and infinity are not below it."""
_UNBOUNDED = 2**31
"""A bound from here on is not worth a word."""


def parse_config(kind: type[F], provider: str, entry: Mapping[str, Any]) -> F:
    """The config in `entry`. Raises ConfigError naming the key that is unknown, missing or of another type."""
    hints = get_type_hints(kind, include_extras=True)
    if unknown := entry.keys() - hints.keys():
        key = min(unknown)
        raise ConfigError(provider, key, f"has the unknown key '{key}'; known: {', '.join(sorted(hints))}")
    for field in fields(kind):  # type: ignore[arg-type]  # typing has no bound for "a dataclass"
        if field.name not in entry and field.default is MISSING and field.default_factory is MISSING:
            raise ConfigError(provider, field.name, f"lacks the key '{field.name}'")
    config = kind(**{name: parse_value(provider, name, value, hints[name]) for name, value in entry.items()})
    contradiction = getattr(config, "contradiction", None)
    if contradiction and (found := contradiction()):
        raise ConfigError(provider, *found)
    return config


def parse_value(provider: str, name: str, value: Any, hint: Any) -> Any:
    """The value of a key, of the type `hint`. Raises ConfigError for one of another type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal and value in arguments:
        return value
    if origin is Annotated:
        try:
            parsed = parse_value(provider, name, value, arguments[0])
        except ConfigError:
            parsed = None
        if parsed is None or not _keeps(parsed, arguments[1]):
            raise _wrong(provider, name, value, hint)
        return parsed
    if origin is tuple and isinstance(value, list):
        return tuple(parse_value(provider, name, element, arguments[0]) for element in value)
    if origin is Mapping and isinstance(value, dict):
        keys = [parse_value(provider, name, key, arguments[0]) for key in value]
        values = [parse_value(provider, name, element, arguments[1]) for element in value.values()]
        return dict(zip(keys, values, strict=True))
    if hint is float and type(value) in (int, float) and abs(value) <= _LARGEST_NUMBER:
        return float(value)
    # Not isinstance: a bool is an int to Python, and a mistake here.
    if origin is None and type(value) is hint and (hint in (str, bool) or abs(value) <= _LARGEST_NUMBER):
        return value
    raise _wrong(provider, name, value, hint)


def _wrong(provider: str, name: str, value: Any, hint: Any) -> ConfigError:
    return ConfigError(provider, name, f"has {name} = {value!r}, which must be {describe_type(hint)}")


def _keeps(value: Any, rule: Bounds | Matches) -> bool:
    if isinstance(rule, Bounds):
        return bool(rule.least <= value <= rule.most)
    return re.fullmatch(rule.pattern, value) is not None


def describe_type(hint: Any) -> str:
    """What a key of that type may be, in TOML's words."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " or ".join(map(repr, arguments))
    if origin is Annotated:
        return _describe_rule(describe_type(arguments[0]), arguments[1])
    if origin is tuple:
        return f"a list, each element {describe_type(arguments[0])}"
    if origin is Mapping:
        keys = "" if arguments[0] is str else f"each key {describe_type(arguments[0])}, "
        return f"a table, {keys}each value {describe_type(arguments[1])}"
    return {str: "text", bool: "true or false", int: "a whole number", float: "a number"}.get(hint, str(hint))


def _describe_rule(kind: str, rule: Bounds | Matches) -> str:
    if isinstance(rule, Matches):
        return rule.description
    if rule.most < _UNBOUNDED:
        return f"{kind} from {rule.least:g} to {rule.most:g}"
    return f"{kind}, {rule.least:g} or more"
