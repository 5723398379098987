"""What the pages of docs/ hold."""

import re
from pathlib import Path


def yaml_blocks(page: Path) -> list[str]:
    """The YAML examples of a Markdown page."""
    return code_blocks(page, "yaml")


def code_blocks(page: Path, language: str) -> list[str]:
    """The examples of a Markdown page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
