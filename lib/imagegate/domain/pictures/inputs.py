"""Input pictures, before they are stored or sent to an upstream."""

from imagegate.domain.pictures import jpeg, png, webp
from imagegate.domain.pictures.container import PrivateContainer
from imagegate.domain.pictures.exif import orientation_only
from imagegate.domain.pictures.headers import size_of

_CONTAINERS: dict[str, PrivateContainer] = {"image/png": png, "image/jpeg": jpeg, "image/webp": webp}
_TURNED = tuple(orientation_only(orientation) for orientation in range(5, 9))
"""What EXIF says of a picture that is shown turned by a quarter."""


def without_private_data(body: bytes, content_type: str) -> bytes:
    """The picture without anything but its pixels, their colours and their orientation. Raises DamagedPicture."""
    return _CONTAINERS[content_type].without_private_data(body)


def count_frames(body: bytes, content_type: str) -> int:
    """The frames of an animation; 0 for any other picture. Raises DamagedPicture."""
    animated = {"image/png": png.count_frames, "image/webp": webp.count_frames}.get(content_type)
    return animated(body) if animated else 0


def fits_mask(picture: bytes, mask: bytes) -> bool:
    """True when the mask has the size of the picture, as it is stored or as it is shown.

    Both are without private data, so that the orientation is all that the picture's EXIF has.
    """
    width, height = size_of(picture)
    if size_of(mask) == (width, height):
        return True
    return size_of(mask) == (height, width) and any(exif in picture for exif in _TURNED)
