"""Picture bytes: what is taken for a picture, what is not."""

import io
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageCms, ImageOps, ImageStat

from imagegate.adapters import pillow_pictures
from imagegate.adapters.pillow_pictures import PillowPictures
from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.pictures.gif import read_blocks
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


def encoded(image: Image.Image, output_format: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, output_format, **options)
    return out.getvalue()


def gradient(mode: str, width: int = 64, height: int = 48) -> Image.Image:
    return Image.linear_gradient("L").resize((width, height)).convert(mode)


SIXTEEN_BITS = encoded(gradient("I").point(lambda level: level * 100 + 30_000).convert("I;16"))
"""Greys from 30,000 to 55,500."""


@pytest.mark.parametrize("after", ["png", "jpeg", "webp"])
def test_inks_become_light_and_their_profile_is_left_behind(after: str) -> None:
    body = encoded(gradient("CMYK"), "JPEG", icc_profile=b"profile of inks" * 20)
    with Image.open(io.BytesIO(pictures.convert(body, after))) as image:
        assert image.mode == "RGB"
        assert "icc_profile" not in image.info


def test_sixteen_bits_are_a_picture_like_any_other() -> None:
    assert pictures.inspect(SIXTEEN_BITS).content_type == "image/png"
    with pytest.raises(UpstreamError) as caught:
        pictures.inspect(encoded(Image.new("I;16", (64, 48), 400)))
    assert caught.value.failure.code is FailureCode.CONTENT_FILTERED


@pytest.mark.parametrize("colour", ["red", "white", "#101010", "#0000ff", "grey"])
@pytest.mark.parametrize("output_format", ["PNG", "JPEG", "WEBP"])
def test_a_plain_colour_may_be_what_was_asked_for(colour: str, output_format: str) -> None:
    plain = encoded(Image.new("RGB", (640, 480), colour), output_format)
    assert pictures.inspect(plain).single_colour
    assert not pictures.inspect(encoded(gradient("RGB"), output_format)).single_colour


@pytest.mark.parametrize("colour", ["black", "#020202"])
@pytest.mark.parametrize("output_format", ["PNG", "JPEG", "WEBP"])
def test_a_black_picture_is_a_refusal(colour: str, output_format: str) -> None:
    with pytest.raises(UpstreamError, match="blank"):
        pictures.inspect(encoded(Image.new("RGB", (640, 480), colour), output_format))
    with pytest.raises(UpstreamError, match="blank"):
        pictures.inspect(encoded(Image.new("RGBA", (640, 480), (255, 0, 0, 0))))


@pytest.mark.parametrize("after", ["jpeg", "webp"])
def test_sixteen_bits_become_eight_in_the_same_light(after: str) -> None:
    with Image.open(io.BytesIO(pictures.convert(SIXTEEN_BITS, after))) as image:
        assert image.convert("L").getextrema() == (
            pytest.approx(30_000 / 257, abs=4),
            pytest.approx(55_500 / 257, abs=4),
        )


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA"])
def test_blank_and_not_blank_in_every_mode(mode: str) -> None:
    """PA is written as a palette with a transparent colour."""
    kept = "P" if mode == "PA" else mode
    options = {"transparency": 0} if mode == "PA" else {}
    assert pictures.inspect(encoded(gradient(kept, 640, 480), **options)).width == 640
    with pytest.raises(UpstreamError, match="blank"):
        pictures.inspect(encoded(Image.new(kept, (640, 480)), **options))


def test_a_transparent_colour_of_a_palette_is_white_in_a_jpeg() -> None:
    body = encoded(Image.new("P", (8, 8)), transparency=0)
    with Image.open(io.BytesIO(pictures.convert(body, "jpeg"))) as image:
        assert image.getpixel((4, 4)) == (255, 255, 255)


def test_a_photograph_with_another_in_the_same_file() -> None:
    """Cameras and some editors write such JPEGs; Pillow gives their format another name."""
    body = encoded(gradient("RGB"), "MPO", save_all=True, append_images=[gradient("RGB")])
    assert pictures.inspect(body).content_type == "image/jpeg"


@pytest.mark.parametrize(("width", "after"), [(16_384, "webp"), (65_501, "jpeg")])
def test_what_a_format_has_no_room_for(width: int, after: str) -> None:
    with pytest.raises(UpstreamError, match=f"{width}x48") as caught:
        pictures.convert(encoded(gradient("RGB", width)), after)
    assert caught.value.failure.code is FailureCode.BAD_PAYLOAD


def test_what_has_an_alpha_channel_but_nothing_transparent_is_as_easy_as_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pillow_pictures, "EASY_WEBP", 100)
    assert pictures.convert(encoded(gradient("RGBA")), "webp")


def test_large_and_transparent_is_no_webp_for_want_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pillow_pictures, "EASY_WEBP", 100)
    transparent = encoded(gradient("LA"))
    with pytest.raises(UpstreamError, match="transparent"):
        pictures.convert(transparent, "webp")
    assert pictures.convert(transparent, "png")
    assert pictures.convert(encoded(gradient("RGB")), "webp")


MEGABYTES = 400
"""Of a function's 512; what it has loaded besides takes 40. The most is 390, for transparency that is mere noise."""
PEAK = """
import sys
from imagegate.adapters.pillow_pictures import PillowPictures
body = open(sys.argv[1], "rb").read()
PillowPictures().inspect(body)
for after in sys.argv[2:]:
    PillowPictures().convert(body, after, 100)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def grain(width: int, height: int) -> Image.Image:
    """What WebP finds hardest."""
    return Image.merge("RGB", [Image.effect_noise((width, height), 40) for _ in range(3)])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="where it is written how much memory a process had")
@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "transparent"])
def test_the_largest_pictures_fit_into_a_function(tmp_path: Path, kind: str) -> None:
    """In a separate process, so that the peak memory is its own."""
    if kind == "transparent":
        image, kept = grain(3840, 2160), "png"
        image.putalpha(Image.effect_noise(image.size, 90))
        assert 0.98 < 3840 * 2160 / pillow_pictures.EASY_WEBP < 1
    else:
        image, kept = grain(4096, 4096), kind
        assert image.width * image.height == pillow_pictures.LARGEST_PIXELS
    (tmp_path / "body").write_bytes(encoded(image, kept, quality=75, compress_level=1))
    command = [sys.executable, "-c", PEAK, str(tmp_path / "body"), "png", "jpeg", "webp"]
    kilobytes = int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    assert kilobytes < MEGABYTES * 1024


def profile(space: str) -> bytes:
    """An ICC profile of that colour space."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB" if space == "RGB " else "LAB")).tobytes()
    return made[:16] + space.encode() + made[20:]


@pytest.mark.parametrize("before", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("after", ["png", "jpeg", "webp"])
def test_a_colour_profile_is_kept(before: str, after: str) -> None:
    wide = profile("RGB ")
    with Image.open(io.BytesIO(pictures.convert(encoded(gradient("RGB"), before, icc_profile=wide), after))) as image:
        assert image.info.get("icc_profile") == wide


def test_a_colour_profile_is_kept_beside_transparency() -> None:
    image = gradient("RGBA")
    image.putalpha(gradient("L"))
    with Image.open(io.BytesIO(pictures.convert(encoded(image, icc_profile=profile("RGB ")), "webp"))) as converted:
        assert converted.info.get("icc_profile") == profile("RGB ")
        assert converted.getchannel("A").getextrema() == gradient("L").getextrema()


@pytest.mark.parametrize("after", ["png", "jpeg", "webp"])
def test_a_profile_of_greys_is_not_given_to_colours(after: str) -> None:
    body = encoded(gradient("L"), icc_profile=profile("GRAY"))
    with Image.open(io.BytesIO(pictures.convert(body, after))) as image:
        assert "icc_profile" not in image.info


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("before", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("after", ["png", "jpeg", "webp"])
def test_a_converted_picture_stands_upright(before: str, after: str, orientation: int) -> None:
    """What Pillow shows of the picture that came is what it shows of the converted one, without EXIF data."""
    quarter = Image.new("RGB", (64, 48), "white")
    quarter.paste("red", (0, 0, 32, 24))
    exif = Image.Exif()
    exif[0x0112] = orientation
    body = encoded(quarter, before, exif=exif)
    with Image.open(io.BytesIO(body)) as came, Image.open(io.BytesIO(pictures.convert(body, after))) as converted:
        shown = ImageOps.exif_transpose(came).convert("RGB")
        facts = pictures.inspect(body)
        assert shown.size == converted.size == (facts.width, facts.height)
        assert not converted.getexif()
        for at in ((8, 8), (converted.width - 8, 8), (8, converted.height - 8)):
            assert converted.convert("RGB").getpixel(at) == pytest.approx(shown.getpixel(at), abs=30)


@pytest.mark.parametrize("output_format", ["PNG", "JPEG", "WEBP"])
def test_a_picture_to_work_from_is_turned_in_its_own_format(output_format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = pictures.turn_upright(encoded(gradient("RGB"), output_format, exif=exif))
    with Image.open(io.BytesIO(turned)) as image:
        assert (image.format, image.size, dict(image.getexif())) == (output_format, (48, 64), {})


@pytest.mark.parametrize("body", [encoded(gradient("RGB")), b"no picture", b"", encoded(gradient("RGB"))[:60]])
def test_a_picture_that_stands_upright_is_as_it_was(body: bytes) -> None:
    assert pictures.turn_upright(body) == body


@pytest.mark.parametrize(
    "body",
    [b"", b"<html></html>", picture()[:-40], picture(64, 64, "jpeg")[:200], b"\x89PNG\r\n\x1a\n", b"GIF89a", b"<svg/>"],
)
def test_what_is_no_whole_picture(body: bytes) -> None:
    with pytest.raises(UpstreamError) as caught:
        pictures.inspect(body)
    assert caught.value.failure.code is FailureCode.BAD_PAYLOAD


def animated(output_format: str, frames: int = 3, side: int = 48) -> bytes:
    moving = [gradient("RGB", side, side).rotate(7 * frame) for frame in range(1, frames)]
    return encoded(gradient("RGB", side, side), output_format, save_all=True, append_images=moving)


@pytest.mark.parametrize("output_format", ["GIF", "WEBP", "PNG", "AVIF"])
def test_the_frames_of_an_animation_are_counted(output_format: str) -> None:
    facts = pictures.inspect(animated(output_format))
    assert (facts.content_type, facts.width, facts.height, facts.frames) == (
        f"image/{output_format.lower()}",
        48,
        48,
        3,
    )
    assert pictures.inspect(encoded(gradient("RGB"), output_format)).frames == 1


@pytest.mark.parametrize("output_format", ["GIF", "WEBP", "PNG", "AVIF"])
@pytest.mark.parametrize("after", ["png", "jpeg"])
def test_the_first_frame_is_what_a_still_is_made_of(output_format: str, after: str) -> None:
    with Image.open(io.BytesIO(pictures.convert(animated(output_format), after))) as still:
        first = gradient("RGB", 48, 48)
        assert (still.size, getattr(still, "n_frames", 1)) == ((48, 48), 1)
        assert ImageStat.Stat(ImageChops.difference(still.convert("RGB"), first)).mean[0] < 8


@pytest.mark.parametrize("output_format", ["GIF", "WEBP", "PNG", "AVIF"])
def test_an_animation_that_ends_too_early_is_damaged(output_format: str) -> None:
    with pytest.raises(UpstreamError, match=r"damaged|bytes that are no"):
        pictures.inspect(animated(output_format)[: -len(animated(output_format)) // 3])


@pytest.mark.parametrize("output_format", ["GIF", "WEBP", "PNG", "AVIF"])
@pytest.mark.parametrize(("limit", "value"), [("MOST_FRAMES", 2), ("LARGEST_ANIMATION", 3 * 48 * 48 - 1)])
def test_too_many_frames_are_refused_before_decoding(
    output_format: str, limit: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pillow_pictures, limit, value)
    monkeypatch.setattr(pillow_pictures, "_decode_all", None)
    with pytest.raises(UpstreamError, match="3 frames of 48x48"):
        pictures.inspect(animated(output_format))


def test_ten_thousand_frames_are_refused_by_counting_blocks() -> None:
    body = animated("GIF", 2, 8)
    one = next(iter(read_blocks(body)))
    frame = body[one.begin : one.end] + body[next(b for b in read_blocks(body) if b.kind == 0x2C).begin : -1]
    with pytest.raises(UpstreamError, match="animation"):
        pictures.inspect(body[:-1] + frame * 10_000 + b"\x3b")


@pytest.mark.parametrize("output_format", ["GIF", "AVIF", "PNG", "WEBP"])
def test_a_damaged_animation_is_a_bad_picture_and_no_accident(output_format: str) -> None:
    chance, whole, refused = random.Random(6), animated(output_format), 0
    for _ in range(300):
        body = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(body))
            body[at : at + chance.randint(0, 9)] = chance.randbytes(chance.randint(0, 9))
        try:
            pictures.inspect(bytes(body))
        except UpstreamError as error:
            refused += error.failure.code is FailureCode.BAD_PAYLOAD
    assert refused > 30


def test_transparency_is_told() -> None:
    transparent = gradient("RGBA")
    transparent.putalpha(gradient("L"))
    assert pictures.inspect(encoded(transparent)).transparent
    assert not pictures.inspect(encoded(gradient("RGBA"))).transparent
    assert not pictures.inspect(encoded(gradient("RGB"), "JPEG")).transparent


def test_a_drawing_is_a_picture() -> None:
    facts = pictures.inspect(
        b'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480px"><path d="M0 0"/></svg>'
    )
    assert (facts.content_type, facts.width, facts.height) == ("image/svg+xml", 640, 480)
    with pytest.raises(UpstreamError, match="script") as caught:
        pictures.inspect(b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>')
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
