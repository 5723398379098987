"""Parsing of what upstreams answer: untrusted, so that nothing here raises for any bytes; and inputs as data URLs."""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from imagegate.domain.operation.order import InputBody

LONGEST_ADDRESS = 4096
"""Characters of a picture's address; all of an operation's have to fit into one item of the table."""

LARGEST_COUNT = 2**53
"""Of anything counted; JSON's whole numbers end there for many a reader."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


def json_of(body: bytes | str) -> Any:
    """The document in `body`, every string of it fit for UTF-8; `None` when it is none, or is nested too deep."""
    try:
        return _encodable(json.loads(body))
    except (ValueError, RecursionError):
        return None


def object_of(body: bytes | str) -> Mapping[str, Any]:
    """The JSON object in `body`; empty for anything else."""
    document = json_of(body)
    return document if isinstance(document, dict) else {}


def id_of(value: Any) -> str | None:
    """A job's id that fits into a ticket and a path; `None` for anything else."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def address_of(value: Any, base: str) -> str | None:
    """A picture's address, absolute; `None` for anything else, or if it is longer than LONGEST_ADDRESS."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ADDRESS:
        return None
    try:
        address = urljoin(base, value)
    except ValueError:
        return None
    return address if len(address) <= LONGEST_ADDRESS else None


def data_url(picture: InputBody) -> str:
    """The picture as a `data:` URL, for upstreams that take pictures in JSON."""
    return f"data:{picture.content_type};base64,{base64.b64encode(picture.body).decode()}"


_BASE64URL = str.maketrans("-_", "+/")


def decoded(value: Any) -> bytes | None:
    """A file in base64 of either alphabet, perhaps after `data:image/png;base64,`; `None` for anything else."""
    try:
        text = "".join(value.rpartition(",")[2].split()).translate(_BASE64URL).rstrip("=")
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True) or None
    except (ValueError, AttributeError):
        return None


def counts_of(reported: Any, *names: str) -> list[int]:
    """The counts of those names in an object; 0 for each that is none."""
    found = [reported.get(name) if isinstance(reported, Mapping) else None for name in names]
    return [count if type(count) is int and 0 < count <= LARGEST_COUNT else 0 for count in found]


def _encodable(document: Any) -> Any:
    """JSON may escape half a surrogate pair, and UTF-8, in which all this is stored and sent, has none."""
    if isinstance(document, str):
        return document if document.isascii() else document.encode("utf-8", "replace").decode()
    if isinstance(document, list):
        return [_encodable(part) for part in document]
    if isinstance(document, dict):
        return {_encodable(name): _encodable(value) for name, value in document.items()}
    return document
