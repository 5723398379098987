"""WebP: chunks of a RIFF file (RFC 9649 §2). Metadata needs the extended format."""

from collections.abc import Iterator

from imagegate.domain.pictures.container import DamagedPicture, Metadata
from imagegate.domain.pictures.exif import orientation_of, orientation_only
from imagegate.domain.pictures.headers import size_of

_XMP, _EXIF, _EXTENDED, _LOSSLESS = b"XMP ", b"EXIF", b"VP8X", b"VP8L"
_HAS_XMP, _HAS_EXIF, _HAS_ALPHA = 0x04, 0x08, 0x10
_OF_THE_PIXELS = frozenset({_EXTENDED, b"ICCP", b"ANIM", b"ANMF", b"ALPH", b"VP8 ", _LOSSLESS})
_MOST_CHUNKS = 100_000
Chunk = tuple[bytes, bytes]


def read_metadata(body: bytes) -> Metadata:
    """The marks of origin in the file."""
    chunks = list(_chunks(body))
    xmp = next((data for kind, data in chunks if kind == _XMP), None)
    return Metadata(xmp, any(kind == b"C2PA" for kind, _ in chunks))


def with_xmp(body: bytes, packet: bytes) -> bytes:
    """The file with `packet` in place of its XMP packet, in the extended format."""
    chunks = [(kind, data) for kind, data in _extended(body) if kind != _XMP]
    return _riff([*_flagged(chunks, set_=_HAS_XMP), (_XMP, packet)])


def end_of(body: bytes) -> int:
    """Where the picture ends."""
    return _padded(8 + int.from_bytes(body[4:8], "little"))


def count_frames(body: bytes) -> int:
    """The frames of an animation; 0 for any other picture. Raises DamagedPicture."""
    return sum(kind == b"ANMF" for kind, _ in _chunks(body))


def without_private_data(body: bytes) -> bytes:
    """The file without anything but its pixels, their colours and their orientation."""
    chunks = list(_chunks(body))
    exif = next((data for kind, data in chunks if kind == _EXIF), b"")
    kept = [(kind, data) for kind, data in chunks if kind in _OF_THE_PIXELS]
    orientation = orientation_of(exif)
    if kept[:1] and kept[0][0] == _EXTENDED:
        kept = _flagged(kept, clear=_HAS_XMP | _HAS_EXIF)
        if orientation > 1:
            kept = [*_flagged(kept, set_=_HAS_EXIF), (_EXIF, orientation_only(orientation))]
    return _riff(kept)


def _chunks(body: bytes) -> Iterator[Chunk]:
    at, end = 12, 8 + int.from_bytes(body[4:8], "little")
    for _ in range(_MOST_CHUNKS):
        if at >= end:
            return
        length = int.from_bytes(body[at + 4 : at + 8], "little")
        data = body[at + 8 : at + 8 + length]
        if len(data) != length or at + 8 > len(body):
            break
        yield body[at : at + 4], data
        at += 8 + _padded(length)
    raise DamagedPicture("WebP chunks")


def _padded(length: int) -> int:
    """The length of content with the byte that makes it even."""
    return length + length % 2


def _extended(body: bytes) -> list[Chunk]:
    """The chunks, with VP8X first."""
    chunks = list(_chunks(body))
    if not chunks:
        raise DamagedPicture("WebP without chunks")
    kind, data = chunks[0]
    if kind == _EXTENDED:
        return chunks
    width, height = size_of(body)
    if not width or not height:
        raise DamagedPicture("WebP header")
    has_alpha = kind == _LOSSLESS and data[4] & 0x10
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return [(_EXTENDED, bytes([_HAS_ALPHA if has_alpha else 0, 0, 0, 0]) + sides), *chunks]


def _flagged(chunks: list[Chunk], *, set_: int = 0, clear: int = 0) -> list[Chunk]:
    """The chunks with these flags of VP8X set and cleared."""
    (kind, data), *rest = chunks
    if len(data) != 10:
        raise DamagedPicture("WebP header")
    return [(kind, bytes([data[0] & ~clear | set_]) + data[1:]), *rest]


def _riff(chunks: list[Chunk]) -> bytes:
    parts = [
        part
        for kind, data in chunks
        for part in (kind, len(data).to_bytes(4, "little"), data, b"\x00" * (len(data) % 2))
    ]
    content = b"".join((b"WEBP", *parts))
    return b"".join((b"RIFF", len(content).to_bytes(4, "little"), content))
