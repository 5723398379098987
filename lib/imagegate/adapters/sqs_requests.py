"""The queue of requests by event."""

from typing import Any

_LONGEST_DELAY = 900
"""Seconds; SQS knows no longer one."""


class SqsRequests:
    """The RequestQueue on an SQS queue. A message put back is a new one, whose failures are not counted yet."""

    def __init__(self, client: Any, queue: str) -> None:
        """`queue`: its URL."""
        self._client = client
        self._queue = queue

    def put_back(self, message: str, seconds: float) -> None:
        """Have a message delivered again after `seconds`."""
        delay = min(_LONGEST_DELAY, round(seconds))
        self._client.send_message(QueueUrl=self._queue, MessageBody=message, DelaySeconds=delay)
