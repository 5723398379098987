"""Reads the body of a task (docs/protocols/bfl.md#inputs), or says what is wrong with it as FastAPI does."""

import base64
import json
import math
import re
import secrets
from typing import Any, NoReturn

from imagegate.local.upstreams.bfl.faults import FAULTS
from imagegate.local.upstreams.directives import DirectiveError, parse_directives
from imagegate.local.upstreams.drawing.drawing import Format
from imagegate.local.upstreams.drawing.editing import reduced
from imagegate.local.upstreams.drawing.pictures import PictureSpec

FORMATS: dict[str, Format] = {"jpeg": "jpeg", "png": "png"}
SIDES = range(64, 2049)
GRAIN = 16
"""Pixels that both sides are multiples of."""
SIDE = 1024
RATIO = re.compile(r"([1-9]\d{0,3}):([1-9]\d{0,3})")
MOST_PICTURES = 8


class InvalidBody(ValueError):
    """A body that is refused; `details` is what the 422 says."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(message)
        self.details = [{"loc": ["body", where], "msg": message, "type": "value_error"}]


def read_task(body: bytes) -> PictureSpec:
    """The picture asked for. Raises InvalidBody."""
    given = _object(body)
    prompt = given.get("prompt")
    if not isinstance(prompt, str):
        _invalid("prompt", "Field required")
    output_format = given.get("output_format", "jpeg")
    if output_format not in ("jpeg", "png"):
        _invalid("output_format", "Input should be 'jpeg' or 'png'")
    try:
        directives = parse_directives(prompt, FAULTS)
    except DirectiveError as error:
        raise InvalidBody("prompt", str(error)) from error
    seed = _whole(given, "seed", secrets.randbelow(2**31), range(2**63), 1)
    width, height = _size(given)
    pictures = _pictures(given)
    return PictureSpec(
        prompt=prompt,
        seed=seed,
        width=width,
        height=height,
        steps=28,
        format=FORMATS[output_format],
        directives=directives,
        inputs=pictures,
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError as error:
        raise InvalidBody("", f"JSON decode error: {error}") from error
    if not isinstance(document, dict):
        _invalid("", "Input should be a valid dictionary")
    return document


def _size(given: dict[str, Any]) -> tuple[int, int]:
    if given.get("aspect_ratio") is None:
        return _whole(given, "width", SIDE, SIDES, GRAIN), _whole(given, "height", SIDE, SIDES, GRAIN)
    match = RATIO.fullmatch(str(given["aspect_ratio"]))
    stretch = int(match[1]) / int(match[2]) if match else 0.0
    if not 9 / 21 <= stretch <= 21 / 9:
        _invalid("aspect_ratio", "Input should be a ratio between 21:9 and 9:21")
    width, height = SIDE * math.sqrt(stretch), SIDE / math.sqrt(stretch)
    return round(width / GRAIN) * GRAIN, round(height / GRAIN) * GRAIN


def _whole(given: dict[str, Any], name: str, default: int, allowed: range, step: int) -> int:
    value = default if given.get(name) is None else given[name]
    if type(value) is not int or value not in allowed or value % step:
        _invalid(name, f"Input should be from {allowed[0]} to {allowed[-1]} and a multiple of {step}")
    return value


def _pictures(given: dict[str, Any]) -> tuple[bytes, ...]:
    """The input pictures, in base64; addresses are not read."""
    names = ["input_image", *(f"input_image_{place}" for place in range(2, MOST_PICTURES + 1))]
    try:
        return tuple(reduced(base64.b64decode(given[name], validate=True)) for name in names if given.get(name))
    except (ValueError, OSError, TypeError) as error:
        raise InvalidBody("input_image", "The image could not be read") from error


def _invalid(where: str, message: str) -> NoReturn:
    raise InvalidBody(where, message)
