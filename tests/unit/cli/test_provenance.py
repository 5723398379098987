"""`imagegate provenance`."""

import json
from pathlib import Path

from typer.testing import CliRunner

from imagegate.cli.main import app
from imagegate.domain.pictures.provenance import mark
from imagegate.domain.pictures.xmp import MADE_BY_MODEL, Origin
from support.fakes import picture

ORIGIN = Origin(provider="alpha", model="m\u202e", operation="o", made_at=0.0, generator="imagegate")


def test_what_pictures_say_is_shown(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(mark(picture(), "image/png", ORIGIN)[0])
    (tmp_path / "b.gif").write_bytes(picture(output_format="gif"))
    (tmp_path / "c.txt").write_text("text")
    paths = sorted(map(str, tmp_path.iterdir()))
    shown = CliRunner().invoke(app, ["provenance", *paths])
    assert shown.exit_code == 0, shown.output
    assert f"DigitalSourceType: {MADE_BY_MODEL}" in shown.output
    assert "\u202e" not in shown.output
    assert "c.txt: no picture" in shown.output
    first, second, third = json.loads(CliRunner().invoke(app, ["provenance", "--json", *paths]).stdout)
    assert (first["content_type"], first["c2pa"], first["xmp"]["Provider"]) == ("image/png", False, "alpha")
    assert (second["content_type"], second["xmp"]) == ("image/gif", {})
    assert third["content_type"] is None
