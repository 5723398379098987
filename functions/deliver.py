"""The queue of webhooks -> the receivers."""

import logging
from typing import Any

from imagegate.adapters.sqs_webhooks import notice_of
from imagegate.deployment import Deployment
from imagegate.domain.errors import Conflict

deployment = Deployment.from_environment()
deliver, queue = deployment.deliver, deployment.webhook_queue
_AFTER_CONFLICT = 5.0


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Attempt deliveries; name the messages that come back, hidden until it is time for them."""
    again = [record for record in event["Records"] if _comes_back(record)]
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in again]}


def _comes_back(record: dict[str, Any]) -> bool:
    notice = notice_of(record)
    if notice is None:
        logging.warning("message %s of the queue names no delivery; it is dropped", record["messageId"])
        return False
    try:
        wait = deliver(notice)
    except Conflict:
        wait = _AFTER_CONFLICT
    if wait is not None:
        queue.hide(record["receiptHandle"], wait)
    return wait is not None
