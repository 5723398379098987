"""Split lists into pages that fit into Lambda's answer, with tokens that lead from one to the next."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from typing import Any

from imagegate.domain.errors import InvalidRequest
from imagegate.domain.operation.listing import Page
from imagegate.domain.operation.operation import Operation

LARGEST_PAGE = 4_000_000
"""Bytes of a page. Lambda's limit is 6,291,556, and its answer holds the body as a text whose JSON is escaped again."""


def take_page(documents: Iterable[dict[str, Any]], largest: int = LARGEST_PAGE) -> list[dict[str, Any]]:
    """Take documents from the first on while they have at most `largest` bytes together; always at least one."""
    page: list[dict[str, Any]] = []
    size = 0
    for document in documents:
        size += _size(document)
        if page and size > largest:
            break
        page.append(document)
    return page


def cut_page(
    page: Page, render: Callable[[Operation], dict[str, Any]], largest: int = LARGEST_PAGE
) -> tuple[list[dict[str, Any]], str | None]:
    """A page's operations, rendered, that have at most `largest` bytes, and the id before which the next ones are."""
    rendered = take_page(map(render, page.operations), largest)
    whole = len(rendered) == len(page.operations)
    return rendered, page.next_before_id if whole else page.operations[len(rendered) - 1].id


def _size(document: dict[str, Any]) -> int:
    text = json.dumps(document, ensure_ascii=False)
    return len(text.encode()) + text.count('"') + text.count("\\")


def page_token(last: str) -> str:
    """The token of the page after the one that ends with `last`."""
    return base64.urlsafe_b64encode(last.encode()).decode().rstrip("=")


def parse_page_token(token: str, is_valid: Callable[[str], bool]) -> str:
    """Parse the last entry of the page before. Raises InvalidRequest for a token that `page_token` did not make."""
    try:
        last = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        last = ""
    if not is_valid(last):
        raise InvalidRequest(
            "page_token is not valid.",
            param="page_token",
            remedy="Send next_page_token unchanged, or leave it out to start with the first page.",
        )
    return last
