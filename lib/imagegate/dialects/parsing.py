"""What every dialect does with a body before its own rules begin."""

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from imagegate.domain.characters import FORBIDDEN, find_forbidden
from imagegate.domain.errors import InvalidRequest, TooLarge
from imagegate.domain.operation.coalescing import digest
from imagegate.domain.request.request import ImageRequest
from imagegate.usecases.start import GenerationRequest

LARGEST = 1024 * 1024
"""Bytes of a body without pictures: the longest texts that any field takes, every character escaped, fit."""
_DEEPEST = 20
_MOST_VALUES = 2000
_MOST_DIGITS = 40
_MAY_BE_HALF = b"\\ud"
NO_CONTROLS = {"pattern": rf"^[^{FORBIDDEN}]*$"}
"""JSON Schema of a Text, for readers of the OpenAPI document."""
ONE_LINE = {"pattern": rf"^[^{FORBIDDEN}\t\r\n]*$"}
"""JSON Schema of a Line."""


def require_fit(value: str, *, one_line: bool = False) -> str:
    """The text itself. Raises ValueError for one that holds a character which is refused."""
    if found := find_forbidden(value, one_line=one_line):
        raise ValueError(f"must not hold control or formatting characters, such as {found}")
    return value


Text = Annotated[str, AfterValidator(require_fit), Field(json_schema_extra=NO_CONTROLS)]
"""What is kept and passed on: no control or formatting characters but tabs and line ends (domain/characters.py)."""
Line = Annotated[str, AfterValidator(partial(require_fit, one_line=True)), Field(json_schema_extra=ONE_LINE)]
"""The same without tabs and line ends: names and ids."""


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""For whole numbers, after their bounds (which JSON Schema would not show otherwise): JSON does not tell 5.0 from 5."""


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return value


Prompt = Annotated[
    Text,
    Field(min_length=1, max_length=32_000, json_schema_extra={"pattern": r"\S", "allOf": [NO_CONTROLS]}),
    AfterValidator(_not_blank),
]


def parse_document(body: bytes, largest: int = LARGEST) -> dict[str, Any]:
    """The JSON object in `body`, whatever the Content-Type said: not deep, no name twice.

    Raises InvalidRequest; TooLarge when it has more than `largest` bytes.
    """
    if len(body) > largest:
        raise TooLarge(f"The body has {len(body)} bytes; at most {largest} are taken.")
    document = _read(body)
    if not isinstance(document, dict):
        raise InvalidRequest("The body must be a JSON object.")
    _check_extent(document)
    if _MAY_BE_HALF in body.lower():
        _check_halves(document)
    return document


def _read(body: bytes) -> Any:
    try:
        return json.loads(
            body.decode("utf-8-sig"),
            parse_constant=_no_constant,
            parse_float=_number,
            parse_int=_whole_number,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError:
        problem = "it is not UTF-8"
    except RecursionError:
        problem = "it is nested too deeply"
    except ValueError as error:
        problem = str(error)
    message = f"The body is not valid JSON: {problem}." if body else "The body is empty."
    raise InvalidRequest(message, remedy="Send a JSON object.")


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _number(text: str) -> float:
    value = float(text)
    if abs(value) == float("inf"):
        raise ValueError("a number is too large")
    return value


def _whole_number(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError("a number has too many digits")
    return int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Whoever checks the request before us may have taken the other one.
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a name is there twice in one object")
    return document


def _check_extent(document: dict[str, Any]) -> None:
    level, seen = [document], 0
    for _ in range(_DEEPEST):
        level = [child for value in level for child in _children(value)]
        seen += len(level)
        if seen > _MOST_VALUES:
            raise InvalidRequest(f"The body has more than {_MOST_VALUES} values.")
        if not level:
            return
    raise InvalidRequest(f"The body is nested more than {_DEEPEST} deep.")


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _check_halves(value: Any) -> None:
    """Raises InvalidRequest for half of a surrogate pair in a name or text: it could be neither kept nor repeated."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        message = "The body is not valid JSON: it holds half of a character, a \\ud800 to \\udfff that stands alone."
        raise InvalidRequest(message) from None


_MODEL_URI = re.compile(r"art://[^/]+/(?P<model>[^/]+)(/[^/]+)?")


def model_of_uri(uri: str) -> str | None:
    """The model in Yandex's `art://<folder>/<model>[/<branch>]`; `None` for any other name."""
    matched = _MODEL_URI.fullmatch(uri)
    return matched["model"] if matched else None


_LONGEST_KEY = 255


def parse_idempotency_key(header: str | None) -> str | None:
    """The Idempotency-Key of a header, if there is one. Raises InvalidRequest for one of another length or shape."""
    if header is not None and not 1 <= len(header) <= _LONGEST_KEY:
        raise InvalidRequest(f"An Idempotency-Key has 1 to {_LONGEST_KEY} characters.", param="Idempotency-Key")
    return None if header is None else header_line(header, "Idempotency-Key")


def header_line(said: str, name: str) -> str:
    """The value of the header `name`. Raises InvalidRequest for one that holds a character which is refused."""
    try:
        return require_fit(said, one_line=True)
    except ValueError as error:
        raise InvalidRequest(f"{name} {error}.", param=name) from None


DATA_LOGGING = "x-data-logging-enabled"
"""The header of YandexART's clients, heeded in every dialect: `false` keeps words no longer than their request runs."""


def with_privacy(generation: GenerationRequest, said: str) -> GenerationRequest:
    """The GenerationRequest as DATA_LOGGING has it; a private one is no repetition of one that is not. Raises
    InvalidRequest."""
    match said.strip().lower():
        case "false":
            private = replace(generation.request, private=True)
            return replace(generation, request=private, digest=digest({"private": generation.digest}))
        case "" | "true":
            return generation
    raise InvalidRequest(f"{DATA_LOGGING} is 'true' or 'false'.", param=DATA_LOGGING)


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
