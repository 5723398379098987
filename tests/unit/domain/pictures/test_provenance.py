"""Marks of origin in files: what is written, what stays, what is never touched."""

import io
import random
import zlib
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from imagegate.domain.pictures.container import Metadata
from imagegate.domain.pictures.headers import size_of
from imagegate.domain.pictures.inputs import fits_mask, without_private_data
from imagegate.domain.pictures.provenance import SIGNED, UNREADABLE, mark, read_marks
from imagegate.domain.pictures.xmp import EDITED_BY_MODEL, MADE_BY_MODEL, Origin
from support.containers import pixels_in, shown, xmp_in
from support.fakes import picture

ORIGIN = Origin(
    provider="black-forest-labs",
    model="flux-1-schnell",
    operation="06h29npv9af9j8gy94hk",
    made_at=1_795_914_391.4,
    generator="imagegate 0.1.0",
)
SAID = {
    "Iptc4xmpExt:DigitalSourceType": MADE_BY_MODEL,
    "Iptc4xmpExt:AISystemUsed": "flux-1-schnell (black-forest-labs)",
    "xmp:CreatorTool": "imagegate 0.1.0",
    "xmp:CreateDate": "2026-11-29T01:06:31Z",
    "imagegate:Provider": "black-forest-labs",
    "imagegate:Model": "flux-1-schnell",
    "imagegate:Operation": "06h29npv9af9j8gy94hk",
}
THEIRS = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="uuid:1" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="Their Studio">'
    b'<e:Note xmlns:e="urn:their#">kept</e:Note>%s</rdf:Description></rdf:RDF></x:xmpmeta>'
)
PLAIN = THEIRS % b""
SOURCE = (
    b'<I:DigitalSourceType xmlns:I="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
    b"http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia</I:DigitalSourceType>"
)


def gradient(mode: str = "RGB") -> Image.Image:
    image = Image.linear_gradient("L").resize((65, 49)).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").rotate(90).resize((65, 49)))
    return image


def encoded(output_format: str, mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    gradient(mode).save(out, output_format, **options)
    return out.getvalue()


def animated(output_format: str) -> bytes:
    return encoded(output_format, save_all=True, append_images=[gradient().rotate(90), gradient().rotate(180)])


SVG = (
    b'<?xml version="1.0"?>\n'
    b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><!-- > --><path d="M0 0"/></svg>'
)
FILES = {
    "png": encoded("PNG"),
    "png-palette": encoded("PNG", "P"),
    "png-alpha": encoded("PNG", "RGBA"),
    "apng": animated("PNG"),
    "jpeg": encoded("JPEG"),
    "jpeg-progressive": encoded("JPEG", progressive=True),
    "jpeg-grey": encoded("JPEG", "L"),
    "webp": encoded("WEBP"),
    "webp-lossless": encoded("WEBP", lossless=True),
    "webp-alpha": encoded("WEBP", "RGBA"),
    "webp-lossless-alpha": encoded("WEBP", "RGBA", lossless=True),
    "webp-animated": animated("WEBP"),
    "gif": encoded("GIF"),
    "gif-animated": animated("GIF"),
}


def type_of(name: str) -> str:
    kind = name.partition("-")[0].removeprefix("a")
    return f"image/{kind}"


@pytest.mark.parametrize("name", FILES)
def test_every_format_says_where_it_comes_from_with_the_same_pixels(name: str) -> None:
    body = FILES[name]
    marked, record = mark(body, type_of(name), ORIGIN)
    assert xmp_in(marked) == SAID
    assert shown(marked) == shown(body)
    assert (record.upstream, record.added, record.note) == ((), ("xmp",), None)
    assert record.digital_source_type == MADE_BY_MODEL
    if "gif" not in name:
        assert pixels_in(marked) == pixels_in(body)
    with Image.open(io.BytesIO(marked)) as image:
        assert "xmp" in image.info or type_of(name) == "image/gif"
        assert image.info.get("loop") == Image.open(io.BytesIO(body)).info.get("loop")


@pytest.mark.parametrize("name", FILES)
def test_marking_is_the_same_every_time_and_happens_once(name: str) -> None:
    marked, _ = mark(FILES[name], type_of(name), ORIGIN)
    assert mark(FILES[name], type_of(name), ORIGIN)[0] == marked
    again, record = mark(marked, type_of(name), replace(ORIGIN, operation="another"))
    assert (again, record.upstream, record.kept) == (marked, ("xmp",), ("xmp",))


@pytest.mark.parametrize(
    "body", [SVG, SVG.replace(b"<path", b"<metadata/><path"), SVG.replace(b'9"><', b"9\"\n id='>' ><")]
)
def test_svg_says_it_in_its_metadata(body: bytes) -> None:
    marked, record = mark(body, "image/svg+xml", ORIGIN)
    assert xmp_in(marked) == SAID
    assert record.added == ("xmp",)
    assert body.partition(b"<!--")[2] in marked
    assert mark(marked, "image/svg+xml", ORIGIN)[0] == marked


def with_xmp(name: str, packet: bytes, *, compressed: bool = False) -> bytes:
    """Written by Pillow."""
    if name == "png":
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", packet.decode(), zip=compressed)
        return encoded("PNG", pnginfo=info)
    return encoded(name.upper(), xmp=packet)


@pytest.mark.parametrize("name", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("compressed", [False, True])
def test_an_upstreams_own_metadata_stays_and_is_completed(name: str, compressed: bool) -> None:
    body = with_xmp(name, PLAIN, compressed=compressed)
    marked, record = mark(body, f"image/{name}", ORIGIN)
    assert xmp_in(marked) == SAID | {"xmp:CreatorTool": "Their Studio"}
    assert b'<e:Note xmlns:e="urn:their#">kept</e:Note>' in marked
    assert marked.count(b'about="uuid:1"') == 2, "one resource is described"
    assert (record.upstream, record.kept, record.added) == (("xmp",), ("xmp",), ("xmp",))
    assert pixels_in(marked) == pixels_in(body)


@pytest.mark.parametrize("name", ["png", "jpeg", "webp"])
def test_what_an_upstream_says_of_the_source_is_not_contradicted(name: str) -> None:
    marked, record = mark(with_xmp(name, THEIRS % SOURCE), f"image/{name}", ORIGIN)
    assert record.digital_source_type == xmp_in(marked)["Iptc4xmpExt:DigitalSourceType"]
    assert record.digital_source_type.endswith("/algorithmicMedia")


@pytest.mark.parametrize(
    "packet", [b"nonsense", PLAIN[:-9], b"<!DOCTYPE a>" + PLAIN, b"<rdf:RDF></rdf:RDF>", b"\xff" + PLAIN, b"<a/>"]
)
def test_metadata_that_cannot_be_read_is_left_alone(packet: bytes) -> None:
    body = encoded("JPEG", xmp=packet)
    assert (mark(body, "image/jpeg", ORIGIN)[0], mark(body, "image/jpeg", ORIGIN)[1].note) == (body, UNREADABLE)


@pytest.mark.parametrize("nested", [b"<rdf:RDF>%s</rdf:RDF>", b"<rdf:Description>%s</rdf:Description>"])
def test_metadata_of_an_unusual_structure_is_no_accident(nested: bytes) -> None:
    packet = THEIRS % (nested % (b"<e:x xmlns:e='urn:e'>a<e:y>text</e:y></e:x>" * 3))
    assert xmp_in(mark(encoded("JPEG", xmp=packet), "image/jpeg", ORIGIN)[0])["imagegate:Provider"]


def test_large_metadata_is_not_read() -> None:
    body = encoded("WEBP", xmp=THEIRS % (b"<e:x xmlns:e='urn:e'>" + b"line\n" * 60_000 + b"</e:x>"))
    assert mark(body, "image/webp", ORIGIN)[1].note == UNREADABLE


def test_no_more_is_written_into_a_jpeg_than_it_has_room_for() -> None:
    body = encoded("JPEG", xmp=THEIRS % (b"<!--" + b"x" * 64_700 + b"-->"))
    assert mark(body, "image/jpeg", ORIGIN)[0] == body
    longest = replace(ORIGIN, prompt="\U0001f98a&" * 20_000)
    assert xmp_in(mark(encoded("JPEG"), "image/jpeg", longest)[0])["Iptc4xmpExt:AIPromptInformation"]


@pytest.mark.parametrize("text", ["a \"b\" <c> & 'd'", "]]>\x00\x0b", "</rdf:RDF>", "Ж\U0001f98a"])
def test_words_of_upstreams_and_callers_are_only_words(text: str) -> None:
    marked, _ = mark(FILES["png"], "image/png", replace(ORIGIN, model=text, prompt=text))
    read = xmp_in(marked)
    assert read["imagegate:Model"] == read["Iptc4xmpExt:AIPromptInformation"] == text.replace("\x00\x0b", "")


def test_a_picture_that_was_filled_in_is_a_composite() -> None:
    marked, record = mark(FILES["jpeg"], "image/jpeg", replace(ORIGIN, edited=True))
    assert xmp_in(marked)["Iptc4xmpExt:DigitalSourceType"] == record.digital_source_type == EDITED_BY_MODEL


BOX = (
    b"JP\x00\x01\x00\x00\x00\x01\x00\x00\x00\x50jumb"
    b"\x00\x00\x00\x21jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x008\x9bq\x03c2pa\x00"
)


def signed(name: str) -> bytes:
    """A file with an empty C2PA manifest, where C2PA 2.2 §A.3 puts it."""
    body = FILES[name]
    if name == "png":
        return body[:33] + len(BOX).to_bytes(4) + b"caBX" + BOX + zlib.crc32(b"caBX" + BOX).to_bytes(4) + body[33:]
    if name == "jpeg":
        return body[:2] + b"\xff\xeb" + (len(BOX) + 2).to_bytes(2) + BOX + body[2:]
    if name == "webp":
        chunks = body[12:] + b"C2PA" + len(BOX).to_bytes(4, "little") + BOX + b"\x00" * (len(BOX) % 2)
        return b"RIFF" + (len(chunks) + 4).to_bytes(4, "little") + b"WEBP" + chunks
    extension = b"\x21\xff\x0bC2PA_GIF\x01\x00\x00" + bytes([len(BOX)]) + BOX + b"\x00"
    return body[:-1] + extension + body[-1:]


@pytest.mark.parametrize("name", ["png", "jpeg", "webp", "gif"])
def test_a_signed_picture_is_not_touched(name: str) -> None:
    body = signed(name)
    same, record = mark(body, f"image/{name}", ORIGIN)
    assert same == body
    assert (record.upstream, record.kept, record.added, record.note) == (("c2pa",), ("c2pa",), (), SIGNED)


def test_a_signed_svg_is_not_touched() -> None:
    manifest = b'<metadata><c2pa:manifest xmlns:c2pa="http://c2pa.org/manifest">AAAA</c2pa:manifest></metadata><path'
    body = SVG.replace(b"<path", manifest)
    assert mark(body, "image/svg+xml", ORIGIN)[0] == body


@pytest.mark.parametrize("name", ["png", "jpeg", "webp"])
def test_a_converted_picture_carries_what_can_be_carried(name: str) -> None:
    made = Metadata(PLAIN, signed=True)
    marked, record = mark(FILES[name], f"image/{name}", ORIGIN, made)
    assert xmp_in(marked) == SAID | {"xmp:CreatorTool": "Their Studio"}
    assert (record.upstream, record.kept, record.added) == (("c2pa", "xmp"), ("xmp",), ("xmp",))
    assert "conversion" in (record.note or "")


def test_a_converted_picture_is_marked_even_where_its_original_could_not_be_read() -> None:
    marked, record = mark(FILES["png"], "image/png", ORIGIN, Metadata(b""))
    assert xmp_in(marked) == SAID
    assert record.added == ("xmp",)


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "image/webp", "image/gif", "image/svg+xml", "image/avif"])
def test_damaged_files_are_no_accident(kind: str) -> None:
    chance = random.Random(9)
    whole = [SVG, *(signed(name) for name in ("png", "jpeg", "webp", "gif")), *FILES.values()]
    for _ in range(600):
        body = bytearray(chance.choice(whole)[: chance.randrange(900)])
        for _ in range(chance.randint(0, 6)):
            at = chance.randrange(len(body) + 1)
            body[at : at + chance.randint(0, 9)] = chance.randbytes(chance.randint(0, 9))
        marked, record = mark(bytes(body), kind, ORIGIN)
        assert (marked == body) == (record.added == ())
        assert read_marks(bytes(body), kind)


PRIVATE = {0x010F: "Secret Camera", 0xA431: "SERIAL-123", 0x013B: "A. Person"}


def photo(output_format: str, orientation: int = 1) -> bytes:
    """A picture with GPS data, a serial number, a comment, XMP, a profile, and a file behind its end."""
    exif = Image.Exif()
    exif.update(PRIVATE)
    exif[0x0112] = orientation
    exif.get_ifd(0x8825)[29] = "2026:11:29 SECRET"
    options: dict[str, Any] = {"exif": exif, "icc_profile": b"profile" * 30}
    if output_format == "PNG":
        info = PngInfo()
        info.add_text("Comment", "SECRET text")
        info.add_itxt("XML:com.adobe.xmp", "SECRET packet")
        options["pnginfo"] = info
    else:
        options["xmp"] = b"SECRET packet"
    if output_format == "JPEG":
        options["comment"] = b"SECRET comment"
    return encoded(output_format, **options) + b"SECRET trailer"


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("output_format", ["PNG", "JPEG", "WEBP"])
def test_pictures_to_work_from_lose_their_private_data_and_no_pixel(output_format: str, orientation: int) -> None:
    body = photo(output_format, orientation)
    bare = without_private_data(body, f"image/{output_format.lower()}")
    for word in (b"SECRET", b"SERIAL", b"Secret", b"Person"):
        assert word in body.replace(b"P\x00e\x00", b"Pe")
        assert word not in bare
    assert shown(bare) == shown(body)
    with Image.open(io.BytesIO(bare)) as image:
        assert image.info["icc_profile"] == b"profile" * 30
        assert dict(image.getexif()) == ({0x0112: 6} if orientation == 6 else {})
    assert without_private_data(bare, f"image/{output_format.lower()}") == bare


@pytest.mark.parametrize(("orientation", "fits"), [(1, False), (3, False), (6, True)])
@pytest.mark.parametrize("output_format", ["PNG", "JPEG", "WEBP"])
def test_a_mask_has_the_size_of_its_picture_also_as_that_is_shown(
    output_format: str, orientation: int, fits: bool
) -> None:
    bare = without_private_data(photo(output_format, orientation), f"image/{output_format.lower()}")
    width, height = size_of(bare)
    masks = [picture(width=width, height=height), picture(width=height, height=width), picture(width=width + 1)]
    assert width != height
    assert [fits_mask(bare, mask) for mask in masks] == [True, fits, False]


@pytest.mark.parametrize("name", [name for name in FILES if "gif" not in name])
def test_pictures_without_private_data_show_the_same(name: str) -> None:
    assert shown(without_private_data(FILES[name], type_of(name))) == shown(FILES[name])


def test_what_follows_a_progressive_jpeg_is_removed() -> None:
    """Its further tables stand between the scans, behind the first one."""
    body = FILES["jpeg-progressive"]
    assert without_private_data(body + FILES["jpeg"], "image/jpeg") == without_private_data(body, "image/jpeg")
    assert pixels_in(without_private_data(body + b"x", "image/jpeg")) == pixels_in(body)
