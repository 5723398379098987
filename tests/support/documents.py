"""What the pages of docs/ hold."""

import re
from pathlib import Path


def yaml_blocks(page: Path) -> list[str]:
    """The YAML examples of a Markdown page."""
    return re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
