"""The orientation that a picture's EXIF data gives (EXIF 3.0 §4.6.5, TIFF 6.0 §2)."""

import struct

HEADER = b"Exif\x00\x00"
"""In front of the data in JPEG; some programs write it in PNG and WebP too."""
_ORIENTATION = 0x0112
_MOST_ENTRIES = 1000


def orientation_of(exif: bytes) -> int:
    """The orientation, 1 to 8, of EXIF data with or without its header; 1 when it has none, or is damaged."""
    data = exif.removeprefix(HEADER)
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return 1
    try:
        [at] = struct.unpack_from(f"{order}I", data, 4)
        [count] = struct.unpack_from(f"{order}H", data, at)
        for entry in range(min(count, _MOST_ENTRIES)):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", data, at + 2 + 12 * entry)
            if tag == _ORIENTATION:
                return value if kind == 3 and 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def orientation_only(orientation: int) -> bytes:
    """EXIF data, without header, that says nothing but the orientation."""
    return struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, _ORIENTATION, 3, 1, orientation, 0, 0)
