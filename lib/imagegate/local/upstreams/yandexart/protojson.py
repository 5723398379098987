"""Reads protobuf's JSON as leniently as its own parser does (docs/protocols/yandexart.md#start)."""

import re
from typing import Any

INT64 = range(-(2**63), 2**63)
WHOLE = re.compile(r"-?\d+(\.0+)?")


INVALID_ARGUMENT = 3


class ProtoError(ValueError):
    """The body does not fit the message type, or its values not the service; `code` is the gRPC code."""

    def __init__(self, text: str, code: int = INVALID_ARGUMENT) -> None:
        super().__init__(text)
        self.code = code


def member(message: Any, name: str) -> Any:
    """A field by its lowerCamelCase name, or by the snake_case one; None when absent or null."""
    if message is None:
        return None
    if not isinstance(message, dict):
        raise ProtoError(f"{name}: its message must be an object")
    return message.get(name, message.get(re.sub(r"([A-Z])", lambda letter: "_" + letter[1].lower(), name)))


def string(value: Any, name: str) -> str:
    """A string; null is empty."""
    if value is not None and not isinstance(value, str):
        raise ProtoError(f"{name} must be a string")
    return value or ""


def int64(value: Any, name: str) -> int:
    """A 64-bit integer from a number or a string, `5.0` included; null is 0."""
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float | str) or not WHOLE.fullmatch(str(value)):
        raise ProtoError(f"{name} must be an integer")
    number = int(str(value).partition(".")[0])
    if number not in INT64:
        raise ProtoError(f"{name} is out of range")
    return number


def double(value: Any, name: str) -> float:
    """A floating-point number from a number or a string, `NaN` and booleans included; null is 0."""
    try:
        return float(0 if value is None else value)
    except (TypeError, ValueError) as error:
        raise ProtoError(f"{name} must be a number") from error


def repeated(value: Any, name: str) -> list[Any]:
    """A list without nulls; null is empty."""
    if value is None:
        return []
    if not isinstance(value, list) or None in value:
        raise ProtoError(f"{name} must be a list of objects")
    return value
