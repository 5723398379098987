"""AVIF: boxes (ISO/IEC 14496-12). Its marks are read; writing into it would move what its tables of places point to."""

import re

from imagegate.domain.pictures.container import DamagedPicture, Metadata

_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_PACKET = re.compile(rb"<(\w+:)?xmpmeta\b.*?</(\w+:)?xmpmeta\s*>", re.DOTALL)
_MOST_BOXES = 10_000


def read_metadata(body: bytes) -> Metadata:
    """The marks of origin in the file. Raises DamagedPicture."""
    at, signed = 0, False
    for _ in range(_MOST_BOXES):
        if at >= len(body):
            packet = _PACKET.search(body)
            return Metadata(packet[0] if packet else None, signed)
        length, kind = int.from_bytes(body[at : at + 4]), body[at + 4 : at + 8]
        begin = 8
        if length == 1:  # then it follows in 8 bytes
            length, begin = int.from_bytes(body[at + 8 : at + 16]), 16
        length = length or len(body) - at  # 0: to the end of the file
        if length < begin or at + length > len(body):
            break
        signed = signed or (kind == b"uuid" and body[at + begin : at + begin + 16] == _C2PA)
        at += length
    raise DamagedPicture("AVIF boxes")
