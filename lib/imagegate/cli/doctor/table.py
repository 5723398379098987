"""The operations table."""

from collections.abc import Iterator
from typing import Any

from imagegate.cli.doctor.finding import Check, Finding, error, ok, warning
from imagegate.cli.doctor.subject import Subject

_REMEDY = "Use credentials that may describe the table. If it was deleted, restore it from its backup."


def run(subject: Subject) -> Iterator[Finding]:
    """Whether it works, publishes its changes, forgets old items and can be restored."""
    name, client = subject.stack.outputs["TableName"], subject.aws("dynamodb")
    table = client.describe_table(TableName=name)["Table"]
    if table["TableStatus"] not in ("ACTIVE", "UPDATING"):
        yield error(f"Table {name} is {table['TableStatus']}.", "Wait until it is ACTIVE.")
    if not table.get("StreamSpecification", {}).get("StreamEnabled"):
        yield error(f"Table {name} has no stream: no event is published.", f"Run: {subject.deploy}")
    if not subject.local:  # the embedded AWS has neither
        yield from _kept(client, name)
    yield ok(f"Table {name} has about {table.get('ItemCount', 0)} items.")


def _kept(client: Any, name: str) -> Iterator[Finding]:
    if client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED":
        aws = "aws dynamodb update-time-to-live --time-to-live-specification Enabled=true,AttributeName=expires_at"
        yield warning(f"Table {name} keeps operations for ever.", f"Run: {aws} --table-name {name}")
    if not _can_be_restored(client, name):
        aws = "aws dynamodb update-continuous-backups --point-in-time-recovery-specification"
        remedy = f"Run: {aws} PointInTimeRecoveryEnabled=true --table-name {name}"
        yield warning(f"Table {name} cannot be restored to a point in time.", remedy)


def _can_be_restored(client: Any, name: str) -> bool:
    found = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    return bool(found["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED")


CHECK = Check(name="table", run=run, needs=("stack", "embedded AWS"), remedy=_REMEDY)
