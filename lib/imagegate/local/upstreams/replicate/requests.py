"""Reads the body of a new prediction (docs/protocols/replicate.md#inputs), or says what is wrong with it."""

import base64
import json
import secrets
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException

from imagegate.local.upstreams.directives import parse_directives
from imagegate.local.upstreams.drawing.drawing import Format
from imagegate.local.upstreams.drawing.editing import reduced
from imagegate.local.upstreams.drawing.pictures import PictureSpec
from imagegate.local.upstreams.replicate.faults import FAULTS

SIZES = {
    "1:1": (1024, 1024),
    "16:9": (1344, 768),
    "21:9": (1536, 640),
    "3:2": (1216, 832),
    "2:3": (832, 1216),
    "4:5": (896, 1088),
    "5:4": (1088, 896),
    "3:4": (896, 1152),
    "4:3": (1152, 896),
    "9:16": (768, 1344),
    "9:21": (640, 1536),
}
"""Pixels by `aspect_ratio`."""

FORMATS: dict[str, Format] = {"jpg": "jpeg", "png": "png", "webp": "webp"}
LIKE_INPUT = "match_input_image"
MOST_OUTPUTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionRequest:
    """A body that was understood."""

    input: dict[str, Any]
    """As it was sent; the prediction shows it."""
    version: str
    picture: PictureSpec
    """The first of them; the others have the seeds that follow."""
    outputs: int
    webhook: Any
    """What is called when the prediction has ended."""


def read_prediction(body: bytes) -> PredictionRequest:
    """The prediction asked for. Raises HTTPException(422) or DirectiveError."""
    document = _object(body)
    given = document.get("input")
    if not isinstance(given, dict) or not isinstance(given.get("prompt"), str):
        raise HTTPException(422, "- input: prompt is required")
    size = SIZES["1:1"] if given.get("aspect_ratio") == LIKE_INPUT else _one_of(given, "aspect_ratio", SIZES, "1:1")
    picture = PictureSpec(
        prompt=given["prompt"],
        seed=_whole(given, "seed", secrets.randbelow(2**31), range(2**32)),
        width=size[0],
        height=size[1],
        steps=_whole(given, "num_inference_steps", 4, range(1, 51)),
        format=_one_of(given, "output_format", FORMATS, "webp"),
        directives=parse_directives(given["prompt"], FAULTS),
        inputs=_pictures(given),
    )
    outputs = _whole(given, "num_outputs", 1, range(1, MOST_OUTPUTS + 1))
    events = document.get("webhook_events_filter") or ["completed"]
    webhook = document.get("webhook") if "completed" in events else None
    return PredictionRequest(
        input=given, version=str(document.get("version") or ""), picture=picture, outputs=outputs, webhook=webhook
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError as error:
        raise HTTPException(400, f"The body is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise HTTPException(422, "- (root): Invalid type")
    return document


def _one_of(given: dict[str, Any], name: str, known: dict[str, Any], default: str) -> Any:
    value = given.get(name, default)
    if not isinstance(value, str) or value not in known:
        raise HTTPException(422, f"- input.{name}: must be one of {', '.join(known)}")
    return known[value]


def _whole(given: dict[str, Any], name: str, default: int, allowed: range) -> int:
    value = given.get(name, default)
    if type(value) is not int or value not in allowed:
        raise HTTPException(422, f"- input.{name}: must be a whole number from {allowed[0]} to {allowed[-1]}")
    return value


def _pictures(given: dict[str, Any]) -> tuple[bytes, ...]:
    """The input pictures; of addresses only `data:` URLs are read."""
    inputs = given.get("input_images") or [given[name] for name in ("input_image", "image") if given.get(name)]
    try:
        return tuple(reduced(base64.b64decode(each.partition(",")[2], validate=True)) for each in inputs)
    except (ValueError, OSError, AttributeError) as error:
        raise HTTPException(422, "- input.input_image: must be a data URL of a picture") from error
