"""docs/README.md leads to every page, and names every decision by its title."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
LINKS = {target: text for text, target in re.findall(r"\[([^\]]+)\]\(([^)#]+)\)", (DOCS / "README.md").read_text())}


def test_every_page_is_in_the_index() -> None:
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")} - {"README.md"}
    assert pages <= set(LINKS), "add a line to docs/README.md"


def test_every_decision_is_named_by_its_title() -> None:
    for page in (DOCS / "adr").glob("*.md"):
        title = page.read_text().splitlines()[0].partition(". ")[2]
        assert LINKS[f"adr/{page.name}"] == title, "correct the line of docs/README.md"
