"""Read bodies and headers: the checks that every dialect makes before its own."""

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from imagegate.domain.characters import FORBIDDEN, HALF, find_forbidden
from imagegate.domain.errors import InvalidRequest, TooLarge
from imagegate.domain.operation.coalescing import digest
from imagegate.domain.request.request import ImageRequest
from imagegate.usecases.start import GenerationRequest

LARGEST = 1024 * 1024
"""Bytes of a body without pictures. The longest texts that any field accepts fit, even with every character escaped."""
_DEEPEST = 20
_MOST_VALUES = 2000
_MOST_DIGITS = 40
_MAY_BE_HALF = b"\\ud"
_HALVES = re.compile("[\ud800-\udfff]")
NO_CONTROLS = {"pattern": rf"^[^{FORBIDDEN}]*$"}
"""JSON Schema of a Text, for readers of the OpenAPI document."""
ONE_LINE = {"pattern": rf"^[^{FORBIDDEN}\t\r\n]*$"}
"""JSON Schema of a Line."""


def require_fit(value: str, *, one_line: bool = False) -> str:
    """Return the text. Raises ValueError for a forbidden character."""
    if found := find_forbidden(value, one_line=one_line):
        raise ValueError(f"must not hold control or formatting characters, such as {found}")
    return value


Text = Annotated[str, AfterValidator(require_fit), Field(json_schema_extra=NO_CONTROLS)]
"""A text without control or formatting characters other than tabs and line ends (domain/characters.py)."""
Line = Annotated[str, AfterValidator(partial(require_fit, one_line=True)), Field(json_schema_extra=ONE_LINE)]
"""A text without tabs and line ends too: a name or an id."""

Metadata = Annotated[
    dict[Annotated[Text, Field(min_length=1, max_length=64)], Annotated[Text, Field(max_length=512)]],
    Field(max_length=16),
]
"""What a caller stores with an operation, as OpenAI bounds it."""


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""Accept 5.0 for 5, because JSON does not tell them apart. It follows the bounds, or JSON Schema would omit those."""


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return value


LONGEST_PROMPT = 32_000
"""Characters."""
VISIBLE = {"pattern": rf"[^\s{FORBIDDEN}]"}
"""JSON Schema of a text that is not blank once it is cleaned."""
Prompt = Annotated[
    str, Field(min_length=1, max_length=LONGEST_PROMPT, json_schema_extra=VISIBLE), AfterValidator(_not_blank)
]
"""A text that dialects/cleaning.py has cleaned before."""


def parse_document(body: bytes, largest: int = LARGEST) -> dict[str, Any]:
    """Parse the JSON object in `body`; the Content-Type does not matter.

    Raises InvalidRequest for other JSON, deep nesting or a repeated name, TooLarge for more than `largest` bytes.
    """
    if len(body) > largest:
        raise TooLarge(f"The body has {len(body)} bytes; at most {largest} are accepted.")
    document = _read(body)
    if not isinstance(document, dict):
        raise InvalidRequest("The body must be a JSON object.")
    _check_extent(document)
    return _with_marked_halves(document) if _MAY_BE_HALF in body.lower() else document


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
    # A proxy that checks requests before imagegate may read the other value.
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("an object has the same name twice")
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
    raise InvalidRequest(f"The body is nested more than {_DEEPEST} levels deep.")


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _with_marked_halves(document: dict[str, Any]) -> dict[str, Any]:
    """The document with HALF in place of each half of a surrogate pair, which texts are refused for or cleaned of."""
    text = json.dumps(document, ensure_ascii=False)
    marked: dict[str, Any] = json.loads(_HALVES.sub(HALF, text)) if _HALVES.search(text) else document
    return marked


_MODEL_URI = re.compile(r"art://(?P<folder>[^/]*)(/(?P<model>[^/]+))?(/[^/]+)?/?")
_BRANCHES = ("latest", "rc", "deprecated")
"""Yandex's names of a model's versions."""


def model_of_uri(uri: str, param: str) -> str | None:
    """Parse the model out of Yandex's `art://<folder>/<model>[/<branch>]`; `None` for any other name.

    Raises InvalidRequest for a URI without a folder, as one has whose variable was not set.
    """
    matched = _MODEL_URI.fullmatch(uri.strip())
    if matched is None:
        return None
    if not matched["folder"] or matched["model"] is None or matched["model"] in _BRANCHES:
        raise InvalidRequest(
            f"The folder is missing from the URI '{uri}'.", param=param, remedy="Use art://<folder>/<model>/latest."
        )
    return matched["model"]


_LONGEST_KEY = 255


def parse_idempotency_key(header: str | None) -> str | None:
    """Check the header Idempotency-Key, if there is one. Raises InvalidRequest for a wrong length or character."""
    if header is not None and not 1 <= len(header) <= _LONGEST_KEY:
        raise InvalidRequest(f"An Idempotency-Key has 1 to {_LONGEST_KEY} characters.", param="Idempotency-Key")
    return None if header is None else require_line(header, "Idempotency-Key")


_MOST_RETRIES = 1000


def parse_retry_count(header: str) -> int:
    """Parse a client's count of its retries; a text that is not a count marks a first retry."""
    return min(int(header), _MOST_RETRIES) if header.isascii() and header.isdecimal() else 1


def require_line(value: str, name: str) -> str:
    """Return the value of the header `name`. Raises InvalidRequest for a forbidden character."""
    try:
        return require_fit(value, one_line=True)
    except ValueError as error:
        raise InvalidRequest(f"{name} {error}.", param=name) from None


DATA_LOGGING = "x-data-logging-enabled"
"""A header of YandexART's clients that every dialect honours: with `false`, texts are kept only while it runs."""


def with_privacy(generation: GenerationRequest, header: str) -> GenerationRequest:
    """Apply the header DATA_LOGGING. A private request never repeats one that is not private.

    Raises InvalidRequest for another value.
    """
    match header.strip().lower():
        case "false":
            private = replace(generation.request, private=True)
            return replace(generation, request=private, digest=digest({"private": generation.digest}))
        case "" | "true":
            return generation
    raise InvalidRequest(f"{DATA_LOGGING} is 'true' or 'false'.", param=DATA_LOGGING)


UNCOMPRESSED = 100
"""The `output_compression` that OpenAI's clients send when they want none."""


def check_combinations(request: ImageRequest) -> None:
    """Raises InvalidRequest for fields that contradict each other."""
    if request.background == "transparent" and request.output_format == "jpeg":
        raise InvalidRequest("JPEG has no transparency: use png or webp.", param="background")
    compressed = request.output_compression not in (None, UNCOMPRESSED)
    if compressed and request.output_format not in ("jpeg", "webp"):
        raise InvalidRequest(
            "output_compression below 100 needs output_format 'jpeg' or 'webp'.", param="output_compression"
        )
