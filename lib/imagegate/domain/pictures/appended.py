"""What a file has behind its picture: an archive, a page or a program, which other readers take the file for."""

from imagegate.domain.pictures import avif, gif, jpeg, png, webp
from imagegate.domain.pictures.container import Bounded, DamagedPicture

_FORMATS: dict[str, Bounded] = {
    "image/png": png,
    "image/jpeg": jpeg,
    "image/webp": webp,
    "image/gif": gif,
    "image/avif": avif,
}


def without_appended(body: bytes, content_type: str | None) -> bytes:
    """The file up to where its picture ends; as it is where that cannot be told.

    SVG has nothing behind it: XML ends with its root.
    """
    picture = _FORMATS.get(content_type or "")
    try:
        return body[: picture.end_of(body)] if picture else body
    except DamagedPicture:
        return body
