"""The stand-ins' pictures: deterministic, of the asked size, marked, and as large a file as wanted."""

import io

import pytest
from PIL import Image, ImageChops, ImageStat

from imagegate.local.upstreams.drawing.drawing import FORMATS, Format, blank, dice_for, draw, landscape
from imagegate.local.upstreams.drawing.lettering import readable, write_caption
from imagegate.local.upstreams.drawing.padding import pad

SIZES = [(64, 32), (16, 16), (256, 256), (1024, 512), (770, 513), (32, 1024), (1600, 1600)]
RUSSIAN = "Узор из цветных пастельных суккулентов, чёткий фокус"


def opened(file: bytes) -> Image.Image:
    """The picture, decoded to the last byte."""
    picture = Image.open(io.BytesIO(file))
    picture.load()
    return picture


def difference(first: bytes, other: bytes) -> float:
    """Mean difference of two pictures, 0..255."""
    return max(ImageStat.Stat(ImageChops.difference(opened(first).convert("RGB"), opened(other).convert("RGB"))).mean)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_picture_has_the_requested_size_and_format(width: int, height: int, format_: Format) -> None:
    picture = opened(draw("a fox", 7, width, height, 4, format_))

    assert (picture.size, picture.format) == ((width, height), format_.upper())


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_picture_is_never_uniform(width: int, height: int) -> None:
    picture = opened(draw("a fox", 7, width, height, 4, "webp")).convert("RGB")

    assert max(high - low for low, high in picture.getextrema()) > 60


@pytest.mark.parametrize("format_", FORMATS)
def test_the_same_arguments_give_the_same_bytes(format_: Format) -> None:
    assert draw("a fox", 7, 256, 256, 4, format_) == draw("a fox", 7, 256, 256, 4, format_)


def test_another_prompt_or_seed_gives_a_visibly_other_picture() -> None:
    fox = draw("a fox", 7, 256, 256, 4, "png")

    assert difference(fox, draw("a hare", 7, 256, 256, 4, "png")) > 8
    assert difference(fox, draw("a fox", 8, 256, 256, 4, "png")) > 8


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_picture_is_marked(width: int, height: int) -> None:
    bare = landscape(dice_for("a fox", 7, width, height), width, height)
    marked = opened(draw("a fox", 7, width, height, 4, "png"))

    assert ImageChops.difference(bare, marked).getbbox() is not None
    foot = marked.crop((0, height // 2, width, height))
    assert ImageStat.Stat(foot.convert("L")).extrema[0][1] > 150, "white letters on the lower half"


def test_three_lines_fit_at_256_pixels() -> None:
    once, three = (Image.new("RGB", (256, 256), "green") for _ in range(2))
    write_caption(once, ["imagegate stand-in"])
    write_caption(three, ["imagegate stand-in", "a fox", "seed 7"])

    band = ImageChops.difference(three, Image.new("RGB", (256, 256), "green")).getbbox()
    single = ImageChops.difference(once, Image.new("RGB", (256, 256), "green")).getbbox()
    assert (256 - band[1]) > 2 * (256 - single[1])
    assert band[1] > 128, "the caption leaves the upper half alone"


@pytest.mark.parametrize("prompt", ["", RUSSIAN, "🦊🌵", "\ud83e", "line\nbreak\ttab", "x" * 5000, "né à Zürich", "狐"])
def test_any_prompt_can_be_drawn(prompt: str) -> None:
    assert opened(draw(prompt, 0, 256, 256, 4, "webp")).size == (256, 256)


@pytest.mark.parametrize("seed", [-1, 0, 2147483647, 2**63 - 1])
def test_any_seed_can_be_drawn(seed: int) -> None:
    assert opened(draw("a fox", seed, 128, 128, 4, "webp")).size == (128, 128)


@pytest.mark.parametrize(
    ("text", "dead_letters"),
    [
        ("Щука и ёж", "Schuka i yozh"),
        ("né à Zürich", "ne a Zurich"),
        ("a 🦊 fox…", "a * fox..."),
        ("two\n  lines", "two lines"),
    ],
)
def test_the_caption_is_spelled_in_ascii(text: str, dead_letters: str) -> None:
    assert readable(text) == dead_letters


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("at_least", [0, 10_000, 70_001, 1_500_000])
def test_padding_reaches_the_size_and_changes_no_pixel(format_: Format, at_least: int) -> None:
    file = draw("a fox", 7, 64, 64, 4, format_)
    padded = pad(file, format_, at_least)

    assert len(padded) >= max(at_least, len(file))
    assert len(padded) <= max(at_least, len(file)) + 200
    assert opened(padded).tobytes() == opened(file).tobytes()


@pytest.mark.parametrize("format_", FORMATS)
def test_blank_is_uniformly_black(format_: Format) -> None:
    assert set(opened(blank(64, 64, format_)).convert("RGB").getextrema()) == {(0, 0)}
