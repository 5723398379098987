"""docs/events.md: its examples are valid templates, and its names and numbers are those of the code."""

import re
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_all

from imagegate.cli.schemas import documents, file_name
from imagegate.domain.operation.events import DETAIL_TYPES, LONGEST_PART, LONGEST_TEXT, MOST_ATTEMPTS
from support.documents import yaml_blocks

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "events.md").read_text()


@pytest.mark.parametrize("template", yaml_blocks(DOCS / "events.md"), ids=["queue", "function", "topic"])
def test_an_example_is_a_sound_template(template: str) -> None:
    assert _faults(template) == []


def test_the_linter_would_find_something() -> None:
    [template, *_] = yaml_blocks(DOCS / "events.md")
    assert _faults(template.replace("EventPattern", "EventPatern"))


def _faults(template: str) -> list[str]:
    """What `cfn-lint` complains of: errors and warnings."""
    return [str(match) for match in lint_all(template) if match.rule.severity != "informational"]


def test_every_event_is_listed_with_its_schema() -> None:
    rows: dict[str, Any] = dict(re.findall(r"^\| `(Image Generation \w+)` \|.*\(events/(.*)\) \|$", PAGE, re.MULTILINE))
    assert list(rows.values()) == [file_name(row) for row in rows]
    assert set(rows.values()) == set(documents())
    assert set(DETAIL_TYPES.values()) < set(rows)


def test_the_page_names_the_limits_there_are() -> None:
    assert f"texts end after {LONGEST_TEXT:,} characters ({LONGEST_PART} in attempts and pictures)" in PAGE
    assert f"only the last {MOST_ATTEMPTS} attempts are there" in PAGE
