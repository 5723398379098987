"""Characters that no text may hold, because they change how text is read or shown. Pure; one rule for every field.

A field that is kept or shown is refused for one; prompts, into which people paste, are cleaned.

Refused are controls (C0 but tab and line ends, DEL, C1), line and paragraph separators (U+2028, U+2029), bidirectional
embeddings, overrides and isolates, deprecated format characters, interlinear annotation and noncharacters. Directional
marks and joiners (U+200C to U+200F, U+061C) are allowed: Arabic, Hebrew, Persian, Indic scripts and emoji need them.
"""

import re

FORBIDDEN = (
    r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"
    r"\u2028-\u202e\u2066-\u206f\ufdd0-\ufdef\ufff9-\ufffb\ufffe\uffff"
)
"""The inside of a character class, for regular expressions of Python and of JSON Schema."""
_IN_TEXT = re.compile(f"[{FORBIDDEN}]")
_IN_LINE = re.compile(rf"[{FORBIDDEN}\t\r\n]")
_LINE_ENDS = re.compile(r"[\u000b\u000c\u0085\u2028\u2029]")
HALF = "\uffff"
"""A noncharacter in place of half of a surrogate pair, which can be neither stored nor sent."""


def find_forbidden(text: str, *, one_line: bool = False) -> str | None:
    """The first character that is refused, as `U+202E`; `None` when there is none.

    `one_line`: tabs and line ends are refused as well, as in names, ids, paths and headers.
    """
    found = (_IN_LINE if one_line else _IN_TEXT).search(text)
    return f"U+{ord(found[0]):04X}" if found else None


def without_forbidden(text: str) -> str:
    """The text without what no text may hold; old-fashioned line ends become newlines."""
    return _IN_TEXT.sub("", _LINE_ENDS.sub("\n", text))


def masked(text: str) -> str:
    """A caller's name for something, fit to be repeated in a message."""
    return _IN_LINE.sub("?", text)
