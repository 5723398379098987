"""Picture bytes, read and converted with Pillow."""

import io
from typing import cast

from PIL import Image, UnidentifiedImageError

from imagegate.domain.errors import Failure, FailureCode, UpstreamError
from imagegate.ports.making import PictureFacts

CONTENT_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
LARGEST_PIXELS = 64 * 1024 * 1024
_QUALITY = 92
_ALIKE = 3
"""Levels of 255 between the darkest and the lightest pixel of a picture that shows nothing."""


class PillowPictures:
    """The Pictures port."""

    def inspect(self, body: bytes) -> PictureFacts:
        """Check by decoding that `body` is a whole picture of something.

        Raises UpstreamError: bad_payload, or content_filtered for a uniform one, which is how several upstreams
        show that they refuse (reference/providers.md §4, rows 20-22).
        """
        with self._opened(body) as image:
            if _uniform(image):
                raise UpstreamError(Failure(FailureCode.CONTENT_FILTERED, "The upstream sent a blank picture."))
            return PictureFacts(CONTENT_TYPES[image.format or ""], image.width, image.height)

    def convert(self, body: bytes, output_format: str, quality: int | None = None) -> bytes:
        """The same picture as `png`, `jpeg` (on white where it was transparent) or `webp`."""
        with self._opened(body) as image:
            out = io.BytesIO()
            flat = _flattened(image) if output_format == "jpeg" else image
            flat.save(out, output_format.upper(), quality=_QUALITY if quality is None else quality)
            return out.getvalue()

    def _opened(self, body: bytes) -> Image.Image:
        try:
            image = Image.open(io.BytesIO(body), formats=list(CONTENT_TYPES))
            if image.width * image.height > LARGEST_PIXELS:
                raise _bad(f"a picture of {image.width}x{image.height} pixels, more than allowed")
            image.load()
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):  # where warnings are errors
            raise _bad("a picture of far more pixels than allowed") from None
        except UnidentifiedImageError:
            raise _bad("bytes that are no PNG, JPEG or WebP picture") from None
        except (OSError, SyntaxError, ValueError) as error:
            raise _bad("a damaged picture") from error
        return image


def _uniform(image: Image.Image) -> bool:
    """True when all pixels are alike, but for what compression makes of a plain colour."""
    small = image.convert("RGBA").reduce(max(1, min(image.size) // 64))
    spans = cast(tuple[tuple[int, int], ...], small.getextrema())
    return all(highest - lowest <= _ALIKE for lowest, highest in spans)


def _bad(what: str) -> UpstreamError:
    return UpstreamError(Failure(FailureCode.BAD_PAYLOAD, f"The upstream sent {what}."))


def _flattened(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    layer = image.convert("RGBA")
    flat = Image.new("RGB", image.size, "white")
    flat.paste(layer, mask=layer.getchannel("A"))
    return flat
