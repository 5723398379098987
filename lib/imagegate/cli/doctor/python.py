"""Python, and the packages beside it."""

import sys
from collections.abc import Iterator

from imagegate.cli.doctor.finding import Check, Finding, error, ok, warning
from imagegate.cli.doctor.subject import Subject
from imagegate.cli.serve import SOURCE

OLDEST = (3, 11)


def run(subject: Subject) -> Iterator[Finding]:
    """Python's version, and whether `make setup` has installed what the lock file names."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST:
        yield error(f"Python {version} is too old.", "Install Python 3.11 or newer, then: make PYTHON=python3.11 setup")
        return
    lock, stamp = SOURCE / "tests" / "requirements.txt", SOURCE / ".venv" / ".installed"
    if stamp.exists() and lock.stat().st_mtime > stamp.stat().st_mtime:
        yield warning("The packages in .venv are older than the lock file.", "Run: make setup")
    yield ok(f"Python {version}")


CHECK = Check(name="python", run=run)
