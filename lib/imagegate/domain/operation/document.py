"""Stored values as JSON documents. Absent means `None`.

A reader drops keys that its classes do not have, at every depth: while a deployment rolls over the functions, and
after a rollback, older code reads what newer code has written.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

_T = TypeVar("_T")


def dumps(value: Any) -> str:
    """Return a dataclass as compact JSON."""
    return json.dumps(value, default=_fields, separators=(",", ":"), ensure_ascii=False)


def loads(kind: type[_T], text: str) -> _T:
    """Return the dataclass `kind` that `dumps` was given.

    Raises TypeError when a field without a default is missing.
    """
    value: _T = _build(kind, json.loads(text))
    return value


def _fields(value: Any) -> dict[str, Any]:
    named = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
    return {name: content for name, content in named if content is not None}


def _build(kind: Any, document: Mapping[str, Any]) -> Any:
    return kind(**{name: parse(document[name]) for name, parse in _parsers(kind) if name in document})


@cache
def _parsers(kind: Any) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    hints = get_type_hints(kind)
    return tuple((field.name, _parser(hints[field.name])) for field in dataclasses.fields(kind))


def _parser(hint: Any) -> Callable[[Any], Any]:
    """Return what turns JSON into a value of the type `hint`."""
    if get_origin(hint) is tuple:
        parse_item = _parser(get_args(hint)[0])
        return lambda items: tuple(map(parse_item, items))
    choices = [choice for choice in get_args(hint) if choice is not NoneType]
    if NoneType in get_args(hint) and len(choices) == 1:
        parse = _parser(choices[0])
        return lambda value: None if value is None else parse(value)
    if dataclasses.is_dataclass(hint):
        return lambda document: _build(hint, document)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    return lambda value: value
