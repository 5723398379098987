"""What every dialect does with a body before its own rules begin."""

import json
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError

from imagegate.domain.errors import InvalidRequest


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Integer = Annotated[int, BeforeValidator(_whole)]
"""A whole number; JSON does not tell 5.0 from 5."""


def document_of(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`, whatever the Content-Type said. Raises InvalidRequest."""
    try:
        document = json.loads(body or b"", parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(
            f"The body is not valid JSON: {error}." if body else "The body is empty.",
            remedy="Send a JSON object.",
        ) from None
    if not isinstance(document, dict):
        raise InvalidRequest("The body must be a JSON object.")
    return document


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def first_problem(error: ValidationError) -> InvalidRequest:
    """The first of a model's complaints, in words for the caller."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(map(str, first["loc"]))
    if first["type"] == "missing":
        return InvalidRequest(f"Missing required parameter: '{field}'.", param=field)
    said = first["msg"].removeprefix("Value error, ")
    return InvalidRequest(f"Invalid value for '{field}': {said[0].lower()}{said[1:]}.", param=field)
