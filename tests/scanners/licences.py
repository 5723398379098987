"""The licences of what the Lambda layer carries, as a Markdown table; `make docs` writes it to docs/licences.md.

From the metadata of the packages that lib/requirements.txt locks, as they are installed.
"""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

LOCK = Path(__file__).parents[2] / "lib" / "requirements.txt"
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(?: ; (.+?))?(?: \\)?$", re.MULTILINE)
_CLASSIFIER = "License :: OSI Approved :: "


def licence_of(package: str) -> str:
    """What the package's metadata says: an SPDX expression where there is one."""
    message = metadata(package)
    classified = [
        entry.removeprefix(_CLASSIFIER)
        for entry in message.get_all("Classifier") or []
        if entry.startswith(_CLASSIFIER)
    ]
    licence = message.get("License-Expression") or " or ".join(classified) or message.get("License")
    return licence.splitlines()[0].strip() if licence else "not said"


def rows() -> Iterator[str]:
    """A line for each package of the layer."""
    for package, version, marker in _LOCKED.findall(LOCK.read_text()):
        try:
            yield f"| {package} | {version} | {licence_of(package)} |"
        except PackageNotFoundError:
            if not marker:
                raise


def table() -> str:
    """The whole page."""
    head = "| package | version | licence |\n|---|---|---|"
    about = "Written by `make docs` from the metadata of the packages in `lib/requirements.txt`."
    return "\n".join(["# What the Lambda layer carries, and its licences", "", about, "", head, *rows(), ""])


if __name__ == "__main__":
    print(table(), end="")
