"""Sign a finished picture, if the deployment does; whatever happens, there is a picture."""

from collections.abc import Iterable
from dataclasses import replace

from imagegate.domain.pictures.marks import C2PA, Provenance
from imagegate.domain.pictures.provenance import LOST, NO_PLACE
from imagegate.domain.pictures.xmp import Origin
from imagegate.ports.upstreams import ManifestCheck, PictureSigner, SigningFailed

INGREDIENT = "The picture was converted; the upstream's signed file is an ingredient of imagegate's manifest."
FAILED = "imagegate could not sign the picture: "
NOT_VALID = "its signature was not valid, as when the key is not the certificate's."


def sign_picture(
    signer: PictureSigner | None,
    body: bytes,
    content_type: str,
    marks: Provenance,
    origin: Origin,
    made: tuple[bytes, str] | None = None,
) -> tuple[bytes, Provenance]:
    """The picture with a C2PA manifest, and its record; one that still has its upstream's is only checked.

    `marks`: what was written into it before. `made`: the upstream's file and its content type, if it was converted.
    """
    if signer is None:
        return body, marks
    if C2PA in marks.kept:
        return body, _with_check(marks, signer.check(body, content_type))
    from_signed = C2PA in marks.upstream
    try:
        signed = signer.sign(body, content_type, origin, made, from_signed=from_signed)
    except SigningFailed as failed:
        return body, _unsigned(marks, str(failed))
    checked = signer.check(signed, content_type)
    # Viewers take such a picture for a forged one, which is worse than one without a signature.
    if checked.validation == "invalid":
        return body, _unsigned(marks, NOT_VALID)
    marks = replace(
        marks,
        kept=marks.upstream if from_signed else marks.kept,
        added=(*marks.added, C2PA),
        digital_source_type=marks.digital_source_type or origin.digital_source_type,
        note=INGREDIENT if marks.note == LOST else None if marks.note == NO_PLACE else marks.note,
    )
    return signed, _with_check(marks, checked)


def _with_check(marks: Provenance, found: ManifestCheck) -> Provenance:
    return replace(marks, validation=found.validation, signer=found.signer)


def _unsigned(marks: Provenance, why: str) -> Provenance:
    return replace(marks, note=_joined((marks.note, f"{FAILED}{why}")))


def _joined(sentences: Iterable[str | None]) -> str:
    return " ".join(filter(None, sentences))
