"""What pydantic complains of, in words for callers: no classes of ours, no patterns, none of Python's types."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

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
_A_TIME = "must be a time as RFC 3339 writes it, with its zone"
_KEY = "[key]"
"""What pydantic calls the place of a name that is wrong itself."""


def first_error(error: ValidationError) -> InvalidRequest:
    """The first of a model's complaints."""
    return to_invalid_request(error.errors(include_url=False)[0])


def to_invalid_request(complaint: Mapping[str, Any], *, name: str | None = None) -> InvalidRequest:
    """One complaint, of the field `name` if its place does not say it as the caller would."""
    place = [*map(str, complaint["loc"])]
    of_key = place[-1:] == [_KEY]
    # The caller's own names may be in it, of any length.
    field = name or masked(".".join(place[:-2] if of_key else place))[:_LONGEST_NAME]
    if complaint["type"] == "missing":
        return InvalidRequest(f"Missing required parameter: '{field}'.", param=field)
    if complaint["type"] == "extra_forbidden":
        return InvalidRequest(f"Unknown parameter: '{field}'.", param=field, remedy="Leave it out.")
    message = f"a name in it {_describe(complaint)}" if of_key else _describe(complaint)
    return InvalidRequest(f"Invalid value for '{field}': {message}.", param=field)


def _describe(complaint: Mapping[str, Any]) -> str:
    kind = str(complaint["type"]).removeprefix("string_") if "_too_" in complaint["type"] else complaint["type"]
    if kind.startswith(("datetime", "timezone")):
        return _A_TIME
    if kind not in _PHRASES:
        message = str(complaint["msg"]).removeprefix("Value error, ")
        return message[:1].lower() + message[1:]
    bounds = complaint.get("ctx", {})
    if bounds.get("min_length") == 1 or bounds.get("expected") == "''":
        return "must not be empty" if kind == "too_short" else "must be empty"
    return _PHRASES[kind].format(**bounds, unit="characters" if isinstance(complaint["input"], str) else "entries")
