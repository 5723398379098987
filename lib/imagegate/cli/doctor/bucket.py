"""The bucket of pictures."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from imagegate.cli.doctor.finding import Check, Finding, error, ok, warning
from imagegate.cli.doctor.subject import Subject

_REMEDY = (
    "Use credentials that may read the bucket's settings. If it was deleted, destroy the stage and deploy it again."
)


def run(subject: Subject) -> Iterator[Finding]:
    """Whether it is there, closed to the public, and forgets old pictures."""
    name, client = subject.stack.outputs["BucketName"], subject.aws("s3")
    client.head_bucket(Bucket=name)
    if not subject.local:  # the embedded AWS has neither
        yield from _settings(subject, client, name)
    yield ok(f"Bucket {name} is there.")


def _settings(subject: Subject, client: Any, name: str) -> Iterator[Finding]:
    if not all(_blocks(client, name).values() or (False,)):
        blocks = "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"
        aws = f"aws s3api put-public-access-block --bucket {name} --public-access-block-configuration {blocks}"
        yield error(f"Bucket {name} may be opened to the public.", f"Run: {aws}")
    if not _rules(client, name):
        yield warning(f"Bucket {name} keeps pictures for ever.", f"Run: {subject.deploy}")


def _blocks(client: Any, name: str) -> dict[str, bool]:
    try:
        return dict(client.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"])
    except ClientError as failure:
        if failure.response["Error"]["Code"] != "NoSuchPublicAccessBlockConfiguration":
            raise
        return {}


def _rules(client: Any, name: str) -> list[Any]:
    try:
        return list(client.get_bucket_lifecycle_configuration(Bucket=name)["Rules"])
    except ClientError as failure:
        if failure.response["Error"]["Code"] != "NoSuchLifecycleConfiguration":
            raise
        return []


CHECK = Check(name="bucket", run=run, needs=("stack", "embedded AWS"), remedy=_REMEDY)
