"""What clients send without meaning anything by it: empty fields, and characters that were pasted into a prompt."""

from collections.abc import Mapping, Sequence
from typing import Any

from imagegate.domain.characters import masked, without_forbidden

_EMPTY = {"type": "string", "maxLength": 0}
_LONGEST_NAME = 60


def clean_texts(document: Mapping[str, Any], names: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The document with these texts of it cleaned of forbidden characters, and the names of those that had some."""
    texts = {name: document[name] for name in names if isinstance(document.get(name), str)}
    cleaned = {name: clean for name, text in texts.items() if (clean := without_forbidden(text)) != text}
    return {**document, **cleaned}, list(cleaned)


def without_empty(document: Mapping[str, Any], required: Sequence[str] = ("prompt",)) -> dict[str, Any]:
    """The fields that are set: null and an empty text mean the same as an absent field.

    A `required` field stays, so that its refusal can name it.
    """
    return {name: value for name, value in document.items() if name in required or not _is_empty(value)}


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def allow_empty(schema: dict[str, Any]) -> None:
    """Let every optional field of a JSON Schema be an empty text."""
    required = schema.get("required", ())
    for name, field in schema["properties"].items():
        if name not in required and "anyOf" in field:
            field["anyOf"] = [*field["anyOf"], _EMPTY]


def printable_name(name: str) -> str:
    """A caller's name of a field, fit to be repeated in an answer and short enough to be stored."""
    clean = masked(name)
    return clean if len(clean) <= _LONGEST_NAME else f"{clean[: _LONGEST_NAME - 1]}…"
