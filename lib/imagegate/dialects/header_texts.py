"""Headers as texts. Apart from `parsing`, for answers need no pydantic."""

from imagegate.domain.characters import find_forbidden
from imagegate.domain.errors import InvalidRequest


def decode_header(value: str, name: str) -> str:
    """Decode a header that the server read as Latin-1. Raises InvalidRequest when it is not UTF-8."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        raise InvalidRequest(f"The header {name} is not UTF-8.", param=name) from None


def is_header_text(value: str) -> bool:
    """True when a header that the server read as Latin-1 may be sent back."""
    try:
        return find_forbidden(decode_header(value, ""), one_line=True) is None
    except InvalidRequest:
        return False
