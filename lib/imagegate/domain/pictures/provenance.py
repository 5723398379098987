"""Where a picture comes from: read from its file, and written into it without a change to its pixels."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from imagegate.domain.pictures import avif, gif, jpeg, png, svg, webp
from imagegate.domain.pictures.container import Container, DamagedPicture, Metadata
from imagegate.domain.pictures.headers import AVIF
from imagegate.domain.pictures.marks import C2PA, XMP, Provenance
from imagegate.domain.pictures.xmp import Origin, build_packet, merge_packet, read_source_type

_CONTAINERS: dict[str, Container] = {
    "image/png": png,
    "image/jpeg": jpeg,
    "image/webp": webp,
    "image/gif": gif,
    "image/svg+xml": svg,
}
SIGNED = "The upstream signed the picture; writing into it would break the signature."
UNREADABLE = "The picture's own metadata cannot be read, or leaves no room; it is left as it came."
LOST = "The upstream's signature ended with the conversion."
NO_PLACE = "Nothing is written into files of this format."


def read_marks(body: bytes, content_type: str) -> Metadata:
    """The marks of origin in a file; none in one that cannot be read."""
    container = avif if content_type == AVIF else _CONTAINERS.get(content_type)
    try:
        return container.read_metadata(body) if container else Metadata()
    except DamagedPicture:
        return Metadata()


def mark(body: bytes, content_type: str, origin: Origin, made: Metadata | None = None) -> tuple[bytes, Provenance]:
    """The picture with `origin` written into it, unless its upstream signed it.

    `made`: the marks of the upstream's own file, for one that was converted.
    """
    here = read_marks(body, content_type)
    found = made or here
    upstream = tuple(name for name, has in ((C2PA, found.signed), (XMP, found.xmp is not None)) if has)
    record = Provenance(upstream=upstream, kept=upstream, digital_source_type=read_source_type(found.xmp or b""))
    if here.signed:
        return body, replace(record, note=SIGNED)
    if made:
        kept = tuple(name for name in upstream if name != C2PA)
        record = replace(record, kept=kept, note=LOST if made.signed else None)
    container = _CONTAINERS.get(content_type)
    if container is None:
        return body, replace(record, note=NO_PLACE)
    for packet in _packets(found.xmp, origin, fresh=made is not None):
        try:
            marked = container.with_xmp(body, packet)
        except ValueError:
            continue
        return marked, replace(record, added=(XMP,), digital_source_type=read_source_type(packet))
    return body, replace(record, note=UNREADABLE)


def _packets(xmp: bytes | None, origin: Origin, *, fresh: bool) -> Iterator[bytes]:
    """The packets to try; `fresh`: a new one may take the place of an upstream's that cannot be used."""
    if xmp is not None:
        with suppress(ValueError):
            yield merge_packet(xmp, origin)
    if xmp is None or fresh:
        yield build_packet(origin)
