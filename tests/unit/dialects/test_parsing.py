"""Hostile bodies are refused clearly in every dialect."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from imagegate.dialects.openai import requests as openai_requests
from imagegate.dialects.operations import requests as operations_requests
from imagegate.dialects.parsing import LARGEST, parse_document
from imagegate.dialects.yandexart import requests as yandexart_requests
from imagegate.domain.errors import InvalidRequest, RequestError, TooLarge

PARSERS: dict[str, Callable[[bytes], Any]] = {
    "openai_images": openai_requests.parse,
    "operations": operations_requests.parse,
    "yandexart": yandexart_requests.parse,
}
DEEP = 100_000


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "is empty"),
        (b"[1]", "must be a JSON object"),
        (b'{"a":"\xff"}', "not UTF-8"),
        ('{"a":1}'.encode("utf-16"), "not UTF-8"),
        (b'{"a":"\xed\xa0\x80"}', "not UTF-8"),
        (b'{"a":NaN}', "NaN is not JSON"),
        (b'{"a":-Infinity}', "-Infinity is not JSON"),
        (b'{"a":1e400}', "a number is too large"),
        (b'{"a":-1e400}', "a number is too large"),
        (b'{"a":' + b"9" * 41 + b"}", "too many digits"),
        (b'{"a":' + b"9" * 500_000 + b"}", "too many digits"),
        (b'{"a":1,"a":1}', "the same name twice"),
        (b'{"a":[{"b":1,"b":2}]}', "the same name twice"),
        (b'{"a":' * DEEP, "nested too deeply"),
        (b'{"a":' + b"[" * DEEP, "nested too deeply"),
        (b'{"a":' + b"[" * 20 + b"]" * 20 + b"}", "nested more than 20 levels deep"),
        (b'{"a":[' + b"0," * 2000 + b"0]}", "more than 2000 values"),
        (json.dumps({f"k{at}": {} for at in range(2001)}).encode(), "more than 2000 values"),
        (b'{"a":"\\u00"}', "not valid JSON"),
        (b'{"a":"\n"}', "not valid JSON"),
        (b'{"a":1}x', "not valid JSON"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_sound_object_is_refused(body: bytes, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said) as caught:
        parse_document(body)
    assert len(caught.value.message) < 200
    for parse in PARSERS.values():
        with pytest.raises(InvalidRequest, match=said):
            parse(body)


def test_what_is_sound_is_read() -> None:
    body = '\ufeff{"a":"кот 🐈 \\ud83d\\ude00","b":1e308,"c":%s,"d":{"a":1}}' % ("9" * 40)
    deep = b'{"a":' + b"[" * 18 + b"]" * 18 + b"}"
    assert parse_document(body.encode()) == {"a": "кот 🐈 😀", "b": 1e308, "c": int("9" * 40), "d": {"a": 1}}
    assert parse_document(deep)["a"]


@pytest.mark.parametrize(
    ("body", "document"),
    [
        (rb'{"a":"\ud800"}', {"a": "\uffff"}),
        (rb'{"a":[{"b":"\uDC00\uD800x"}]}', {"a": [{"b": "\uffff\uffffx"}]}),
        (rb'{"\udfff":1}', {"\uffff": 1}),
    ],
)
def test_half_of_a_character_is_marked_so_that_a_field_is_refused_for_it_or_cleaned_of_it(
    body: bytes, document: dict[str, Any]
) -> None:
    assert parse_document(body) == document


def test_every_text_that_utf8_can_write_is_taken() -> None:
    assert parse_document(rb'{"a": "\ud83e\udd8a", "b": "\\ud800"}') == {"a": "🦊", "b": r"\ud800"}


@pytest.mark.parametrize("dialect", PARSERS)
def test_a_body_that_is_too_large_is_not_even_read(dialect: str) -> None:
    body = b'{"prompt":"' + b"a" * LARGEST + b'"}'
    with pytest.raises(TooLarge) as caught:
        PARSERS[dialect](body)
    assert str(LARGEST) in caught.value.message
    assert parse_document(body, len(body))


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 1_000_000,
        b'{"a":' + b"9" * 1_000_000 + b"}",
        b'{"a":"' + b"\\ud83d" * 150_000,
        b'{"a":{},"a":"' + b"\\ud83d" * 150_000 + b'"}',
    ],
)
def test_a_bomb_costs_no_time(body: bytes) -> None:
    began = time.process_time()
    with pytest.raises(RequestError):
        parse_document(body)
    assert time.process_time() - began < 2


YANDEX = {"modelUri": "art://f/flux", "messages": [{"text": "a"}]}
PASTED: list[tuple[str, dict[str, Any], str]] = [
    ("openai_images", {"prompt": "@"}, "prompt"),
    ("openai_images", {"prompt": "a", "negative_prompt": "@"}, "negative_prompt"),
    ("operations", {"model": "flux", "prompt": "@"}, "prompt"),
    ("operations", {"model": "flux", "prompt": "a", "negative_prompt": "@"}, "negative_prompt"),
    ("yandexart", {"modelUri": "art://f/flux", "messages": [{"text": "@"}]}, "messages"),
]
KEPT: list[tuple[str, dict[str, Any]]] = [
    ("openai_images", {"prompt": "a", "user": "@"}),
    ("openai_images", {"prompt": "a", "safety_identifier": "@"}),
    ("operations", {"model": "flux", "prompt": "a", "metadata": {"@": "b"}}),
    ("operations", {"model": "flux", "prompt": "a", "metadata": {"a": "@"}}),
]
NAMES: list[tuple[str, dict[str, Any]]] = [
    ("openai_images", {"prompt": "a", "model": "@"}),
    ("openai_images", {"prompt": "a", "provider": "@"}),
    ("operations", {"model": "@", "prompt": "a"}),
    ("operations", {"model": "flux", "prompt": "a", "provider": "@"}),
    ("yandexart", {"modelUri": "art://f/@", "messages": [{"text": "a"}]}),
    ("yandexart", {"modelUri": "art://@/flux", "messages": [{"text": "a"}]}),
]


FORBIDDEN = [
    "\x00",
    "\x07",
    "\x1b",
    "\x0c",
    "\x7f",
    "\x85",
    "\x9b",
    "\u2028",
    "\u2029",
    "\u202e",
    "\u2066",
    "\ufff9",
    "\uffff",
]


@pytest.mark.parametrize("control", [*FORBIDDEN, "\ud83d"])
@pytest.mark.parametrize(("dialect", "body", "name"), PASTED)
def test_a_pasted_prompt_is_cleaned_and_the_caller_is_told(
    dialect: str, body: dict[str, Any], name: str, control: str
) -> None:
    parsed = PARSERS[dialect](json.dumps(body).replace("@", json.dumps(f"a{control}b")[1:-1]).encode())
    request = (parsed[0] if isinstance(parsed, tuple) else parsed).request
    texts = (request.prompt, request.negative_prompt)
    cleaned = "a\nb" if control in "\x0b\x0c\x85\u2028\u2029" else "ab"
    assert cleaned in texts
    assert name in request.unused_fields
    untouched = PARSERS[dialect](json.dumps(body).replace("@", "a\\t\\r\\nb \\u200f\\u200d").encode())
    assert not (untouched[0] if isinstance(untouched, tuple) else untouched).request.unused_fields


@pytest.mark.parametrize("control", FORBIDDEN)
@pytest.mark.parametrize(("dialect", "body"), KEPT)
def test_what_is_kept_holds_no_control_characters(dialect: str, body: dict[str, Any], control: str) -> None:
    text = json.dumps(body)
    PARSERS[dialect](text.replace("@", "a\\t\\r\\nb \\u200f\\u200d").encode())
    with pytest.raises(InvalidRequest, match=f"U\\+{ord(control):04X}") as caught:
        PARSERS[dialect](text.replace("@", json.dumps(f"a{control}b")[1:-1]).encode())
    assert control not in caught.value.message


@pytest.mark.parametrize("control", [*FORBIDDEN, "\n", "\t"])
@pytest.mark.parametrize(("dialect", "body"), NAMES)
def test_a_name_is_one_line(dialect: str, body: dict[str, Any], control: str) -> None:
    text = json.dumps(body)
    PARSERS[dialect](text.replace("@", "שלום-é").encode())
    with pytest.raises(InvalidRequest, match=f"U\\+{ord(control):04X}"):
        PARSERS[dialect](text.replace("@", json.dumps(f"a{control}b")[1:-1]).encode())


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("yandexart", {"modelUri": "art://f/flux", "messages": [{"text": "a"}] * 101}),
        ("yandexart", {"modelUri": "art://f/flux", "messages": [{"text": "a" * 32_001}]}),
        ("yandexart", {"modelUri": "art://f/" + "m" * 500, "messages": [{"text": "a"}]}),
        ("yandexart", {**YANDEX, "generationOptions": {"mimeType": "x" * 201}}),
        ("operations", {"model": "flux", "prompt": "a", "provider": "p" * 201}),
        ("operations", {"model": "flux", "prompt": "a", "metadata": {str(at): "" for at in range(17)}}),
        ("operations", {"model": "flux", "prompt": "a", "metadata": {"a": "b" * 513}}),
        ("openai_images", {"prompt": "a" * 32_001}),
        ("openai_images", {"prompt": "a", "user": "u" * 513}),
    ],
)  # fmt: skip
def test_every_field_has_an_end(dialect: str, body: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="at most"):
        PARSERS[dialect](json.dumps(body).encode())
