"""`imagegate provenance`: what a picture file says of its origin."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imagegate.domain.characters import masked
from imagegate.domain.pictures.headers import made_type_of
from imagegate.domain.pictures.provenance import read_marks
from imagegate.domain.pictures.xmp import read_properties

if TYPE_CHECKING:
    from imagegate.ports.upstreams import ManifestCheck

Files = Annotated[
    list[Path], typer.Argument(help="Pictures: PNG, JPEG, WebP, GIF, SVG or AVIF.", exists=True, dir_okay=False)
]


def provenance(
    files: Files,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what pictures say of their origin.

    That is their XMP metadata, and who signed them (C2PA).
    """
    described = [describe(path) for path in files]
    if as_json:
        typer.echo(json.dumps(described, ensure_ascii=False, indent=2))
        return
    for entry in described:
        typer.echo(f"{entry['file']}: {entry['content_type'] or 'no picture'}")
        typer.echo(f"  C2PA manifest: {_describe_signer(entry)}")
        for name, value in entry["xmp"].items():
            typer.echo(f"  {name}: {masked(value)}")


def describe(path: Path) -> dict[str, Any]:
    """The marks of origin of a file."""
    body = path.read_bytes()
    content_type = made_type_of(body)
    marks = read_marks(body, content_type or "")
    try:
        properties = read_properties(marks.xmp) if marks.xmp else {}
    except ValueError:
        properties = {}
    checked = _check(body, content_type or "") if marks.signed else None
    names = {name.rpartition(" ")[2]: value for name, value in properties.items()}
    return {"file": str(path), "content_type": content_type, "c2pa": marks.signed, **_fields(checked), "xmp": names}


def _check(body: bytes, content_type: str) -> "ManifestCheck | None":
    """What the manifest shows; `None` without the package that reads them."""
    if find_spec("c2pa") is None:
        return None
    from imagegate.adapters.c2pa_pictures import C2paPictures

    return C2paPictures().check(body, content_type)


def _fields(checked: "ManifestCheck | None") -> dict[str, str | None]:
    return {"validation": checked.validation if checked else None, "signer": checked.signer if checked else None}


def _describe_signer(entry: dict[str, Any]) -> str:
    if not entry["c2pa"]:
        return "no"
    if entry["validation"] is None:
        return "yes, not checked (make c2pa installs what checks it)"
    return f"{entry['validation']}, signed by {masked(entry['signer'] or 'a certificate without a name')}"
