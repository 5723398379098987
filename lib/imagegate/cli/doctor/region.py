"""The AWS region of this shell."""

from collections.abc import Iterator

from imagegate.cli.doctor.finding import Check, Finding, ok
from imagegate.cli.doctor.subject import Subject


def run(subject: Subject) -> Iterator[Finding]:
    """Which one it is."""
    yield ok(f"Region {subject.clients('cloudformation').meta.region_name}.")


CHECK = Check(name="region", run=run, remedy="Set AWS_REGION, or AWS_PROFILE to a profile that has one.")
