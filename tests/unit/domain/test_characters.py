# ruff: noqa: RUF001
import json
import re
import unicodedata

import pytest

from imagegate.domain.characters import FORBIDDEN, find_forbidden, masked
from imagegate.domain.failure import Failure, FailureCode

GOOD = [
    "a red fox\tin the snow\r\nat night",
    "کشتی‌های بزرگ در دریا",
    "שלום\u200f עולם\u200e!",
    "\u061cمرحبا بالعالم",
    "👩\u200d👩\u200d👧\u200d👦 🏳\ufe0f\u200d🌈 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "क्‍ष e\u0301 ﷺ 𝔘 \u00a0\u00ad\ufeff\u200b\u2060\u3000\ue000\ufffd",
]


@pytest.mark.parametrize("text", GOOD)
def test_what_people_write_passes(text: str) -> None:
    assert find_forbidden(text) is None
    assert re.search(f"[{FORBIDDEN}]", text) is None


def test_every_control_and_every_character_that_reorders_text_is_refused() -> None:
    for point in range(0x3000):
        character = chr(point)
        kind, direction = unicodedata.category(character), unicodedata.bidirectional(character)
        reorders = direction in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        refused = (kind == "Cc" and character not in "\t\r\n") or kind in ("Zl", "Zp") or reorders
        # U+2065 is not assigned; U+206A to U+206F are deprecated.
        assert (find_forbidden(f"a{character}b") is not None) == (refused or 0x206A <= point <= 0x206F), hex(point)


def test_a_line_has_no_line_ends() -> None:
    for character in "\t\r\n":
        assert find_forbidden(f"a{character}", one_line=True) == f"U+{ord(character):04X}"
    assert find_forbidden("שלום 🦊", one_line=True) is None


def test_what_is_repeated_is_masked() -> None:
    assert masked("a\u202eb\r\n\x9b2J") == "a?b???2J"


def test_the_class_is_one_of_json_schema_too() -> None:
    assert json.loads(json.dumps(FORBIDDEN)).isascii()
    assert not re.findall(r"\\(?!u[0-9a-f]{4})", FORBIDDEN), "ECMAScript knows no other escapes"


def test_what_an_upstream_said_holds_none_of_them() -> None:
    assert Failure(FailureCode.AUTH, "no\r\n key \u202efor\x9b2J you").message == "no key ?for?2J you"
