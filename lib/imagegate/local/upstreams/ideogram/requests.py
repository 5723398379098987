"""Reads the body of a generation (docs/protocols/ideogram.md#starting), or says what is wrong with it."""

import secrets
from dataclasses import dataclass
from typing import Any

from imagegate.local.upstreams.directives import DirectiveError, parse_directives
from imagegate.local.upstreams.drawing.pictures import PictureSpec
from imagegate.local.upstreams.ideogram.faults import FAULTS

MODELS = ("ideogram-4-6", "ideogram-4-5", "ideogram-4", "ideogram-3", "auto")
SIZES = {
    "1x1": (2048, 2048),
    "2x1": (2880, 1440),
    "16x9": (2720, 1536),
    "16x10": (2592, 1632),
    "3x2": (2496, 1664),
    "4x3": (2368, 1760),
    "5x4": (2304, 1824),
    "4x5": (1824, 2304),
    "3x4": (1760, 2368),
    "2x3": (1664, 2496),
    "10x16": (1632, 2592),
    "9x16": (1536, 2720),
    "1x2": (1440, 2880),
}
PRICES = {"low": 30_000, "medium": 60_000, "high": 100_000}
"""Of one picture, in millionths of a dollar."""
FIELDS = {"prompt", "aspect_ratio", "seed", "num_images", "quality", "magic_prompt", "async", "webhook_url"}


class BadRequest(ValueError):
    """A body that is refused with HTTP 400."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeogramRequest:
    """A checked request."""

    picture: PictureSpec
    """The first; the others have the seeds that follow."""
    images: int
    price: int
    """Of one, in millionths of a dollar."""


def read_generation(given: Any) -> IdeogramRequest:
    """The generation asked for. Raises BadRequest."""
    if not isinstance(given, dict):
        raise BadRequest("The body must be a JSON object.")
    if surplus := given.keys() - FIELDS:
        raise BadRequest(f"Unknown field: {min(surplus)}")
    if given.get("async") is not True:
        raise BadRequest("The stand-in makes nothing but asynchronous generations.")
    quality = given.get("quality", "medium")
    if quality not in PRICES:
        raise BadRequest(f"quality must be one of {', '.join(PRICES)}")
    images = read_whole(given, "num_images", 1, range(1, 9))
    return IdeogramRequest(picture=read_picture(given), images=images, price=PRICES[quality])


def read_picture(given: dict[str, Any]) -> PictureSpec:
    """The first picture."""
    prompt, ratio = given.get("prompt"), given.get("aspect_ratio", "1x1")
    if not isinstance(prompt, str) or not 0 < len(prompt) <= 10_000:
        raise BadRequest("prompt must have 1 to 10000 characters")
    if ratio not in SIZES:
        raise BadRequest(f"aspect_ratio must be one of {', '.join(SIZES)}")
    try:
        directives = parse_directives(prompt, FAULTS)
    except DirectiveError as error:
        raise BadRequest(str(error)) from error
    seed = read_whole(given, "seed", secrets.randbelow(2**31), range(2**31))
    width, height = SIZES[ratio]
    return PictureSpec(
        prompt=prompt, seed=seed, width=width, height=height, steps=0, format="png", directives=directives
    )


def read_whole(given: dict[str, Any], name: str, default: int, allowed: range) -> int:
    """A whole number within bounds."""
    value = given.get(name, default)
    if type(value) is not int or value not in allowed:
        raise BadRequest(f"{name} must be a whole number from {allowed[0]} to {allowed[-1]}")
    return value
