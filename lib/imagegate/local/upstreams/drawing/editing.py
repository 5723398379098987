"""Draws what an edit makes of pictures: a stand-in's landscape in which anyone can see what came in."""

import io

from PIL import Image, ImageOps

from imagegate.local.upstreams.drawing.drawing import Format, dice_for, encode, landscape
from imagegate.local.upstreams.drawing.lettering import write_caption

REDUCED = 512
"""Pixels of the longer side to which what came in is reduced: promised pictures wait in memory."""

FRAME = 0.02
"""Width of the white frames, as a share of the picture's shorter side."""


def draw_edited(
    prompt: str,
    seed: int,
    width: int,
    height: int,
    format: Format,  # noqa: A002 - as in drawing.draw
    inputs: tuple[bytes, ...],
    mask: bytes | None,
) -> bytes:
    """The encoded picture, exactly `width` x `height` pixels.

    With a mask the first input fills it, and the landscape shows where the mask is transparent; without, the inputs
    hang framed in its upper half. `inputs` and `mask` come from `reduced` and `transparency`.
    """
    picture = landscape(dice_for(prompt, seed, width, height), width, height)
    pictures = [Image.open(io.BytesIO(each)).convert("RGB") for each in inputs]
    if mask:
        picture = repaint(pictures[0], Image.open(io.BytesIO(mask)), picture)
    else:
        hang(picture, pictures)
    lines = ["imagegate stand-in, edited", prompt] if prompt else ["imagegate stand-in, varied"]
    write_caption(picture, [*lines, f"seed {seed}, pictures in: {len(inputs)}"])
    return encode(picture, format)


def repaint(old: Image.Image, kept: Image.Image, new: Image.Image) -> Image.Image:
    """The old picture where `kept` is opaque, the new one elsewhere, in the size of the new one."""
    return Image.composite(ImageOps.fit(old, new.size), new, kept.resize(new.size, Image.Resampling.NEAREST))


def hang(picture: Image.Image, inputs: list[Image.Image]) -> None:
    """Hang the inputs side by side in the upper half."""
    width, height = picture.size
    frame = max(1, round(FRAME * min(width, height)))
    box = width // len(inputs)
    for place, each in enumerate(inputs):
        size_within = (max(1, box - 4 * frame), max(1, height // 2 - 4 * frame))
        framed = ImageOps.expand(ImageOps.contain(each, size_within), frame, "white")
        picture.paste(framed, (place * box + (box - framed.width) // 2, frame))


def reduced(body: bytes) -> bytes:
    """A picture as it is kept for drawing. Raises OSError when it is none."""
    with Image.open(io.BytesIO(body)) as picture:
        small = picture.convert("RGB")
    small.thumbnail((REDUCED, REDUCED))
    return encode(small, "webp")


def transparency(body: bytes) -> bytes:
    """What of a mask matters: where it is opaque, in shades of grey. Raises OSError when it is no picture."""
    with Image.open(io.BytesIO(body)) as picture:
        return encode(picture.convert("RGBA").getchannel("A"), "png")
