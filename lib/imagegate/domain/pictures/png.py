"""PNG: chunks (PNG specification, third edition, §5). A signature and an XMP packet are chunks of their own."""

import zlib
from collections.abc import Iterator

from imagegate.domain.pictures.container import DamagedPicture, Metadata
from imagegate.domain.pictures.exif import orientation_of, orientation_only

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_XMP = b"XML:com.adobe.xmp\x00"
_MOST_CHUNKS = 100_000
_LARGEST_XMP = 1024 * 1024
"""Bytes of an XMP packet after decompression."""
_OF_THE_PIXELS = frozenset(
    {
        b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"bKGD", b"hIST", b"pHYs",
        b"sPLT", b"acTL", b"fcTL", b"fdAT",
    }
)  # fmt: skip
"""Chunks that may be left out, but change what is seen."""
Chunk = tuple[bytes, bytes, bytes]
"""Its type, its data, and all of it with length and checksum."""


def read_metadata(body: bytes) -> Metadata:
    """The marks of origin in the file."""
    xmp, signed = None, False
    for kind, data, _ in _chunks(body):
        signed = signed or kind == b"caBX"
        if _is_xmp(kind, data) and xmp is None:
            xmp = _packet(data)
    return Metadata(xmp, signed)


def with_xmp(body: bytes, packet: bytes) -> bytes:
    """The file with `packet` in place of its XMP packet, before the pixels."""
    found = [(kind, whole) for kind, data, whole in _chunks(body) if not _is_xmp(kind, data)]
    header, rest = found[0][1], [whole for _, whole in found[1:]]
    # No compression, no language, no translated keyword (§11.3.3.4).
    itxt = _chunk(b"iTXt", _XMP + b"\x00\x00\x00\x00" + packet)
    return b"".join((SIGNATURE, header, itxt, *rest, body[end_of(body) :]))


def end_of(body: bytes) -> int:
    """Where the picture ends. Raises DamagedPicture."""
    return len(SIGNATURE) + sum(len(whole) for _, _, whole in _chunks(body))


def count_frames(body: bytes) -> int:
    """The frames of an animation; 0 for any other picture. Raises DamagedPicture."""
    return sum(kind == b"fcTL" for kind, _, _ in _chunks(body))


def without_private_data(body: bytes) -> bytes:
    """The file without anything but its pixels, their colours and their orientation."""
    kept, orientation = list[bytes](), 1
    for kind, data, whole in _chunks(body):
        if kind[:1].isupper() or kind in _OF_THE_PIXELS:
            kept.append(whole)
        elif kind == b"eXIf":
            orientation = orientation_of(data)
    if orientation > 1:
        kept.insert(1, _chunk(b"eXIf", orientation_only(orientation)))
    return b"".join((SIGNATURE, *kept))


def _chunks(body: bytes) -> Iterator[Chunk]:
    """The chunks up to IEND."""
    at = len(SIGNATURE)
    for _ in range(_MOST_CHUNKS):
        length, kind = int.from_bytes(body[at : at + 4]), body[at + 4 : at + 8]
        whole = body[at : at + 12 + length]
        if len(whole) != 12 + length or not kind.isalpha() or (at == len(SIGNATURE) and kind != b"IHDR"):
            break
        yield kind, whole[8:-4], whole
        if kind == b"IEND":
            return
        at += len(whole)
    raise DamagedPicture("PNG chunks")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return b"".join((len(data).to_bytes(4), kind, data, zlib.crc32(kind + data).to_bytes(4)))


def _is_xmp(kind: bytes, data: bytes) -> bool:
    return kind == b"iTXt" and data.startswith(_XMP)


def _packet(data: bytes) -> bytes:
    """The packet of an iTXt chunk; empty when it cannot be read."""
    flags, text = data[len(_XMP) : len(_XMP) + 2], data[len(_XMP) + 2 :].split(b"\x00", 2)[-1]
    if flags[:1] != b"\x01":
        return text
    inflater = zlib.decompressobj()
    try:
        packet = inflater.decompress(text, _LARGEST_XMP)
    except zlib.error:
        return b""
    return packet if inflater.eof else b""
