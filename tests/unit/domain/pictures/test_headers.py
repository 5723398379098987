"""Sizes in the headers of pictures, read without decoding; checked against Pillow."""

import random
import time

import pytest

from imagegate.domain.pictures.headers import content_type_of, pixels_of
from support.fakes import picture
from support.hostile_corpus import PICTURES, jpeg, png, webp


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("size", [(1, 1), (40, 30), (640, 7), (3, 1000)])
def test_the_size_is_the_one_pillow_wrote(kind: str, size: tuple[int, int]) -> None:
    assert pixels_of(picture(*size, kind)) == size[0] * size[1]


def test_large_ones_are_known_by_their_header() -> None:
    assert pixels_of(png(60_000, 50_000)) == 60_000 * 50_000
    assert pixels_of(jpeg(65_535, 65_534)) == 65_535 * 65_534
    assert pixels_of(webp(2**24, 2**24)) == 2**48
    assert pixels_of(b"RIFF....WEBPVP8L....\x2f\xff\xff\xff\x0f" + bytes(5)) == 2**28


@pytest.mark.parametrize("body", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF....WEBP", png(0, 9)])
def test_what_has_no_size_has_no_pixels(body: bytes) -> None:
    assert pixels_of(body) == 0


def test_damaged_pictures_are_read_to_no_harm() -> None:
    chance = random.Random(7)
    whole = [picture(40, 30, kind) for kind in ("png", "jpeg", "webp")]
    for _ in range(3000):
        body = bytearray(chance.choice([*whole, *(entry for entry in PICTURES if len(entry) < 10_000)]))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(body) + 1)
            body[at : at + chance.randint(0, 40)] = chance.randbytes(chance.randint(0, 9))
        content_type_of(bytes(body))
        assert pixels_of(bytes(body)) >= 0


def test_a_jpeg_of_nothing_but_filling_costs_no_time() -> None:
    began = time.process_time()
    assert pixels_of(b"\xff\xd8" + b"\xff" * 6_000_000) == 0
    assert time.process_time() - began < 0.5
