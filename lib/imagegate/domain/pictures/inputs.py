"""Pictures to work from, before they are stored or sent to an upstream."""

from imagegate.domain.pictures import jpeg, png, webp
from imagegate.domain.pictures.container import PrivateContainer

_CONTAINERS: dict[str, PrivateContainer] = {"image/png": png, "image/jpeg": jpeg, "image/webp": webp}


def without_private_data(body: bytes, content_type: str) -> bytes:
    """The picture without anything but its pixels, their colours and their orientation. Raises DamagedPicture."""
    return _CONTAINERS[content_type].without_private_data(body)


def count_frames(body: bytes, content_type: str) -> int:
    """The frames of an animation; 0 for any other picture. Raises DamagedPicture."""
    animated = {"image/png": png.count_frames, "image/webp": webp.count_frames}.get(content_type)
    return animated(body) if animated else 0
