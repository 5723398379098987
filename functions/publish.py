"""The table's stream -> announcements on the bus."""

from typing import Any

from imagegate import wiring
from imagegate.adapters.dynamodb_operations import is_operation, operation_of

publish = wiring.publish()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Announce a batch of changes; name the records to be delivered again."""
    records = [one["dynamodb"] for one in event["Records"] if is_operation(one["dynamodb"]["Keys"])]
    old = [operation_of(one["OldImage"]) if "OldImage" in one else None for one in records]
    failed = publish([(before, operation_of(one["NewImage"])) for before, one in zip(old, records, strict=True)])
    return {"batchItemFailures": [{"itemIdentifier": records[at]["SequenceNumber"]} for at in failed]}
