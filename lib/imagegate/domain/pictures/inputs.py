"""Pictures to work from, before they are stored or sent to an upstream."""

from imagegate.domain.pictures import jpeg, png, webp
from imagegate.domain.pictures.container import PrivateContainer

_CONTAINERS: dict[str, PrivateContainer] = {"image/png": png, "image/jpeg": jpeg, "image/webp": webp}


def without_private_data(body: bytes, content_type: str) -> bytes:
    """The picture without anything but its pixels, their colours and their orientation. Raises DamagedPicture."""
    return _CONTAINERS[content_type].without_private_data(body)
