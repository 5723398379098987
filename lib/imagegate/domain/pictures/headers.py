"""What the first bytes of a picture say; nothing is decoded."""

import re

LARGEST_PIXELS = 16 * 1024 * 1024
"""4096 x 4096, of a picture that is taken in or brought home: reading WebP takes 16 bytes a pixel, other formats 8, and
a function has 512 MB, of which the program takes 70."""
MOST_FRAMES = 1000
"""Of an animation."""
_MAGIC = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))
_NO_FRAME = frozenset({0xC4, 0xC8, 0xCC})
"""JPEG markers from C0 to CF that do not begin a frame."""
_MOST_SEGMENTS = 1000
"""Of a JPEG before its frame; a profile takes 255 at most."""
_ALONE = frozenset({0x01, *range(0xD0, 0xDA)})
"""JPEG markers without a length."""


GIF, SVG, AVIF = "image/gif", "image/svg+xml", "image/avif"
_XML_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml|!--|!DOCTYPE svg|(?:\w+:)?svg[\s>])", re.IGNORECASE)
_SVG_ROOT = re.compile(rb"<(?:\w+:)?svg[\s>/]")
_ROOT_WITHIN = 64 * 1024
"""Bytes from the beginning in which the root of an SVG is looked for."""


def made_type_of(body: bytes) -> str | None:
    """The content type of a picture as upstreams make them, by its first bytes; `None` for anything else."""
    if body[:6] in (b"GIF87a", b"GIF89a"):
        return GIF
    if body[4:8] == b"ftyp" and {b"avif", b"avis"} & {body[8:12], *(body[at : at + 4] for at in range(16, 40, 4))}:
        return AVIF
    if _XML_START.match(body) and _SVG_ROOT.search(body, 0, _ROOT_WITHIN):
        return SVG
    return content_type_of(body)


def content_type_of(body: bytes) -> str | None:
    """The content type of a PNG, JPEG or WebP picture by its first bytes; `None` for anything else."""
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    return next((content_type for magic, content_type in _MAGIC if body.startswith(magic)), None)


def size_of(body: bytes) -> tuple[int, int]:
    """Width and height in pixels of a PNG, JPEG or WebP picture as its header has them; zeros when it has none."""
    return _SIZES.get(content_type_of(body) or "", _none)(body)


def pixels_of(body: bytes) -> int:
    """Width times height of a PNG, JPEG or WebP picture as its header has it; 0 when it has none."""
    width, height = size_of(body)
    return width * height


def _none(body: bytes) -> tuple[int, int]:
    return 0, 0


def _png(body: bytes) -> tuple[int, int]:
    if body[12:16] != b"IHDR":
        return 0, 0
    return int.from_bytes(body[16:20]), int.from_bytes(body[20:24])


def _jpeg(body: bytes) -> tuple[int, int]:
    at = 2
    for _ in range(_MOST_SEGMENTS):
        if at + 9 > len(body) or body[at] != 0xFF:
            break
        marker = body[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            return int.from_bytes(body[at + 7 : at + 9]), int.from_bytes(body[at + 5 : at + 7])
        # 0xFF before a marker only fills.
        at += 1 if marker == 0xFF else 2 if marker in _ALONE else 2 + int.from_bytes(body[at + 2 : at + 4])
    return 0, 0


def _webp(body: bytes) -> tuple[int, int]:
    kind = body[12:16]
    if len(body) < 30:
        return 0, 0
    if kind == b"VP8X":
        return int.from_bytes(body[24:27], "little") + 1, int.from_bytes(body[27:30], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(body[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    sides = int.from_bytes(body[26:28], "little"), int.from_bytes(body[28:30], "little")
    return (sides[0] & 0x3FFF, sides[1] & 0x3FFF) if kind == b"VP8 " else (0, 0)


_SIZES = {"image/png": _png, "image/jpeg": _jpeg, "image/webp": _webp}
