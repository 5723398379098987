"""The record of a picture's marks of origin."""

from dataclasses import dataclass

C2PA, XMP = "c2pa", "xmp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The marks of origin of a picture that was made."""

    upstream: tuple[str, ...] = ()
    """The marks that the upstream made: `c2pa`, `xmp`."""
    kept: tuple[str, ...] = ()
    """Those of them that are still there."""
    added: tuple[str, ...] = ()
    """The marks that imagegate made."""
    digital_source_type: str | None = None
    """IPTC's word for how it was made, by its address, as its XMP or imagegate's manifest has it."""
    validation: str | None = None
    """C2PA's state of the manifest in the picture: `invalid`, `valid` or `trusted`; `None` where none was checked."""
    signer: str | None = None
    """Whom the certificate of that manifest names."""
    note: str | None = None
    """Why imagegate added nothing, or what was lost."""
