"""Ids of responses and of what they hold: OpenAI's prefixes before the ids of operations and pictures."""

from imagegate.domain.errors import UnknownOperation
from imagegate.domain.operation.ids import is_id

_RESPONSE, _CALL, _MESSAGE = "resp_", "ig_", "msg_"


def response_id(operation_id: str) -> str:
    """The id of the operation's response."""
    return _RESPONSE + operation_id


def call_id(operation_id: str, slot: int) -> str:
    """The id of the image generation call that made the picture in a slot."""
    return f"{_CALL}{operation_id}_{slot}"


def message_id(operation_id: str) -> str:
    """The id of the response's message."""
    return _MESSAGE + operation_id


def parse_response_id(text: str) -> str:
    """The operation's id in a response's. Raises UnknownOperation."""
    operation_id = text.removeprefix(_RESPONSE)
    if operation_id == text or not is_id(operation_id):
        raise UnknownOperation(f"Response '{text}' does not exist.", remedy="Check the id, which begins with resp_.")
    return operation_id


def picture_of_call(text: str) -> str | None:
    """The id of the picture that a call made; `None` for the id of anything else."""
    operation_id, _, slot = text.removeprefix(_CALL).partition("_")
    named = text.startswith(_CALL) and is_id(operation_id) and slot.isdecimal() and len(slot) < 3
    return f"{operation_id}-{slot}" if named else None
