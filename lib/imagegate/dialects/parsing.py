"""What every dialect does with a body before its own rules begin."""

import json
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from imagegate.domain.errors import InvalidRequest
from imagegate.domain.request import ImageRequest


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""For whole numbers, after their bounds (which JSON Schema would not show otherwise): JSON does not tell 5.0 from 5."""


def _said(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return value


Prompt = Annotated[
    str, Field(min_length=1, max_length=32_000, json_schema_extra={"pattern": r"\S"}), AfterValidator(_said)
]


def document_of(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`, whatever the Content-Type said. Raises InvalidRequest."""
    try:
        document = json.loads(body or b"", parse_constant=_no_constant)
        if b"\\ud" in body.lower():
            json.dumps(document, ensure_ascii=False).encode()  # half a surrogate pair could be written nowhere again
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


UNCOMPRESSED = 100
"""What OpenAI's clients send as `output_compression` when they want none."""


def check_combinations(request: ImageRequest) -> None:
    """Raises InvalidRequest for fields that contradict each other."""
    if request.background == "transparent" and request.output_format == "jpeg":
        raise InvalidRequest("JPEG has no transparency: ask for png or webp.", param="background")
    compressed = request.output_compression not in (None, UNCOMPRESSED)
    if compressed and request.output_format not in ("jpeg", "webp"):
        raise InvalidRequest(
            "output_compression below 100 needs output_format 'jpeg' or 'webp'.", param="output_compression"
        )
