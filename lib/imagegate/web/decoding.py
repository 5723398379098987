"""Text in the line and the headers of a request: UTF-8 without characters that are refused, or the request is."""

from collections.abc import Mapping, Sequence
from urllib.parse import unquote_to_bytes

from starlette.requests import Request
from starlette.types import Scope

from imagegate.domain.characters import find_forbidden
from imagegate.domain.errors import InvalidRequest

_REPLACEMENT = "\ufffd"
"""What a server puts in place of bytes of a path that are not UTF-8; a caller may mean it as well."""


def check_target(scope: Scope) -> None:
    """Raises InvalidRequest for a path or query that is not UTF-8, or holds a character that is refused."""
    path, query = scope["path"], scope["query_string"]
    if _REPLACEMENT in path:
        _decode(_raw_path(scope), "path")
    _require_fit(path, "path")
    if not query.isascii():
        raise _unreadable("query")
    if b"%" in query:
        _require_fit(_decode(query, "query"), "query")


def header_texts(request: Request, names: Sequence[str]) -> Mapping[str, str]:
    """Those of the headers that are there. Raises InvalidRequest for one that is not UTF-8."""
    return {name: header_text(value, name) for name in names if (value := request.headers.get(name)) is not None}


def header_text(value: str, name: str) -> str:
    """The text in a header that Starlette has read as Latin-1. Raises InvalidRequest when it is not UTF-8."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        raise InvalidRequest(f"The header {name} is not UTF-8.", param=name) from None


def is_header_text(value: str) -> bool:
    """True when the header, as Starlette has read it, may be sent back."""
    try:
        return find_forbidden(header_text(value, ""), one_line=True) is None
    except InvalidRequest:
        return False


def _raw_path(scope: Scope) -> bytes | str:
    """The path as it came: of a server, or of API Gateway's event."""
    raw: bytes | str = scope.get("raw_path") or scope["aws.event"]["requestContext"]["http"]["path"]
    return raw


def _decode(encoded: bytes | str, what: str) -> str:
    try:
        return unquote_to_bytes(encoded).decode()
    except UnicodeDecodeError:
        raise _unreadable(what) from None


def _require_fit(text: str, what: str) -> None:
    if found := find_forbidden(text, one_line=True):
        raise InvalidRequest(f"The {what} of the URL must not hold control or formatting characters, such as {found}.")


def _unreadable(what: str) -> InvalidRequest:
    return InvalidRequest(f"The {what} of the URL is not UTF-8.", remedy="Percent-encode every byte of its UTF-8.")
