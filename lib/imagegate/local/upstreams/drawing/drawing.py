"""Draws the stand-ins' pictures: a small landscape that anyone can see is not a model's work.

Deterministic: the same prompt, seed, size and steps give the same bytes with the same Pillow. No font of the machine is
used, only the one inside Pillow.
"""

import colorsys
import hashlib
import io
import math
import random
from typing import Literal, get_args

from PIL import Image, ImageDraw, ImageOps

from imagegate.local.upstreams.drawing.lettering import write_caption

CONTENT_TYPES = {"webp": "image/webp", "png": "image/png", "jpeg": "image/jpeg"}
"""Content type by format."""

Format = Literal["webp", "png", "jpeg"]
FORMATS: tuple[Format, ...] = get_args(Format)

Colour = tuple[int, int, int]

SMOOTHED = 1536 * 1536
"""Pixels up to which edges are smoothed; beyond it, it would take too long."""

# The fastest settings whose pictures still look good; measured at 1024x1024.
SAVE_OPTIONS: dict[Format, dict[str, int]] = {
    "webp": {"quality": 82, "method": 0},
    "png": {"compress_level": 1},
    "jpeg": {"quality": 88},
}


def draw(
    prompt: str,
    seed: int,
    width: int,
    height: int,
    steps: int,
    format: Format,  # noqa: A002 - Pillow's own word for it
) -> bytes:
    """The encoded picture for a prompt and seed, exactly `width` x `height` pixels, captioned as a stand-in's.

    `steps` is only printed: a real model's picture hardly changes with it either.
    """
    picture = landscape(dice_for(prompt, seed, width, height), width, height)
    write_caption(picture, ["imagegate stand-in", prompt, f"seed {seed}, {steps} steps"])
    return encode(picture, format)


def blank(width: int, height: int, format: Format) -> bytes:  # noqa: A002 - as above
    """A uniformly black picture, what some models answer instead of a refusal."""
    return encode(Image.new("RGB", (width, height)), format)


def encode(picture: Image.Image, format: Format) -> bytes:  # noqa: A002 - as above
    """The picture as a file of that format."""
    file = io.BytesIO()
    picture.save(file, format=format.upper(), **SAVE_OPTIONS[format])
    return file.getvalue()


def dice_for(prompt: str, seed: int, width: int, height: int) -> random.Random:
    """Random numbers that depend on nothing but the arguments (lone surrogates in the prompt are fine)."""
    key = f"{seed} {width}x{height} {prompt}".encode("utf-8", "surrogatepass")
    return random.Random(hashlib.sha256(key).digest())  # noqa: S311 - for looks, not for secrets


def landscape(dice: random.Random, width: int, height: int) -> Image.Image:
    """Sky, sun and three to six ridges of hills in related hues."""
    # Drawn at twice the size and reduced, which smooths the edges.
    scale = 2 if width * height <= SMOOTHED else 1
    size = (width * scale, height * scale)
    hue = dice.random()
    picture = sky(dice, hue, size)
    sun(dice, hue, ImageDraw.Draw(picture, "RGBA"), size)
    pen = ImageDraw.Draw(picture)
    ridges = dice.randint(3, 6)
    for ridge in range(1, ridges + 1):
        depth = ridge / ridges
        shade = colour(hue + 0.04 * ridge, 0.35 + 0.3 * depth, 0.85 - 0.65 * depth)
        pen.polygon(hills(dice, size, 0.35 + 0.5 * depth), fill=shade)
    return picture.reduce(scale)


def sky(dice: random.Random, hue: float, size: tuple[int, int]) -> Image.Image:
    """A gradient from a deep tone at the top to a pale neighbouring hue at the horizon."""
    shades = Image.linear_gradient("L").resize((1, 256))  # one column: colouring every pixel would take 15 ms
    top, middle = colour(hue, 0.75, 0.45), colour(hue + dice.uniform(0.05, 0.2), 0.5, 0.85)
    column = ImageOps.colorize(shades, top, colour(hue + 0.45, 0.25, 1.0), middle).resize((1, size[1]))
    return column.resize(size, Image.Resampling.NEAREST)  # interpolating equal neighbours would take ten times as long


def sun(dice: random.Random, hue: float, pen: ImageDraw.ImageDraw, size: tuple[int, int]) -> None:
    """A pale disc with two halos, somewhere in the upper half."""
    x, y = dice.uniform(0.15, 0.85) * size[0], dice.uniform(0.12, 0.4) * size[1]
    radius = dice.uniform(0.06, 0.16) * min(size)
    for factor, opacity in ((2.2, 40), (1.5, 70), (1.0, 235)):
        reach = radius * factor
        pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=(*colour(hue + 0.5, 0.15, 1.0), opacity))


def hills(dice: random.Random, size: tuple[int, int], level: float) -> list[tuple[float, float]]:
    """The outline of one ridge: two sine waves around `level` (0 top, 1 bottom), closed along the lower edge."""
    width, height = size
    waves = [(dice.uniform(0.8, 4.5), dice.uniform(0, math.tau), dice.uniform(0.02, 0.07)) for _ in range(2)]
    across = [width * step / 48 for step in range(49)]
    crest = [
        height * (level + sum(reach * math.sin(count * math.tau * x / width + start) for count, start, reach in waves))
        for x in across
    ]
    return [*zip(across, crest, strict=True), (width, height), (0, height)]


def colour(hue: float, saturation: float, value: float) -> Colour:
    """An RGB colour of 0..255 from hue (turns, any), saturation and value (0..1)."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)
