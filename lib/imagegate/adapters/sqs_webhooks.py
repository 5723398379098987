"""The queue of webhooks, on SQS."""

import json
from collections.abc import Mapping
from math import ceil
from typing import Any

from imagegate.domain.operation.ids import is_id
from imagegate.usecases.deliver import Notice

LONGEST_HIDING = 43_000
"""Seconds for which a message can be hidden; SQS allows twelve hours from its receipt. Longer waits are cut up."""


class SqsWebhooks:
    """The queue that drives deliveries."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._url = queue_url

    def put(self, operation_id: str, sequence: int) -> None:
        """Queue a delivery for `deliver`."""
        again = {"operation": {"id": operation_id}, "sequence": sequence}
        self._client.send_message(QueueUrl=self._url, MessageBody=json.dumps({"again": again}))

    def hide(self, receipt_handle: str, seconds: float) -> None:
        """Let the message come back after that long, or as late as SQS can."""
        hidden = min(ceil(seconds), LONGEST_HIDING)
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=hidden
        )


def notice_of(record: Mapping[str, Any]) -> Notice | None:
    """The notice in a record of the queue; `None` for what names no delivery.

    Until 0.1.0 the bus put its announcements into the queue. Of those nothing is believed but which delivery they mean.
    """
    try:
        document = json.loads(record["body"])
        named = document["again"] if "again" in document else document["detail"]
        operation_id, sequence = named["operation"]["id"], named["sequence"]
    except (ValueError, LookupError, TypeError):
        return None
    if type(operation_id) is not str or type(sequence) is not int or not is_id(operation_id):
        return None
    receives = int(record["attributes"]["ApproximateReceiveCount"])
    return Notice(
        message_id=record["messageId"],
        text=record["body"],
        operation_id=operation_id,
        sequence=sequence,
        receives=receives,
    )
