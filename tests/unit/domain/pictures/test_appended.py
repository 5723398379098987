"""What is behind a picture in its file is cut off; the picture keeps every byte."""

import io
import random

import pytest
from PIL import Image

from imagegate.domain.pictures.appended import without_appended
from imagegate.domain.pictures.provenance import read_marks
from support.containers import shown

FORMATS = {"PNG": "png", "JPEG": "jpeg", "WEBP": "webp", "GIF": "gif", "AVIF": "avif"}
TAILS = {
    "archive": b"PK\x03\x04\x14\x00\x00\x00\x08\x00",
    "page": b"<html><script>1</script></html>",
    "script": b"*/=1;alert(1)",
    "document": b"%PDF-1.7\n1 0 obj",
    "byte": b"\x00",
    "another picture": b"\xff\xd8\xff\xd9",
}


def encoded(output_format: str, frames: int, mode: str = "RGB", **options: object) -> bytes:
    image = Image.effect_noise((61, 43), 80).convert(mode)
    if frames > 1:
        options |= {"save_all": True, "append_images": [image.rotate(at) for at in range(1, frames)]}
    out = io.BytesIO()
    image.save(out, output_format, **options)
    return out.getvalue()


FILES = {
    **{name: encoded(name, 1) for name in FORMATS},
    **{f"{name} animation": encoded(name, 4) for name in FORMATS if name != "JPEG"},
    "JPEG progressive": encoded("JPEG", 1, progressive=True, quality=100),
    "JPEG grey": encoded("JPEG", 1, "L"),
    "WEBP lossless": encoded("WEBP", 1, "RGBA", lossless=True),
    "WEBP described": encoded("WEBP", 1, xmp=b"odd"),
    "GIF grey": encoded("GIF", 1, "L", comment=b"words"),
}


def type_of(name: str) -> str:
    return f"image/{FORMATS[name.split(' ')[0]]}"


@pytest.mark.parametrize("name", FILES)
def test_a_picture_without_anything_behind_it_keeps_every_byte(name: str) -> None:
    assert without_appended(FILES[name], type_of(name)) == FILES[name]


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("name", FILES)
def test_what_is_behind_it_is_cut_off(name: str, tail: str) -> None:
    body = FILES[name]
    cut = without_appended(body + TAILS[tail], type_of(name))
    assert cut == body
    assert shown(cut) == shown(body)


def test_what_has_no_end_or_is_no_picture_is_left_alone() -> None:
    for name, body in FILES.items():
        assert without_appended(body[:40], type_of(name)) == body[:40]
    for content_type in ("image/svg+xml", "text/html", None):
        assert without_appended(b"<svg/>tail", content_type) == b"<svg/>tail"


def test_a_damaged_file_is_no_accident_and_never_grows() -> None:
    chance = random.Random(3)
    for _ in range(500):
        name = chance.choice(list(FILES))
        body = bytearray(FILES[name])
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(body))
            body[at : at + chance.randint(0, 6)] = chance.randbytes(chance.randint(0, 6))
        cut = without_appended(bytes(body), type_of(name))
        assert bytes(body).startswith(cut)
        assert read_marks(cut, type_of(name))
