"""Each format, untouched, converted and made twice, signed by its upstream and not, as other programs read it."""

import io
import itertools
import socket
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from imagegate.adapters.c2pa_pictures import C2paPictures
from imagegate.domain.operation.outcome import Ready
from imagegate.domain.operation.picture import Picture
from imagegate.domain.pictures.provenance import SIGNED
from imagegate.domain.pictures.xmp import MADE_BY_MODEL
from imagegate.local.signing_chain import ORGANIZATION, make_chain
from imagegate.local.upstreams.drawing.signing import ORGANIZATION as UPSTREAM
from imagegate.local.upstreams.drawing.signing import sign
from imagegate.workflow.sign_picture import INGREDIENT
from support.containers import pixels_in, shown
from support.readers import actions_of, active_manifest, exiftool, manifests_in
from support.signing import identity_of
from support.world import World

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="96" height="64"><path d="M0 0h96v64z"/></svg>'
TYPES = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "avif": "image/avif",
    "svg": "image/svg+xml",
}
WITH_XMP = {"png", "jpeg", "webp", "gif", "svg"}
JUMBF_READ = {"png", "jpeg"}
"""Formats in which Debian's ExifTool finds manifests too."""
COMPRESSED_ALIKE = {"png", "jpeg", "webp"}
"""Formats whose compressed pixels are compared as well, bit for bit."""
CONVERTED = {"png": "webp", "jpeg": "png", "webp": "jpeg", "gif": "png", "avif": "jpeg"}
CASES = [
    *itertools.product(TYPES, ["untouched"], [False, True]),
    *itertools.product(CONVERTED, ["converted"], [False, True]),
    *itertools.product(TYPES, ["twice"], [False, True]),
]


@cache
def made(kind: str) -> bytes:
    """A picture as an upstream makes it."""
    if kind == "svg":
        return SVG
    out = io.BytesIO()
    Image.effect_noise((96, 64), 60).convert("RGB").save(out, kind.upper())
    return out.getvalue()


class Studio:
    """A deployment that signs, on fakes but for the signature."""

    def __init__(self) -> None:
        self.world = World()
        self.world.deployment.__dict__["_signer"] = C2paPictures(identity_of(make_chain()))

    def picture(self, body: bytes, output_format: str | None = None) -> tuple[bytes, Picture]:
        """What becomes of an upstream's file."""
        self.world.alpha.checks = [Ready(bodies=(body,))]
        ended = self.world.drive(self.world.begun(output_format=output_format))
        [picture] = ended.pictures
        stored: bytes = self.world.images.objects[picture.key]
        return stored, picture


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio()


@pytest.fixture(scope="module")
def outcome(studio: Studio) -> Callable[[str, str, bool], tuple[bytes, bytes, Picture]]:
    """The upstream's file, the stored one and its record."""
    known = dict[tuple[str, str, bool], tuple[bytes, bytes, Picture]]()

    def run(kind: str, way: str, signed: bool) -> tuple[bytes, bytes, Picture]:
        if (kind, way, signed) not in known:
            body = sign(made(kind), TYPES[kind]) if signed else made(kind)
            if way == "twice":  # its upstream is a deployment like this one
                body, _ = studio.picture(body)
            known[kind, way, signed] = (body, *studio.picture(body, CONVERTED[kind] if way == "converted" else None))
        return known[kind, way, signed]

    return run


@pytest.mark.parametrize(("kind", "way", "signed"), CASES)
def test_the_manifest_is_as_it_should_be(outcome: Any, kind: str, way: str, signed: bool) -> None:
    body, stored, picture = outcome(kind, way, signed)
    store = manifests_in(stored, picture.content_type)
    manifest, record = active_manifest(store), picture.provenance
    assert store["validation_state"] == "Valid"
    assert [entry["code"] for entry in store["validation_status"]] == ["signingCredential.untrusted"]
    assert (record.validation, record.signer) == ("valid", manifest["signature_info"]["issuer"])
    if way == "twice" or (way == "untouched" and signed):
        assert stored == body, "a signed file keeps every byte"
        assert record.note == SIGNED
        assert (record.kept, record.added) == (record.upstream, ())
    elif way == "untouched":
        assert actions_of(manifest) == ["c2pa.created"]
        assert record.added[-1] == "c2pa"
        assert record.note is None
    else:
        assert actions_of(manifest) == ["c2pa.opened" if signed else "c2pa.created", "c2pa.converted"]
        assert picture.converted_from == TYPES[kind]
        assert ("c2pa" in record.kept) is signed
        assert (record.note == INGREDIENT) is signed
    expected = UPSTREAM if signed and way != "converted" else ORGANIZATION
    assert manifest["signature_info"]["issuer"] == expected


@pytest.mark.parametrize("kind", CONVERTED)
def test_a_converted_picture_has_the_original_as_its_parent(outcome: Any, kind: str) -> None:
    body, stored, picture = outcome(kind, "converted", True)
    store = manifests_in(stored, picture.content_type)
    [ingredient] = active_manifest(store)["ingredients"]
    assert ingredient["relationship"] == "parentOf"
    theirs = store["manifests"][ingredient["active_manifest"]]
    assert theirs["signature_info"]["issuer"] == UPSTREAM
    assert theirs["label"] == manifests_in(body, TYPES[kind])["active_manifest"]


@pytest.mark.parametrize(("kind", "way", "signed"), [case for case in CASES if case[1] != "converted"])
def test_pixels_of_an_untouched_picture_are_the_same(outcome: Any, kind: str, way: str, signed: bool) -> None:
    _, stored, _ = outcome(kind, way, signed)
    if kind == "svg":
        assert b'<path d="M0 0h96v64z"/>' in stored
        return
    assert shown(stored) == shown(made(kind))
    if kind in COMPRESSED_ALIKE:
        assert pixels_in(stored) == pixels_in(made(kind))


def told(outcome: Any, folder: Path) -> Iterator[tuple[tuple[str, str, bool], Picture, dict[str, Any]]]:
    """What ExifTool reads in the file of every case."""
    files = {}
    for case in CASES:
        _, stored, picture = outcome(*case)
        path = folder / f"{'-'.join(map(str, case))}.{picture.content_type.partition('/')[2].partition('+')[0]}"
        path.write_bytes(stored)
        files[str(path)] = case, picture
    for entry in exiftool(*map(Path, files)):
        yield (*files[entry["SourceFile"]], entry)


def test_exiftool_reads_the_same(outcome: Any, tmp_path: Path) -> None:
    read = 0
    for (kind, way, signed), picture, entry in told(outcome, tmp_path):
        case = f"{kind} {way} {signed}"
        name = picture.content_type.partition("/")[2].partition("+")[0]
        read += 1
        assert "ExifTool:Warning" not in entry, case
        if name in JUMBF_READ:
            assert "c2pa" in str([value for key, value in entry.items() if key.startswith("JUMBF:")]), case
        if "xmp" in picture.provenance.added or (way == "twice" and not signed and kind in WITH_XMP):
            assert entry["XMP-iptcExt:DigitalSourceType"] == MADE_BY_MODEL, case
            assert entry["XMP-imagegate:Provider"] == "alpha", case
            assert entry["XMP-imagegate:Operation"], case
        else:
            assert not [key for key in entry if key.startswith("XMP-imagegate")], case
    assert read == len(CASES)


def test_nothing_is_fetched_for_a_manifest() -> None:
    """A picture may say that its manifest is elsewhere, at an address of its maker's choice."""
    import c2pa

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/manifest"
        out, signer = io.BytesIO(), C2paPictures(identity_of(make_chain()))
        with c2pa.Builder({"claim_generator_info": [{"name": "x"}]}, context=signer._signing) as builder:
            builder.set_no_embed()
            builder.set_remote_url(address)
            builder.sign("image/jpeg", io.BytesIO(made("jpeg")), out)
        assert address.encode() in out.getvalue()
        assert signer.check(out.getvalue(), "image/jpeg").validation == "invalid"
        with pytest.raises(BlockingIOError):
            listener.accept()
