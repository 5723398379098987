"""Comments, docstrings, errors, help and pages do without some words that read as translated."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNWANTED = re.compile(
    r"(?<![\w-])(no" + r"body|some" + r"body|an" + r"ew|who" + r"ever|none of ou" + r"rs)(?![\w-])", re.IGNORECASE
)
_TEXTS = {".css", ".html", ".in", ".js", ".json", ".md", ".mjs", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml", ""}


def unwanted(text: str) -> list[str]:
    """The unwanted words in a text, with their lines."""
    lines = enumerate(text.splitlines(), 1)
    return [f"{number}: {line.strip()[:80]}" for number, line in lines if UNWANTED.search(line)]


def test_no_text_has_unwanted_words() -> None:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    texts = [ROOT / name for name in names if Path(name).suffix in _TEXTS and (ROOT / name).is_file()]
    assert len(texts) > 400
    found = {str(path.relative_to(ROOT)): unwanted(path.read_text(encoding="utf-8")) for path in texts}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "text",
    ["No" + "body is told", "some" + "body else", "# made an" + "ew,", "who" + "ever's it is", "is none of ou" + "rs."],
)
def test_an_unwanted_word_is_found(text: str) -> None:
    assert unwanted(text)


@pytest.mark.parametrize("text", ["a newcomer", "def test_no" + "body_else() -> None:", "renewed", "an ewe"])
def test_other_words_are_not(text: str) -> None:
    assert not unwanted(text)
