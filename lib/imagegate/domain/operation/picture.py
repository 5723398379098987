"""Finished pictures."""

from dataclasses import dataclass

from imagegate.domain.pictures.marks import Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture kept in S3."""

    slot: int
    key: str
    sha256: str
    content_type: str
    width: int
    height: int
    bytes: int
    provider: str
    seed: int | None = None
    late: bool = False
    """True when it came after the operation had ended."""
    revised_prompt: str | None = None
    """The prompt that it was made from, unless that is the caller's own."""
    single_colour: bool = False
    """True when all of its pixels have the same colour."""
    converted_from: str | None = None
    """The content type that the upstream made, where the picture was encoded again."""
    frames: int = 1
    source_sha256: str | None = None
    """Digest of the upstream's own bytes."""
    not_honoured: tuple[str, ...] = ()
    """Fields of the request that the picture itself does not show."""
    provenance: Provenance | None = None
    """Its marks of origin; `None` for pictures of earlier versions."""
    preview: str | None = None
    """Key of its preview; `None` for pictures of earlier versions, and where none could be made."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all that is stored of it."""
        return (self.key, self.preview) if self.preview else (self.key,)
