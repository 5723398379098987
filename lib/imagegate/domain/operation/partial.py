"""Partial pictures."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """A partial picture kept in S3: how a picture looked while the upstream made it."""

    attempt: int
    """Number of the attempt that it came from."""
    slot: int
    """The first slot of that attempt: an upstream does not say to which of several pictures it belongs."""
    index: int
    """Its number as the upstream counts, from 0."""
    key: str
    content_type: str
    width: int
    height: int
    bytes: int
