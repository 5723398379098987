"""GIF: blocks (GIF89a). XMP and C2PA are application extensions."""

from collections.abc import Iterator
from dataclasses import dataclass

from imagegate.domain.pictures.container import DamagedPicture, Metadata

_EXTENSION, _IMAGE, _TRAILER, _APPLICATION = 0x21, 0x2C, 0x3B, 0xFF
_XMP = b"XMP DataXMP"
_C2PA = b"C2PA_GIF\x01\x00\x00"
_TAIL = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"
"""Behind an XMP packet: wherever a reader of sub-blocks lands in it, the next lengths lead to the zero at its end."""
_MOST_BLOCKS = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A picture, an extension or the trailer, from byte `begin` to `end`."""

    kind: int
    begin: int
    end: int
    application: bytes = b""
    """Of an application extension, which has no other kind of name."""


def read_metadata(body: bytes) -> Metadata:
    """The marks of origin in the file."""
    blocks = list(read_blocks(body))
    packet = next((body[block.begin + 14 : block.end] for block in blocks if block.application == _XMP), None)
    signed = any(block.application == _C2PA for block in blocks)
    return Metadata(packet.removesuffix(_TAIL) if packet is not None else None, signed)


def with_xmp(body: bytes, packet: bytes) -> bytes:
    """The file with `packet` in place of its XMP packet, before the trailer. GIF87a, which has none, becomes GIF89a."""
    blocks = list(read_blocks(body))
    trailer = blocks[-1]
    kept = [body[block.begin : block.end] for block in blocks[:-1] if block.application != _XMP]
    extension = b"".join((bytes([_EXTENSION, _APPLICATION, len(_XMP)]), _XMP, packet, _TAIL))
    return b"".join((b"GIF89a", body[6 : blocks[0].begin], *kept, extension, body[trailer.begin :]))


def end_of(body: bytes) -> int:
    """Where the picture ends. Raises DamagedPicture."""
    return list(read_blocks(body))[-1].end


def count_frames(body: bytes) -> int:
    """The number of its pictures."""
    return sum(block.kind == _IMAGE for block in read_blocks(body))


def read_blocks(body: bytes) -> Iterator[Block]:
    """The blocks up to the trailer. Raises DamagedPicture."""
    if len(body) < 13:
        raise DamagedPicture("GIF header")
    at = 13 + _table(body[10])
    for _ in range(_MOST_BLOCKS):
        begin, kind = at, body[at] if at < len(body) else None
        if kind == _TRAILER:
            yield Block(kind=kind, begin=begin, end=at + 1)
            return
        if kind == _IMAGE and at + 10 < len(body):
            at = _after_sub_blocks(body, at + 11 + _table(body[at + 9]))
            yield Block(kind=kind, begin=begin, end=at)
        elif kind == _EXTENSION and at + 2 < len(body):
            name = body[at + 3 : at + 14] if body[at + 1] == _APPLICATION and body[at + 2] == 11 else b""
            at = _after_xmp(body, at + 14) if name == _XMP else _after_sub_blocks(body, at + 2)
            yield Block(kind=kind, begin=begin, end=at, application=name)
        else:
            break
    raise DamagedPicture("GIF blocks")


def _table(flags: int) -> int:
    """Bytes of the colour table that the flags announce."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _after_sub_blocks(body: bytes, at: int) -> int:
    while at < len(body):
        if body[at] == 0:
            return at + 1
        at += 1 + body[at]
    raise DamagedPicture("GIF sub-blocks")


def _after_xmp(body: bytes, at: int) -> int:
    """The end of an XMP packet, which is not in sub-blocks; where its tail is not as it should be, as if it were."""
    tail = body.find(_TAIL, at)
    return tail + len(_TAIL) if tail >= 0 else _after_sub_blocks(body, at)
