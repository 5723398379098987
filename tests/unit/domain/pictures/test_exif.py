"""The orientation in EXIF data."""

import random

import pytest
from PIL import Image

from imagegate.domain.pictures.exif import HEADER, orientation_of, orientation_only


def exif(orientation: int) -> bytes:
    """EXIF data as Pillow writes it."""
    data = Image.Exif()
    data[0x0110] = "a camera"
    data[0x0112] = orientation
    return data.tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_read_with_and_without_a_header(orientation: int) -> None:
    assert orientation_of(exif(orientation)) == orientation
    assert orientation_of(exif(orientation).removeprefix(HEADER)) == orientation
    assert orientation_of(orientation_only(orientation)) == orientation


def test_what_says_nothing_else_is_read_by_pillow() -> None:
    data = Image.Exif()
    data.load(orientation_only(6))
    assert dict(data) == {0x0112: 6}


@pytest.mark.parametrize("data", [b"", b"II", b"II*\x00\xff\xff\xff\xff", HEADER, b"JFIF", exif(1)[:20], exif(9)])
def test_what_has_none(data: bytes) -> None:
    assert orientation_of(data) == 1


def test_damaged_data_is_no_accident() -> None:
    chance = random.Random(3)
    for _ in range(2000):
        data = bytearray(exif(6))
        data[chance.randrange(len(data))] = chance.randrange(256)
        assert 1 <= orientation_of(bytes(data[: chance.randrange(len(data))])) <= 8
