"""Reads the body of `txt2img` (docs/protocols/sdapi.md#drawing), or says what is wrong with it as FastAPI does."""

import secrets
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from imagegate.local.upstreams.directives import DirectiveError, parse_directives
from imagegate.local.upstreams.drawing.pictures import PictureSpec
from imagegate.local.upstreams.sdapi.faults import FAULTS

LOADED = "v1-5-pruned-emaonly"
"""The checkpoint that is loaded at first."""
CHECKPOINTS = (LOADED, "sd_xl_base_1.0")
SIDES = range(64, 2049)


class InvalidBody(ValueError):
    """A body that does not fit; `details` is the 422's."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(message)
        self.details = [{"loc": ["body", where], "msg": message, "type": "value_error"}]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawingRequest:
    """A checked request."""

    picture: PictureSpec
    checkpoint: str
    """That it is drawn with."""
    pictures: int
    """`batch_size` times `n_iter`."""
    sends: bool
    """Whether the answer has them."""


async def read_drawing(request: Request) -> DrawingRequest:
    """The pictures asked for. Raises InvalidBody."""
    try:
        given = await request.json()
    except ValueError as error:
        raise InvalidBody("", f"JSON decode error: {error}") from error
    if not isinstance(given, dict):
        raise InvalidBody("", "Input should be an object")
    override = given.get("override_settings") or {}
    wanted = override.get("sd_model_checkpoint") if isinstance(override, dict) else None
    return DrawingRequest(
        picture=read_picture(given),
        # One that is not there is passed over, as the original does.
        checkpoint=wanted if wanted in CHECKPOINTS else LOADED,
        pictures=read_whole(given, "batch_size", 1, range(1, 9)) * read_whole(given, "n_iter", 1, range(1, 9)),
        sends=given.get("send_images", True) is True,
    )


def read_picture(given: dict[str, Any]) -> PictureSpec:
    """The first picture."""
    prompt = given.get("prompt") or ""
    try:
        directives = parse_directives(prompt, FAULTS)
    except (DirectiveError, TypeError) as error:
        raise InvalidBody("prompt", str(error)) from error
    seed = read_whole(given, "seed", -1, range(-1, 2**32))
    return PictureSpec(
        prompt=prompt,
        seed=secrets.randbelow(2**31) if seed < 0 else seed,
        width=read_whole(given, "width", 512, SIDES),
        height=read_whole(given, "height", 512, SIDES),
        steps=read_whole(given, "steps", 50, range(1, 151)),
        format="png",
        directives=directives,
    )


def read_whole(given: dict[str, Any], name: str, default: int, allowed: range) -> int:
    """A whole number within bounds."""
    value = given.get(name)
    if value is None:
        return default
    if type(value) is not int or value not in allowed:
        raise InvalidBody(name, f"Input should be a whole number from {allowed[0]} to {allowed[-1]}")
    return value
