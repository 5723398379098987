"""Picture bytes, read and converted with Pillow."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

# Pillow would look for WebP and AVIF by loading all of its forty, which takes 40 ms of every cold start.
from PIL import AvifImagePlugin, Image, UnidentifiedImageError, WebPImagePlugin  # noqa: F401

from imagegate.adapters.pillow_colours import flattened, is_refusal, only_colour, to_plain, with_rgb_profile
from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.pictures.container import DamagedPicture
from imagegate.domain.pictures.exif import orientation_of
from imagegate.domain.pictures.gif import count_frames
from imagegate.domain.pictures.headers import AVIF, GIF, LARGEST_PIXELS, MOST_FRAMES, SVG, made_type_of
from imagegate.domain.pictures.svg_rules import UnsafePicture, inspect_svg
from imagegate.ports.upstreams import PREVIEW_SIDE, PictureFacts

# What is said of memory was measured; a function has 512 MB of it, of which the program takes 70.
EASY_WEBP = 8 * 1024 * 1024
"""Pixels up to which WebP is encoded in two passes, transparency included: 35 bytes a pixel, 42 where that is noise.
Beyond it takes one pass and 15 bytes, and nothing transparent."""
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "AVIF")
_INPUT_FORMATS = _FORMATS[:3]
LARGEST_ANIMATION = 256 * 1024 * 1024
"""Pixels of all frames together: decoding them takes a few seconds."""
_ANIMATED = frozenset({"image/png", "image/webp", GIF, AVIF})
_QUALITY = 92
_INPUT_QUALITY = 97
_PREVIEW_QUALITY, _PREVIEW_METHOD = 80, 2
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What to do to pixels of each EXIF orientation but 1."""


class PillowPictures:
    """The Pictures port."""

    def inspect(self, body: bytes) -> PictureFacts:
        """Check by decoding that `body` is a whole picture of something.

        Raises UpstreamError: bad_payload, or content_filtered for one that is black or empty all over, which is how
        several upstreams show that they refuse (docs/protocols/providers.md#refusals-by-picture). Another plain colour
        may be what the prompt asks for.
        """
        content_type = made_type_of(body)
        if content_type == SVG:
            width, height = _svg_size(body)
            return PictureFacts(content_type=SVG, width=width, height=height, transparent=True)
        image = _open(body)
        frames = _frames(image, body) if content_type in _ANIMATED else 1
        if frames > 1:
            _decode_all(image, frames)
            return PictureFacts(
                content_type=content_type or "",
                width=image.width,
                height=image.height,
                frames=frames,
                transparent=image.has_transparency_data,
            )
        with _to_bad_payload():
            image.load()
        orientation = _orientation(image)
        picture = to_plain(image)
        colour = only_colour(picture)
        if colour and is_refusal(colour):
            message = "The upstream sent a blank (entirely black) picture, as filters do in place of a refused one."
            raise UpstreamError(Failure(FailureCode.CONTENT_FILTERED, message))
        width, height = picture.size[::-1] if orientation >= 5 else picture.size
        return PictureFacts(
            content_type=content_type or "",
            width=width,
            height=height,
            single_colour=colour is not None,
            transparent=picture.mode == "RGBA",
        )

    def convert(self, body: bytes, output_format: str, quality: int | None = None) -> bytes:
        """The same picture as `png`, `jpeg` (on white where it was transparent) or `webp`.

        It is turned upright, and keeps its colour profile. Raises UpstreamError (bad_payload) also for one that the
        format, or the function's memory, has no room for.
        """
        image = _open(body)
        with _to_bad_payload():
            image.load()
        upright = _UPRIGHT.get(_orientation(image))
        image, profile = with_rgb_profile(image)
        picture = to_plain(image)
        del image  # and with it what its decoder holds
        if upright is not None:
            picture = picture.transpose(upright)
        if output_format == "jpeg":
            picture = flattened(picture)
        return _encoded(picture, output_format, _QUALITY if quality is None else quality, profile)

    def preview(self, body: bytes) -> bytes | None:
        """The picture as a WebP of at most PREVIEW_SIDE pixels a side, upright; `None` where none can be made.

        A JPEG is decoded at the scale that the preview needs.
        """
        try:
            with Image.open(io.BytesIO(body), formats=_FORMATS) as file:
                file.draft("RGB", (PREVIEW_SIDE, PREVIEW_SIDE))
                upright = _UPRIGHT.get(_orientation(file))
                image, profile = with_rgb_profile(file)
                small = to_plain(image)
                small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), reducing_gap=2.0)
                small = small.transpose(upright) if upright is not None else small
                return _encoded(small, "webp", _PREVIEW_QUALITY, profile, method=_PREVIEW_METHOD)
        except (UpstreamError, OSError, SyntaxError, ValueError):
            return None

    def turn_upright(self, body: bytes) -> bytes:
        """An input picture in the same format, with its EXIF orientation applied.

        Most need nothing, and keep their bytes, as those do that cannot be decoded: the upstream says so.
        """
        try:
            with Image.open(io.BytesIO(body), formats=_INPUT_FORMATS) as image:
                turned = _orientation(image) > 1
            return self.convert(body, (image.format or "").lower(), _INPUT_QUALITY) if turned else body
        except (UpstreamError, OSError, SyntaxError, ValueError):
            return body


def _open(body: bytes) -> Image.Image:
    """The picture, its header read and its pixels not."""
    with _to_bad_payload():
        image = Image.open(io.BytesIO(body), formats=_FORMATS)
    if image.width * image.height > LARGEST_PIXELS:
        raise _bad(f"a picture of {image.width}x{image.height} pixels, more than allowed")
    return image


def _frames(image: Image.Image, body: bytes) -> int:
    """The number of its frames. Raises UpstreamError for too many of them, before any is decoded."""
    with _to_bad_payload():
        # Pillow counts a GIF's frames one by one, without an end.
        frames = count_frames(body) if image.format == "GIF" else getattr(image, "n_frames", 1)
    if frames > MOST_FRAMES or frames * image.width * image.height > LARGEST_ANIMATION:
        raise _bad(f"an animation of {frames} frames of {image.width}x{image.height} pixels, more than allowed")
    return max(1, frames)


def _decode_all(image: Image.Image, frames: int) -> None:
    with _to_bad_payload():
        for frame in range(frames):
            image.seek(frame)
            image.load()


def _svg_size(body: bytes) -> tuple[int, int]:
    try:
        return inspect_svg(body)
    except UnsafePicture as error:
        raise _bad(f"an SVG picture with {error}") from None
    except DamagedPicture:
        raise _bad("a damaged picture") from None


@contextmanager
def _to_bad_payload() -> Iterator[None]:
    """What Pillow raises for bytes that are no whole picture, as UpstreamError."""
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):  # where warnings are errors
        raise _bad("a picture of far more pixels than allowed") from None
    except UnidentifiedImageError:
        raise _bad("bytes that are no PNG, JPEG, WebP, GIF, AVIF or SVG picture") from None
    except (OSError, SyntaxError, ValueError, EOFError, RuntimeError) as error:
        raise _bad("a damaged picture") from error


def _orientation(image: Image.Image) -> int:
    return orientation_of(image.info.get("exif", b""))


def _encoded(
    picture: Image.Image, output_format: str, quality: int, profile: bytes, method: int | None = None
) -> bytes:
    pixels, out = picture.width * picture.height, io.BytesIO()
    unfit = f"a picture of {picture.width}x{picture.height} pixels that cannot be made {output_format}"
    if output_format == "webp" and picture.mode == "RGBA" and pixels > EASY_WEBP:
        raise _bad(f"{unfit}, being transparent")
    try:
        # The EXIF data is left behind: its orientation has been applied.
        picture.save(
            out,
            output_format.upper(),
            quality=quality,
            method=method or (4 if pixels <= EASY_WEBP else 2),
            icc_profile=profile or None,
            exif=b"",
        )
    except (OSError, ValueError) as error:
        # JPEG's sides end at 65,500 pixels and WebP's at 16,383, and WebP cannot hold some pictures of noise.
        raise _bad(unfit) from error
    return out.getvalue()


def _bad(what: str) -> UpstreamError:
    return UpstreamError(Failure(FailureCode.BAD_PAYLOAD, f"The upstream sent {what}."))
