"""The queue of requests by event."""

from math import ceil
from typing import Any


class SqsRequests:
    """An SQS queue whose messages wait by being hidden.

    A message sent again would be a loop of the function through its own queue, which Lambda stops after 16 rounds.
    """

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._url = queue_url

    def hide(self, receipt_handle: str, seconds: float) -> None:
        """Have a message that was received come back after `seconds`, twelve hours at most."""
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=ceil(seconds)
        )
