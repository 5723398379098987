"""Colours of Pillow's pictures: which profile and mode they are in, and whether there is only one."""

import io
from typing import cast

from PIL import Image

_ALIKE = 3
"""Levels of 255 between the darkest and the lightest pixel of a picture that shows nothing."""
_BLACK = 8
"""Levels of 255 up to which a plain colour is black, however it was compressed."""
_TO_EIGHT_BITS = 1 / 257


def with_rgb_profile(image: Image.Image) -> tuple[Image.Image, bytes]:
    """The picture, and its profile if that is of red, green and blue (ICC.1:2022 §7.2.8); else empty.

    A profile of inks or greys is applied, and the picture is in sRGB then; as it is where the profile is not usable.
    """
    profile = image.info.get("icc_profile")
    if not profile or not isinstance(profile, bytes):
        return image, b""
    if profile[16:20] == b"RGB ":
        return image, profile
    if image.mode not in ("L", "CMYK"):
        return image, b""
    from PIL import ImageCms  # here, for next to no picture needs it

    try:
        converted = ImageCms.profileToProfile(
            image, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image, b""
    return converted or image, b""


def to_plain(image: Image.Image) -> Image.Image:
    """The same pixels as L, RGB or RGBA, whatever they were; 4 bytes each, without what the file's decoder holds."""
    if image.mode.startswith("I;16"):
        # Pillow would make white of all that is above 255.
        image = image.convert("I").point(lambda level: level * _TO_EIGHT_BITS)
    mode = "RGBA" if image.has_transparency_data else "L" if image.mode in ("1", "L", "I") else "RGB"
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        mode = "RGB"  # as upstreams write it that know no other
    if image.mode != mode:
        return image.convert(mode)
    return image.copy() if image.format == "WEBP" else image


def only_colour(picture: Image.Image) -> tuple[int, ...] | None:
    """The brightest red, green, blue and alpha of a picture of one colour, but for what compression makes of it."""
    small = picture.reduce(max(1, min(picture.size) // 64)).convert("RGBA")
    spans = cast(tuple[tuple[int, int], ...], small.getextrema())
    alike = all(highest - lowest <= _ALIKE for lowest, highest in spans)
    return tuple(highest for _, highest in spans) if alike else None


def is_refusal(colour: tuple[int, ...]) -> bool:
    """True for black, and for nothing at all: filters send such pictures in place of a refused one."""
    *levels, alpha = colour
    return max(levels) <= _BLACK or alpha <= _ALIKE


def flattened(picture: Image.Image) -> Image.Image:
    """The picture in RGB, on white where it was transparent."""
    if picture.mode != "RGBA":
        return picture.convert("RGB") if picture.mode == "L" else picture
    flat = Image.new("RGB", picture.size, "white")
    flat.paste(picture, mask=picture)
    return flat
