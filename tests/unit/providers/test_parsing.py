"""What upstreams write, read without trust."""

from typing import Any

import pytest

from imagegate.providers.parsing import LONGEST_ADDRESS, address_of, id_of, json_of, object_of


@pytest.mark.parametrize(
    ("body", "document"),
    [
        (b'{"a": [1, "\xd0\x96", null]}', {"a": [1, "Ж", None]}),
        ('["Ж \\ud83e\\udd8a"]', ["Ж 🦊"]),
        ('{"half \\ud83e": ["a \\udd8a", {"b": "\\ud83e"}]}', {"half ?": ["a ?", {"b": "?"}]}),
        (b'"\xed\xa0\xbd"', "?"),
        (b"<html>", None),
        ("", None),
        (b'"\xff"', None),
        ("[" * 200_000, None),
        ("[" * 200_000 + "]" * 200_000, None),
        ("9" * 5000, None),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_document_or_nothing(body: bytes | str, document: Any) -> None:
    assert json_of(body) == document


@pytest.mark.parametrize(("body", "document"), [('{"a": 1}', {"a": 1}), ("[1]", {}), ("null", {}), ("<html>", {})])
def test_an_object_or_an_empty_one(body: str, document: dict[str, Any]) -> None:
    assert object_of(body) == document


@pytest.mark.parametrize("told", [None, 7, "", "../keys", "a b", "ж", "a\n", "x" * 129, ["x"]])
def test_what_is_no_id(told: Any) -> None:
    assert id_of(told) is None


@pytest.mark.parametrize("told", ["0123456789abcdef", "fbveu1-_", "x" * 128])
def test_what_is_an_id(told: str) -> None:
    assert id_of(told) == told


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("https://cdn.invalid/a.png", "https://cdn.invalid/a.png"),
        ("/a.png", "https://up.invalid/a.png"),
        ("a.png", "https://up.invalid/v1/a.png"),
        ("https://[x", None),
        ("", None),
        (None, None),
        ({"url": "/a.png"}, None),
        ("x" * LONGEST_ADDRESS, None),
        ("x" * 10**7, None),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_an_address_or_none(told: Any, address: str | None) -> None:
    assert address_of(told, "https://up.invalid/v1/") == address
