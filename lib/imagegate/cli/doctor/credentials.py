"""The AWS credentials of this shell."""

from collections.abc import Iterator

from imagegate.cli.doctor.finding import Check, Finding, ok
from imagegate.cli.doctor.subject import Subject


def run(subject: Subject) -> Iterator[Finding]:
    """Whose they are."""
    caller = subject.clients("sts").get_caller_identity()
    yield ok(f"Account {caller['Account']}, as {caller['Arn']}.")


CHECK = Check(
    name="credentials", run=run, needs=("region",), remedy="Run 'aws configure' or 'aws sso login', or set AWS_PROFILE."
)
