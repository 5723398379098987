"""The generated pages of docs/ are the ones that the code makes."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from imagegate.cli.main import app

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", ["models", "errors", "parameters", "routes-keys", "stand-ins", "cli"])
def test_a_generated_page_is_up_to_date(page: str) -> None:
    made = CliRunner().invoke(app, ["tables", page])
    assert made.exit_code == 0
    assert (DOCS / f"{page}.md").read_text() == made.stdout, "run `make docs`"


def test_the_schema_of_routes_files_is_up_to_date() -> None:
    made = CliRunner().invoke(app, ["routes", "schema"])
    assert (DOCS / "routes.schema.json").read_text() == made.stdout, "run `make docs`"


def test_the_schemas_of_events_are_up_to_date(tmp_path: Path) -> None:
    made = CliRunner().invoke(app, ["schemas", str(tmp_path)])
    assert made.exit_code == 0
    written = {path.name: path.read_text() for path in (DOCS / "events").iterdir()}
    assert written == {path.name: path.read_text() for path in tmp_path.iterdir()}, "run `make docs`"


def test_the_openapi_document_is_made_without_a_deployment() -> None:
    """`make docs` has no services to hand to the application."""
    made = CliRunner().invoke(app, ["openapi"])
    assert made.exit_code == 0, made.exception
    assert (DOCS / "openapi.json").read_text() == made.stdout, "run `make docs`"
