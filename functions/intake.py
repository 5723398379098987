"""Requests that arrive as events, from their queue -> operations."""

import logging
from typing import Any

from imagegate.wiring import front

intake = front.intake()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Begin a batch of requests; name the messages to be delivered again."""
    failed = [record["messageId"] for record in event["Records"] if not _taken(record["body"])]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _taken(message: str) -> bool:
    try:
        intake(message)
    except Exception:  # the others of the batch are not to blame
        logging.exception("a request could not be taken in")
        return False
    return True
