"""Checks of a request's URL and headers: their texts must be UTF-8 without forbidden characters."""

from collections.abc import Mapping, Sequence
from urllib.parse import unquote_to_bytes

from starlette.requests import Request
from starlette.types import Scope

from imagegate.dialects.header_texts import decode_header
from imagegate.domain.characters import find_forbidden, masked
from imagegate.domain.errors import InvalidRequest

_REPLACEMENT = "\ufffd"
"""What a server puts in place of bytes of a path that are not UTF-8. A caller can also send it on purpose."""


def check_target(scope: Scope) -> None:
    """Raises InvalidRequest for a path or query that is not UTF-8 or holds a forbidden character."""
    path, query = scope["path"], scope["query_string"]
    if _REPLACEMENT in path:
        # The undecoded path comes from the server, or from API Gateway's event.
        _decode(scope.get("raw_path") or scope["aws.event"]["requestContext"]["http"]["path"], "path")
    _require_fit(path, "path")
    if not query.isascii():
        raise _not_utf8("query")
    if b"%" in query:
        _require_fit(_decode(query, "query"), "query")


_IN_LINKS = frozenset({"token", "wait"})
"""Parameters that links to this gateway have."""


def check_query(request: Request, known: Sequence[str]) -> None:
    """Raises InvalidRequest for a query parameter that is not `known`."""
    for name in request.query_params:
        if name not in _IN_LINKS and name not in known:
            remedy = f"Known are: {', '.join(known)}." if known else "Leave it out."
            raise InvalidRequest(f"Unknown parameter: '{masked(name)[:100]}'.", param=masked(name)[:100], remedy=remedy)


def header_texts(request: Request, names: Sequence[str]) -> Mapping[str, str]:
    """The headers of these names that the request has. Raises InvalidRequest for one that is not UTF-8."""
    return {name: decode_header(value, name) for name in names if (value := request.headers.get(name)) is not None}


def _decode(encoded: bytes | str, part: str) -> str:
    try:
        return unquote_to_bytes(encoded).decode()
    except UnicodeDecodeError:
        raise _not_utf8(part) from None


def _require_fit(text: str, part: str) -> None:
    if found := find_forbidden(text, one_line=True):
        raise InvalidRequest(f"The {part} of the URL must not hold control or formatting characters, such as {found}.")


def _not_utf8(part: str) -> InvalidRequest:
    return InvalidRequest(f"The {part} of the URL is not UTF-8.", remedy="Percent-encode every byte of its UTF-8.")
