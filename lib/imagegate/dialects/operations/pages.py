"""Lists in pages that fit into Lambda's answer, whatever texts they hold, and the tokens from one to the next."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from typing import Any

from imagegate.domain.errors import InvalidRequest

LARGEST_PAGE = 4_000_000
"""Bytes of a page in Lambda's answer, which takes 6,291,556 and in which the body's JSON is a text, escaped again."""


def take_page(documents: Iterable[dict[str, Any]], largest: int = LARGEST_PAGE) -> list[dict[str, Any]]:
    """As many of the documents, from the first on, as have at most `largest` bytes together; one in any case."""
    page: list[dict[str, Any]] = []
    size = 0
    for document in documents:
        size += _size(document)
        if page and size > largest:
            break
        page.append(document)
    return page


def _size(document: dict[str, Any]) -> int:
    text = json.dumps(document, ensure_ascii=False)
    return len(text.encode()) + text.count('"') + text.count("\\")


def page_token(last: str) -> str:
    """The token of the page after the one that ends with `last`."""
    return base64.urlsafe_b64encode(last.encode()).decode().rstrip("=")


def parse_page_token(token: str, is_valid: Callable[[str], bool]) -> str:
    """What a page ended with. Raises InvalidRequest for anything that was not handed out."""
    try:
        last = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        last = ""
    if not is_valid(last):
        raise InvalidRequest(
            "page_token is not valid.",
            param="page_token",
            remedy="Hand back next_page_token as it came, or leave it out to start with the first page.",
        )
    return last
