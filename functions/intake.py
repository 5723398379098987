"""Requests that arrive as events, from their queue -> operations."""

import logging
from typing import Any

from imagegate.deployment import Deployment

deployment = Deployment.from_environment()
intake, queue = deployment.intake, deployment.intake_queue


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Begin a batch of requests; name the messages that come back, hidden until it is time for them."""
    again = [record for record in event["Records"] if _comes_back(record)]
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in again]}


def _comes_back(record: dict[str, Any]) -> bool:
    try:
        wait = intake(record["body"], int(record["attributes"]["SentTimestamp"]) / 1000)
        if wait is not None:
            queue.hide(record["receiptHandle"], wait)
    except Exception:  # the others of the batch are not to blame
        logging.exception("a request could not be taken in")
        return True
    return wait is not None
