"""Every document that the repository names is in it, and has the section that is named."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GENERATED = ("docs/openapi.json", "docs/licences.md")
_TEXTS = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".sh", ".mjs", ".html", ""}
_LINK = re.compile(r"\]\(<?([^)\s>]+)>?\)")
_MENTION = re.compile(r"(?<![\w/.:-])((?:[\w-]+/)*[\w-]+\.md)(#[\w-]+)?(?![\w/])")
_SECTION_MARK = re.compile(r"[\w-]+\.md,? §|\breference §|\breference/\w")
_HEADING = re.compile(r"#+ +(.+)")
_CODE = re.compile(r"```.*?```", re.DOTALL)
_MADE_UP = {"tests/unit/test_citations.py"}


def files() -> Iterator[str]:
    """The text files that are, or are about to be, in the repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    yield from (name for name in names if Path(name).suffix in _TEXTS and name not in {*GENERATED, *_MADE_UP})


@cache
def text_of(name: str) -> str:
    place = ROOT / name
    return place.read_text(encoding="utf-8") if place.is_file() else ""  # it may be about to go


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@cache
def anchors(page: Path) -> frozenset[str]:
    text = _CODE.sub("", page.read_text(encoding="utf-8"))
    return frozenset(slug(match[1]) for line in text.splitlines() if (match := _HEADING.fullmatch(line)))


def leads_nowhere(name: str, target: str, anchor: str) -> bool:
    """True unless the target is beside the file, below the root or a page of `docs`, and has the anchor."""
    folders = ((ROOT / name).parent, ROOT, ROOT / "docs")
    places = [folder / target for folder in folders if (folder / target).is_file()]
    return not any(not anchor or anchor.removeprefix("#") in anchors(place) for place in places)


def dead_links(name: str, text: str) -> list[str]:
    links = [
        link for link in _LINK.findall(_CODE.sub("", text)) if "://" not in link and not link.startswith("mailto:")
    ]
    dead = []
    for link in links:
        target, _, anchor = link.partition("#")
        place = (ROOT / name).parent / target if target else ROOT / name
        if not place.exists() or (anchor and anchor not in anchors(place)):
            dead.append(link)
    return dead


def dead_mentions(name: str, text: str) -> list[str]:
    lines = (line for line in text.splitlines() if ".md" in line)
    return ["".join(found) for line in lines for found in _MENTION.findall(line) if leads_nowhere(name, *found)]


def test_every_link_of_a_page_leads_somewhere() -> None:
    dead = {name: dead_links(name, text_of(name)) for name in files() if name.endswith(".md")}
    assert {name: links for name, links in dead.items() if links} == {}


def test_every_document_that_is_named_is_here() -> None:
    dead = {name: dead_mentions(name, text_of(name)) for name in files()}
    assert {name: mentions for name, mentions in dead.items() if mentions} == {}


def test_sections_are_named_by_their_anchors() -> None:
    assert [name for name in files() if _SECTION_MARK.search(text_of(name))] == []


@pytest.mark.parametrize(
    "text",
    [
        "Contract: reference/openai_images.md §1.3.",
        "as DESIGN.md says",
        "docs/protocols/aws.md#no-such-section",
        "docs/protocols/nothing.md",
        "(`yandexart.md` is not beside it)",
    ],
)
def test_a_citation_that_leads_nowhere_is_noticed(text: str) -> None:
    assert dead_mentions("lib/imagegate/settings.py", text)


@pytest.mark.parametrize(
    "text", ["docs/protocols/aws.md#presigned-urls", "docs/limits.md", "README.md", "https://example.com/other.md#x"]
)
def test_a_citation_that_leads_somewhere_is_not(text: str) -> None:
    assert dead_mentions("lib/imagegate/settings.py", text) == []


def test_a_section_by_number_is_noticed() -> None:
    for text in ("yandexart.md §5", "as reference §2.2 says", "see reference/aws"):
        assert _SECTION_MARK.search(text)
    assert not _SECTION_MARK.search("RFC 9110 §15.5.2")


def test_a_dead_link_is_noticed() -> None:
    text = "[a](limits.md#waiting) [b](limits.md#nowhere) [c](gone.md) [d](https://example.com/gone.md) [e](#errors)"
    assert dead_links("docs/errors.md", text) == ["limits.md#nowhere", "gone.md"]


def test_every_decision_has_a_number_of_its_own() -> None:
    decisions = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
    assert [int(page.name[:4]) for page in decisions] == [*range(1, len(decisions) + 1)]
    for number, page in enumerate(decisions, 1):
        assert page.read_text(encoding="utf-8").startswith(f"# {number}. ")
