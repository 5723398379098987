"""Reads a model's input (docs/protocols/fal.md#inputs), or says what is wrong with it in the words of fal's models."""

import base64
import json
import secrets
from dataclasses import dataclass
from typing import Any, NoReturn

from imagegate.local.upstreams.directives import DirectiveError, parse_directives
from imagegate.local.upstreams.drawing.drawing import Format
from imagegate.local.upstreams.drawing.editing import reduced
from imagegate.local.upstreams.drawing.pictures import PictureSpec
from imagegate.local.upstreams.fal.faults import FAULTS

NAMED_SIZES = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
    "auto": (1024, 1024),
}
RATIOS = {
    "1:1": (1024, 1024),
    "21:9": (1568, 672),
    "16:9": (1392, 752),
    "4:3": (1184, 880),
    "3:2": (1248, 832),
    "2:3": (832, 1248),
    "3:4": (880, 1184),
    "9:16": (752, 1392),
    "9:21": (672, 1568),
    "20:9": (1520, 688),
    "9:20": (688, 1520),
    "2:1": (1456, 720),
    "1:2": (720, 1456),
}
FORMATS: dict[str, Format] = {"jpeg": "jpeg", "png": "png", "webp": "webp"}
SIDES = range(64, 4097)
MOST_IMAGES = 4


class InvalidInput(ValueError):
    """An input the model refuses; `details` is the body of the 422."""

    def __init__(self, where: str, message: str, kind: str = "value_error") -> None:
        super().__init__(message)
        self.details = [{"loc": ["body", where], "msg": message, "type": kind}]


@dataclass(frozen=True, slots=True)
class FalRequest:
    """An input that was understood."""

    picture: PictureSpec
    """The first of them; the others have the seeds that follow."""
    images: int


def read_input(body: bytes) -> FalRequest:
    """The pictures asked for. Raises InvalidInput."""
    given = _object(body)
    prompt = given.get("prompt")
    if not isinstance(prompt, str):
        _invalid("prompt", "Field required", "missing")
    try:
        directives = parse_directives(prompt, FAULTS)
    except DirectiveError as error:
        raise InvalidInput("prompt", str(error)) from error
    width, height = _size(given)
    picture = PictureSpec(
        prompt=prompt,
        seed=_whole(given, "seed", secrets.randbelow(2**31), range(2**63)),
        width=width,
        height=height,
        steps=_whole(given, "num_inference_steps", 4, range(1, 51)),
        format=FORMATS[_one_of(given, "output_format", FORMATS, "jpeg")],
        directives=directives,
        inputs=_pictures(given),
    )
    return FalRequest(picture, _whole(given, "num_images", 1, range(1, MOST_IMAGES + 1)))


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError as error:
        raise InvalidInput("", f"JSON decode error: {error}", "json_invalid") from error
    if not isinstance(document, dict):
        _invalid("", "Input should be an object", "model_attributes_type")
    return document


def _size(given: dict[str, Any]) -> tuple[int, int]:
    if "aspect_ratio" in given:
        return RATIOS[_one_of(given, "aspect_ratio", RATIOS, "1:1")]
    size = given.get("image_size", "landscape_4_3")
    if isinstance(size, dict):
        return _whole(size, "width", 512, SIDES), _whole(size, "height", 512, SIDES)
    return NAMED_SIZES[_one_of(given, "image_size", NAMED_SIZES, "landscape_4_3")]


def _one_of(given: dict[str, Any], name: str, known: dict[str, Any], default: str) -> str:
    value = given.get(name, default)
    if not isinstance(value, str) or value not in known:
        _invalid(name, f"Input should be one of {', '.join(known)}", "literal_error")
    return value


def _whole(given: dict[str, Any], name: str, default: int, allowed: range) -> int:
    value = given.get(name, default)
    if type(value) is not int or value not in allowed:
        _invalid(name, f"Input should be a whole number from {allowed[0]} to {allowed[-1]}", "int_type")
    return value


def _pictures(given: dict[str, Any]) -> tuple[bytes, ...]:
    """The input pictures; of addresses only `data:` URLs are read."""
    reported = given.get("image_urls") or ([given["image_url"]] if given.get("image_url") else [])
    try:
        return tuple(reduced(base64.b64decode(each.partition(",")[2], validate=True)) for each in reported)
    except (ValueError, OSError, AttributeError) as error:
        raise InvalidInput("image_urls", "Failed to load the image.", "image_load_error") from error


def _invalid(where: str, message: str, kind: str) -> NoReturn:
    raise InvalidInput(where, message, kind)
