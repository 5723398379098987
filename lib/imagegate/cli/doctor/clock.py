"""This machine's clock: AWS refuses signatures that are five minutes off."""

from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from imagegate.cli.doctor.finding import Check, Finding, error, ok
from imagegate.cli.doctor.subject import Subject
from imagegate.cli.serve import SOURCE

MOST = 240.0
"""Seconds that the clock may be off."""
_REMEDY = "Set the clock: sudo timedatectl set-ntp true"


def run(subject: Subject) -> Iterator[Finding]:
    """Compare it with a server's, or where none is asked with the newest file of the checkout."""
    if subject.local:
        yield _behind_files(subject)
        return
    date = _date(subject)
    off = subject.now() - parsedate_to_datetime(date).timestamp()
    if abs(off) > MOST:
        yield error(f"This machine's clock is {abs(off):.0f} s {'ahead' if off > 0 else 'behind'}.", _REMEDY)
    else:
        yield ok("This machine's clock agrees with the server's.")


def _date(subject: Subject) -> str:
    if subject.connection:
        return str(subject.fetch(f"{subject.connection.url}/v1/models")[2]["date"])
    return str(subject.clients("sts").get_caller_identity()["ResponseMetadata"]["HTTPHeaders"]["date"])


def _behind_files(subject: Subject) -> Finding:
    newest = max(path.stat().st_mtime for path in (SOURCE / "pyproject.toml", SOURCE / "template.yaml"))
    behind = newest - subject.now()
    if behind > MOST:
        return error(f"This machine's clock is {behind:.0f} s behind the checkout's files.", _REMEDY)
    return ok("This machine's clock is not behind the checkout's files.")


CHECK = Check(name="clock", run=run, needs=("gateway", "credentials"))
