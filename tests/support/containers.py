"""Picture files taken apart, independently of lib: with Pillow, ElementTree and a search."""

import io
import re
import struct
from xml.etree import ElementTree

from PIL import Image

PACKET = re.compile(rb"<x:xmpmeta.*?</x:xmpmeta>", re.DOTALL)
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
SHORT = {
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
    "urn:imagegate:provenance:1.0#": "imagegate",
    "http://purl.org/dc/elements/1.1/": "dc",
}


def xmp_in(body: bytes) -> dict[str, str]:
    """The simple properties of a file's one XMP packet, by prefixed names; empty when it has none."""
    found = PACKET.findall(body)
    if not found:
        return {}
    [packet] = found
    root = ElementTree.fromstring(packet)
    properties: dict[str, str] = {}
    for description in root.iter(f"{RDF}Description"):
        entries = [*description.attrib.items(), *((child.tag, child.text or "") for child in description)]
        for name, value in entries:
            namespace, _, local = name.removeprefix("{").partition("}")
            if namespace in SHORT:
                key = f"{SHORT[namespace]}:{local}"
                assert key not in properties, f"{key} stands twice"
                properties[key] = value
    return properties


def pixels_in(body: bytes) -> bytes:
    """The compressed pixels of a PNG, JPEG or WebP file, bit for bit."""
    if body.startswith(b"\x89PNG"):
        return b"".join(data for kind, data in _png_chunks(body) if kind in (b"IHDR", b"PLTE", b"tRNS", b"IDAT"))
    if body.startswith(b"\xff\xd8"):
        return body[body.index(b"\xff\xdb") :]
    return b"".join(data for kind, data in _riff_chunks(body) if kind in (b"VP8 ", b"VP8L", b"ALPH", b"ANMF"))


def shown(body: bytes) -> list[tuple[tuple[int, int], str, bytes]]:
    """What Pillow shows of each frame."""
    frames = []
    with Image.open(io.BytesIO(body)) as image:
        for frame in range(getattr(image, "n_frames", 1)):
            image.seek(frame)
            frames.append((image.size, image.mode, image.convert("RGBA").tobytes()))
    return frames


def _png_chunks(body: bytes) -> list[tuple[bytes, bytes]]:
    found, rest = [], body[8:]
    while rest:
        length, kind = struct.unpack(">I4s", rest[:8])
        found.append((kind, rest[8 : 8 + length]))
        rest = rest[12 + length :]
    return found


def _riff_chunks(body: bytes) -> list[tuple[bytes, bytes]]:
    found, rest = [], body[12:]
    while rest:
        kind, length = struct.unpack("<4sI", rest[:8])
        found.append((kind, rest[8 : 8 + length]))
        rest = rest[8 + length + length % 2 :]
    return found
