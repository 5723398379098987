"""JPEG: segments up to the pixels (ITU-T T.81 annex B). XMP is in APP1, a C2PA manifest in APP11."""

from collections.abc import Iterator

from imagegate.domain.pictures.container import DamagedPicture, Metadata
from imagegate.domain.pictures.exif import HEADER, orientation_of, orientation_only

_START, _SCAN, _END = 0xD8, 0xDA, 0xD9
_APP0, _APP1, _APP2, _APP11, _APP14, _APP15, _COMMENT = 0xE0, 0xE1, 0xE2, 0xEB, 0xEE, 0xEF, 0xFE
_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
_PROFILE = b"ICC_PROFILE\x00"
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length."""
_MOST_SEGMENTS = 10_000
_LARGEST_SEGMENT = 0xFFFF - 2
Segment = tuple[int, bytes, bytes]
"""Its marker, its data, and all of it."""


def read_metadata(body: bytes) -> Metadata:
    """The marks of origin in the file."""
    segments, _ = _segments(body)
    xmp = next((data[len(_XMP) :] for marker, data, _ in segments if _is_xmp(marker, data)), None)
    # A box of boxes (`jumb`), described as C2PA's (C2PA 2.2 §A.3.1).
    signed = any(marker == _APP11 and data[:2] == b"JP" and b"c2pa" in data[:80] for marker, data, _ in segments)
    return Metadata(xmp, signed)


def with_xmp(body: bytes, packet: bytes) -> bytes:
    """The file with `packet` in place of its XMP packet, behind JFIF and EXIF. Raises ValueError for a long one."""
    segments, at = _segments(body)
    if len(_XMP) + len(packet) > _LARGEST_SEGMENT:
        raise ValueError("longer than a segment of JPEG")
    kept = [segment for segment in segments if not _is_xmp(*segment[:2])]
    return b"".join((body[:2], *_with_behind_header(kept, _XMP + packet), body[at:]))


def without_private_data(body: bytes) -> bytes:
    """The file without anything but its pixels, their colours and their orientation: no further pictures either."""
    segments, at = _segments(body)
    exif = next((data for marker, data, _ in segments if marker == _APP1 and data.startswith(HEADER)), b"")
    kept = [segment for segment in segments if _is_of_the_pixels(*segment[:2])]
    orientation = orientation_of(exif)
    wholes = [whole for _, _, whole in kept]
    if orientation > 1:
        wholes = _with_behind_header(kept, HEADER + orientation_only(orientation))
    return b"".join((body[:2], *wholes, body[at : _end_from(body, at)]))


def end_of(body: bytes) -> int:
    """Where the picture ends; some programs append further files. Raises DamagedPicture."""
    return _end_from(body, _segments(body)[1])


def _with_behind_header(segments: list[Segment], data: bytes) -> list[bytes]:
    """The segments with an APP1 of `data` behind JFIF and EXIF, where readers look for it."""
    place = 0
    while place < len(segments) and (segments[place][0] == _APP0 or segments[place][1].startswith(HEADER)):
        place += 1
    wholes = [whole for _, _, whole in segments]
    return [*wholes[:place], _segment(_APP1, data), *wholes[place:]]


def _is_of_the_pixels(marker: int, data: bytes) -> bool:
    if marker == _APP0:
        return data.startswith(b"JFIF\x00")  # an extension of it may hold a thumbnail
    if marker == _APP2:
        return data.startswith(_PROFILE)
    return marker == _APP14 or not (_APP0 <= marker <= _APP15 or marker == _COMMENT)


def _segments(body: bytes) -> tuple[list[Segment], int]:
    """The segments before the first scan, and where that begins."""
    found = list[Segment]()
    at = 2
    while len(found) < _MOST_SEGMENTS:
        begin = at
        while body[at : at + 2] == b"\xff\xff":  # 0xFF before a marker only fills
            at += 1
        if body[at : at + 1] != b"\xff" or at + 4 > len(body):
            break
        marker = body[at + 1]
        if marker == _SCAN:
            return found, begin
        length = 0 if marker in _ALONE else int.from_bytes(body[at + 2 : at + 4])
        end = at + 2 + length
        if end > len(body) or (length < 2 and marker not in _ALONE) or marker in (_START, _END):
            break
        found.append((marker, body[at + 4 : end], body[begin:end]))
        at = end
    raise DamagedPicture("JPEG segments")


def _end_from(body: bytes, scan: int) -> int:
    """Where the picture ends whose first scan begins there."""
    at = scan
    for marker_at, marker in _markers(body, scan):
        at = marker_at
        if marker == _END:
            return at + 2
    return len(body) if at > scan else scan


def _markers(body: bytes, at: int) -> Iterator[tuple[int, int]]:
    """The markers from a scan on, without those inside of segments and of the pixels' own bytes."""
    while (at := body.find(b"\xff", at)) >= 0 and at + 1 < len(body):
        marker = body[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker == 0 or marker in _ALONE:
            at += 2
        else:
            yield at, marker
            at += 2 + int.from_bytes(body[at + 2 : at + 4])


def _segment(marker: int, data: bytes) -> bytes:
    return b"".join((b"\xff", marker.to_bytes(), (len(data) + 2).to_bytes(2), data))


def _is_xmp(marker: int, data: bytes) -> bool:
    return marker == _APP1 and data.startswith(_XMP)
