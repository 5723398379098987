"""AVIF: boxes (ISO/IEC 14496-12). Its marks are read; writing into it would move what its tables of places point to."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from imagegate.domain.pictures.container import DamagedPicture, Metadata

_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_PACKET = re.compile(rb"<(\w+:)?xmpmeta\b.*?</(\w+:)?xmpmeta\s*>", re.DOTALL)
_MOST_BOXES = 10_000


class Box(NamedTuple):
    """A box, by where its content begins and where it ends."""

    kind: bytes
    content: int
    end: int


def read_metadata(body: bytes) -> Metadata:
    """The marks of origin in the file. Raises DamagedPicture."""
    boxes, signed = list(_boxes(body)), False
    if not boxes or boxes[-1].end != len(body):
        raise DamagedPicture("AVIF boxes")
    for box in boxes:
        signed = signed or (box.kind == b"uuid" and body[box.content : box.content + 16] == _C2PA)
    packet = _PACKET.search(body)
    return Metadata(packet[0] if packet else None, signed)


def end_of(body: bytes) -> int:
    """Where the picture ends: with its last box that is whole. Raises DamagedPicture for one without its pixels."""
    boxes = list(_boxes(body))
    if not any(box.kind == b"mdat" for box in boxes):
        raise DamagedPicture("AVIF boxes")
    return boxes[-1].end


def _boxes(body: bytes) -> Iterator[Box]:
    """The boxes up to the first thing that is none."""
    at = 0
    for _ in range(_MOST_BOXES):
        length, kind = int.from_bytes(body[at : at + 4]), body[at + 4 : at + 8]
        content = at + 8
        if length == 1:  # then it follows in 8 bytes
            length, content = int.from_bytes(body[at + 8 : at + 16]), at + 16
        length = length or len(body) - at  # 0: to the end of the file
        if len(kind) < 4 or at + length < content or at + length > len(body):
            return
        yield Box(kind, content, at + length)
        at += length
