"""Picture bytes: what is taken for a picture, what is not."""

import io
import random

import pytest
from PIL import Image

from imagegate.adapters import pillow_pictures
from imagegate.adapters.pillow_pictures import PillowPictures
from imagegate.domain.errors import FailureCode, UpstreamError
from support.fakes import picture
from support.hostile_corpus import png

pictures = PillowPictures()


@pytest.mark.parametrize("output_format", ["png", "jpeg", "webp"])
def test_facts(output_format: str) -> None:
    facts = pictures.inspect(picture(40, 30, output_format))
    assert (facts.content_type, facts.width, facts.height) == (f"image/{output_format}", 40, 30)


@pytest.mark.parametrize("before", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("after", ["png", "jpeg", "webp"])
def test_conversion_keeps_the_size(before: str, after: str) -> None:
    facts = pictures.inspect(pictures.convert(picture(40, 30, before), after))
    assert (facts.content_type, facts.width, facts.height) == (f"image/{after}", 40, 30)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "CMYK"])
def test_any_mode_becomes_a_jpeg_on_white(mode: str) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).convert(mode).save(out, "JPEG" if mode == "CMYK" else "PNG")
    with Image.open(io.BytesIO(pictures.convert(out.getvalue(), "jpeg"))) as image:
        assert image.mode == "RGB"
        if mode == "RGBA":
            assert image.getpixel((4, 4)) == (255, 255, 255)


GIF = io.BytesIO()
Image.new("L", (2, 2)).save(GIF, "GIF")


@pytest.mark.parametrize(
    "body",
    [b"", b"<html></html>", GIF.getvalue(), picture()[:-40], picture(64, 64, "jpeg")[:200], b"\x89PNG\r\n\x1a\n"],
)
def test_what_is_no_whole_picture(body: bytes) -> None:
    with pytest.raises(UpstreamError) as caught:
        pictures.inspect(body)
    assert caught.value.failure.code is FailureCode.BAD_PAYLOAD


@pytest.mark.parametrize("side", [9_000, 15_000, 60_000])
def test_a_bomb_is_a_bad_picture_and_no_accident(side: int) -> None:
    """Pillow itself warns above 90 and stops above 179 million pixels, with an exception of no kind in common."""
    with pytest.raises(UpstreamError) as caught:
        pictures.inspect(png(side, side))
    assert caught.value.failure.code is FailureCode.BAD_PAYLOAD


def test_damaged_bytes_are_a_bad_picture_and_no_accident() -> None:
    chance = random.Random(5)
    whole = [picture(40, 30, kind) for kind in ("png", "jpeg", "webp")]
    refused = 0
    for _ in range(1500):
        body = bytearray(chance.choice(whole))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(body))
            body[at : at + chance.randint(0, 9)] = chance.randbytes(chance.randint(0, 9))
        try:
            pictures.convert(bytes(body), "png")
        except UpstreamError as error:
            refused += error.failure.code is FailureCode.BAD_PAYLOAD
    assert refused > 500


def test_too_many_pixels_are_refused_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pillow_pictures, "LARGEST_PIXELS", 100)
    with pytest.raises(UpstreamError, match="64x48"):
        pictures.inspect(picture())
