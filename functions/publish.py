"""The table's stream -> announcements on the bus."""

from typing import Any

from imagegate.deployment import Deployment

deployment = Deployment.from_environment()
read, publish = deployment.stream_reader, deployment.publish


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Announce a batch of changes; name the records to be delivered again."""
    changes, again = read(event["Records"])
    failed = publish([(change.old, change.new) for change in changes])
    again = [*(changes[at].sequence_number for at in failed), *again]
    return {"batchItemFailures": [{"itemIdentifier": number} for number in again]}
