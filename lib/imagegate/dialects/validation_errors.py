"""pydantic's errors as refusals for callers: without class names, patterns or Python's types."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from imagegate.domain.characters import masked
from imagegate.domain.errors import InvalidRequest

_LONGEST_NAME = 100
_PHRASES = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "has too many digits",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "list_type": "must be a list",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "too_short": "must have at least {min_length} {unit}",
    "too_long": "must have at most {max_length} {unit}",
}
_PHRASES_OF_TYPES = ("string_type", "list_type", "dict_type")
_A_TIME = "must be an RFC 3339 time with a time zone"
_KEY = "[key]"
"""The last part of pydantic's location of an object's name that is invalid itself."""


def first_error(
    error: ValidationError, sent_names: Mapping[str, str] | None = None, unions: Collection[str] = ()
) -> InvalidRequest:
    """The first of a model's errors; `sent_names` has what the caller called a field, where that differs.

    `unions`: fields that may be of several types, of each of which pydantic has an error.
    """
    errors = error.errors(include_url=False)
    found = errors[0]
    if found["loc"] and found["loc"][0] in unions:
        return _of_union([each for each in errors if each["loc"][:1] == found["loc"][:1]])
    return to_invalid_request(found, name=(sent_names or {}).get(str(found["loc"][0]) if found["loc"] else ""))


def _of_union(errors: Sequence[ErrorDetails]) -> InvalidRequest:
    """What is wrong with a value of the right type, or else all the types that it may be of."""
    name = str(errors[0]["loc"][0])
    whole = [each for each in errors if len(each["loc"]) <= 2 and each["type"] in _PHRASES_OF_TYPES]
    for each in errors:
        if each not in whole:  # without the name of the type, which pydantic has after the field's
            return to_invalid_request({**each, "loc": (name, *each["loc"][2:])})
    kinds = dict.fromkeys(_PHRASES[each["type"]].removeprefix("must be ") for each in whole)
    return InvalidRequest(f"Invalid value for '{name}': must be {' or '.join(kinds)}.", param=name)


def to_invalid_request(found: Mapping[str, Any], *, name: str | None = None) -> InvalidRequest:
    """One of pydantic's errors. `name` is the field as the caller knows it, where its location differs."""
    place = [*map(str, found["loc"])]
    of_key = place[-1:] == [_KEY]
    # It can hold names that the caller invented, of any length.
    field = name or masked(".".join(place[:-2] if of_key else place))[:_LONGEST_NAME]
    if found["type"] == "missing":
        return InvalidRequest(f"Missing required parameter: '{field}'.", param=field)
    if found["type"] == "extra_forbidden":
        return InvalidRequest(f"Unknown parameter: '{field}'.", param=field, remedy="Leave it out.")
    message = f"a name in it {_describe(found)}" if of_key else _describe(found)
    return InvalidRequest(f"Invalid value for '{field}': {message}.", param=field)


def _describe(found: Mapping[str, Any]) -> str:
    kind = str(found["type"]).removeprefix("string_") if "_too_" in found["type"] else found["type"]
    if kind.startswith(("datetime", "timezone")):
        return _A_TIME
    if kind not in _PHRASES:
        message = str(found["msg"]).removeprefix("Value error, ")
        return message[:1].lower() + message[1:]
    bounds = found.get("ctx", {})
    if bounds.get("min_length") == 1 or bounds.get("expected") == "''":
        return "must not be empty" if kind == "too_short" else "must be empty"
    return _PHRASES[kind].format(**bounds, unit="characters" if isinstance(found["input"], str) else "entries")
