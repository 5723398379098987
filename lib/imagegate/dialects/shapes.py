"""Spellings of a picture's shape: pixels, or the ratio of width to height."""

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from imagegate.domain.request.geometry import Size

Ratio = tuple[int, int]
"""Width to height."""
SIZE_PATTERN = "^(auto|[1-9][0-9]{0,4}([x:][1-9][0-9]{0,4})?)?$"
RATIO_PATTERN = "^(auto|[1-9][0-9]{0,3}[x:][1-9][0-9]{0,3})?$"
"""For the OpenAPI document: the usual spellings."""
LARGEST_SIDE = 16384
"""Pixels."""
_SMALLEST_PIXELS = {":": 256, "/": 256}
"""By the sign between two numbers; if both are smaller, they are a ratio: no upstream makes such pictures."""
_SMALLEST = 64
"""The same for every other sign."""
_LARGEST_NUMBER = 99_999
_MOST_STRETCHED = 100
_SIDES = ("width", "height")
_NUMBER = r"([0-9]{1,5}(?:\.[0-9]{1,4})?)"
_UNIT = r"\s*(?:px|pixels?)?"
_PAIR = re.compile(rf"{_NUMBER}{_UNIT}(?:\s*(x|×|х|\*|:|/|,|_|-|by)\s*|\s+){_NUMBER}{_UNIT}", re.IGNORECASE)  # noqa: RUF001
_ONE = re.compile(rf"{_NUMBER}{_UNIT}", re.IGNORECASE)
_NAMED = re.compile(r"(square|landscape|portrait)(?:_(?:hd|(\d{1,2})[_:x](\d{1,2})))?")
_PREFIX = re.compile(r"^(?:aspect[_ ])?(?:ratio[_ ])?(?=[0-9])")
"""Before the numbers of some clients' enumerations, such as `ASPECT_16_9`."""
_CLASS = re.compile(r"(0\.5|[1-8])\s*k")
_UNSET = ("", "auto", "default", "none", "null", "custom", "match_input_image")
"""Words for no wish, or for one that other fields have."""
_NOT_A_SIZE = "must be 'auto', WIDTHxHEIGHT in pixels such as '1024x768', or a ratio such as '16:9'"
_NOT_A_RATIO = "must be two numbers, such as '16:9'"


@dataclass(frozen=True, slots=True)
class Resolution:
    """A class of sizes such as `2K`: the side of its square, in pixels; another ratio has the same area."""

    side: int

    def of_ratio(self, ratio: Ratio) -> Size:
        """The size of that ratio, in steps of 16 pixels."""
        across, down = (self.side * math.sqrt(part) for part in (ratio[0] / ratio[1], ratio[1] / ratio[0]))
        return Size(max(16, round(across / 16) * 16), max(16, round(down / 16) * 16))


def parse_size(value: Any) -> Size | Ratio | Resolution | None:
    """Parse pixels, a ratio or a class of sizes; `None` for no wish. Raises ValueError for anything else."""
    if isinstance(value, Mapping):
        return _size(*(_normalized(value.get(side, value.get(side[0])), _NOT_A_SIZE) for side in _SIDES))
    text = _normalized(value, _NOT_A_SIZE)
    if text in _UNSET:
        return None
    if of_class := _CLASS.fullmatch(text):
        return Resolution(int(float(of_class[1]) * 1024))
    if named := _named_ratio(text):
        return named
    if one := _ONE.fullmatch(text):
        return _size(one[1], one[1]) if float(one[1]).is_integer() else _ratio(one[1], "1")
    pair = _PAIR.fullmatch(text)
    if pair is None:
        raise ValueError(_NOT_A_SIZE)
    sides = float(pair[1]), float(pair[3])
    small = max(sides) < _SMALLEST_PIXELS.get(pair[2], _SMALLEST)
    return _size(pair[1], pair[3]) if not small and all(map(float.is_integer, sides)) else _ratio(pair[1], pair[3])


def parse_ratio(value: Any) -> Ratio | None:
    """Parse a ratio of width to height; `None` for no wish. Raises ValueError for anything else."""
    if isinstance(value, Mapping):
        value = [value.get(side) for side in _SIDES]
    text = _normalized(value, _NOT_A_RATIO)
    if text in _UNSET:
        return None
    if named := _named_ratio(text):
        return named
    if one := _ONE.fullmatch(text):
        return _ratio(one[1], "1")
    pair = _PAIR.fullmatch(text)
    if pair is None:
        raise ValueError(_NOT_A_RATIO)
    return _ratio(pair[1], pair[3])


def _normalized(value: Any, message: str) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and len(value) == len(_SIDES):
        return "x".join(_normalized(side, message) for side in value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(message)
    text = f"{value:g}" if isinstance(value, float) else unicodedata.normalize("NFKC", str(value))
    return _PREFIX.sub("", text.strip().strip("[]()").strip().lower())


def _named_ratio(text: str) -> Ratio | None:
    """The ratio of `square`, `landscape`, `portrait_16_9` and the like, which some clients have in place of numbers."""
    named = _NAMED.fullmatch(re.sub(r"[\s-]+", "_", text))
    if named is None:
        return None
    if named[1] == "square":
        return 1, 1
    short, long = sorted((int(named[2] or 2), int(named[3] or 3)))
    if not short:
        raise ValueError(_NOT_A_RATIO)
    return (long, short) if named[1] == "landscape" else (short, long)


def _size(width: str, height: str) -> Size:
    if not (_ONE.fullmatch(width) and _ONE.fullmatch(height)):
        raise ValueError(_NOT_A_SIZE)
    sides = float(width), float(height)
    if not all(side.is_integer() and 1 <= side <= _LARGEST_NUMBER for side in sides):
        raise ValueError(_NOT_A_SIZE)
    return Size(int(sides[0]), int(sides[1]))


def _ratio(width: str, height: str) -> Ratio:
    across, down = Fraction(width), Fraction(height)
    if not across or not down or not 1 / _MOST_STRETCHED <= across / down <= _MOST_STRETCHED:
        raise ValueError(_NOT_A_RATIO)
    # Whole numbers stay as they were sent.
    whole = across.denominator == down.denominator == 1
    shape = (across, down) if whole else _small(across / down)
    return int(shape[0]), int(shape[1])


def _small(quotient: Fraction) -> tuple[int, int]:
    near = quotient.limit_denominator(1000)
    return near.numerator, near.denominator
