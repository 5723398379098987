"""What the containers of all formats have in common."""

from dataclasses import dataclass
from typing import Protocol


class DamagedPicture(ValueError):
    """The bytes do not have the structure of their format."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """The marks of origin in a file."""

    xmp: bytes | None = None
    """Its XMP packet; empty for one that cannot be read."""
    signed: bool = False
    """True when it holds a C2PA manifest, valid or not."""


class Bounded(Protocol):
    """A file format that says where a picture ends. Each function raises DamagedPicture."""

    def end_of(self, body: bytes) -> int:
        """Where the picture ends; what is behind that is no part of it."""


class Container(Protocol):
    """One file format. Each function raises DamagedPicture."""

    def read_metadata(self, body: bytes) -> Metadata:
        """The marks of origin in the file."""

    def with_xmp(self, body: bytes, packet: bytes) -> bytes:
        """The file with `packet` in place of its XMP packet, if it has one; all else stays as it is."""


class PrivateContainer(Container, Protocol):
    """A format in which input pictures may come."""

    def without_private_data(self, body: bytes) -> bytes:
        """The file without anything but its pixels, their colours and their orientation."""
