"""The queue of webhooks, on SQS."""

import json
from collections.abc import Mapping
from math import ceil
from typing import Any

from imagegate.usecases.deliver import Notice

LONGEST_HIDING = 43_000
"""Seconds for which a message can be hidden; SQS allows twelve hours from its receipt. Longer waits are cut up."""


class SqsWebhooks:
    """The queue that drives deliveries."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._url = queue_url

    def put(self, operation_id: str, sequence: int) -> None:
        """Have a delivery begun anew."""
        again = {"operation": {"id": operation_id}, "sequence": sequence}
        self._client.send_message(QueueUrl=self._url, MessageBody=json.dumps({"again": again}))

    def hide(self, receipt_handle: str, seconds: float) -> None:
        """Let the message come back after that long, or as late as SQS can."""
        hidden = min(ceil(seconds), LONGEST_HIDING)
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=hidden
        )


def notice_of(record: Mapping[str, Any]) -> Notice:
    """The notice in a record of the queue: an event as EventBridge wraps it, or a word to begin a delivery anew."""
    document = json.loads(record["body"])
    if "again" in document:
        again = document["again"]
        return Notice(record["messageId"], record["body"], again["operation"]["id"], again["sequence"])
    detail = document["detail"]
    event = document["detail-type"].rpartition(" ")[2].lower()
    return Notice(record["messageId"], record["body"], detail["operation"]["id"], detail["sequence"], event, detail)
