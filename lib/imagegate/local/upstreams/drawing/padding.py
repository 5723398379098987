"""Makes a picture's file larger without touching a pixel, for upstreams that answer with megabytes.

Each format has a place for data that readers skip: PNG ancillary chunks, JPEG comments, RIFF chunks after a WebP's
image. The filling is noise, so that no compression on the way makes it small again.
"""

import random
import struct
import zlib
from collections.abc import Callable

from imagegate.local.upstreams.drawing.drawing import Format

JPEG_COMMENT = 65533
"""Bytes of text one JPEG comment segment can hold (its 16-bit length counts itself)."""


def pad(file: bytes, format: Format, at_least: int) -> bytes:  # noqa: A002 - Pillow's own word for it
    """The same picture in at least that many bytes; returned as it is when it is large enough already."""
    missing = at_least - len(file)
    return file if missing <= 0 else PADDERS[format](file, noise(missing))


def noise(size: int) -> bytes:
    """Incompressible bytes, the same ones every time."""
    return random.Random(size).randbytes(size)  # noqa: S311 - filling, not a secret


def pad_png(file: bytes, filling: bytes) -> bytes:
    """Puts an ancillary, private, safe-to-copy chunk before the IEND chunk, which takes the last 12 bytes."""
    body = b"igPd" + filling
    chunk = struct.pack(">I", len(filling)) + body + struct.pack(">I", zlib.crc32(body))
    return file[:-12] + chunk + file[-12:]


def pad_jpeg(file: bytes, filling: bytes) -> bytes:
    """Puts comment segments right after the start-of-image marker."""
    pieces = (filling[at : at + JPEG_COMMENT] for at in range(0, len(filling), JPEG_COMMENT))
    comments = b"".join(b"\xff\xfe" + struct.pack(">H", len(piece) + 2) + piece for piece in pieces)
    return file[:2] + comments + file[2:]


def pad_webp(file: bytes, filling: bytes) -> bytes:
    """Appends an unknown chunk and corrects the RIFF size; chunks have even lengths."""
    filling += b"\0" * (len(filling) % 2)
    body = file[8:] + b"igPd" + struct.pack("<I", len(filling)) + filling
    return b"RIFF" + struct.pack("<I", len(body)) + body


PADDERS: dict[Format, Callable[[bytes, bytes], bytes]] = {"png": pad_png, "jpeg": pad_jpeg, "webp": pad_webp}
