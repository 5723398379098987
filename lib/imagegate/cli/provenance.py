"""`imagegate provenance`: what a picture file says of its origin."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from imagegate.domain.characters import masked
from imagegate.domain.pictures.headers import made_type_of
from imagegate.domain.pictures.provenance import read_marks
from imagegate.domain.pictures.xmp import read_properties

Files = Annotated[
    list[Path], typer.Argument(help="Pictures: PNG, JPEG, WebP, GIF, SVG or AVIF.", exists=True, dir_okay=False)
]


def provenance(
    files: Files,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what pictures say of their origin: their XMP metadata, and whether they are signed (C2PA)."""
    described = [describe(path) for path in files]
    if as_json:
        typer.echo(json.dumps(described, ensure_ascii=False, indent=2))
        return
    for entry in described:
        typer.echo(f"{entry['file']}: {entry['content_type'] or 'no picture'}")
        typer.echo(f"  C2PA manifest: {'yes' if entry['c2pa'] else 'no'}")
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
    names = {name.rpartition(" ")[2]: value for name, value in properties.items()}
    return {"file": str(path), "content_type": content_type, "c2pa": marks.signed, "xmp": names}
