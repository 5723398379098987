"""Messages that nobody can handle, in an SQS queue with an alarm."""

from typing import Any

_LONGEST_REASON = 1_000


class SqsDeadLetters:
    """The DeadLetters port. The reason goes into the attributes that EventBridge uses for its own dead letters."""

    def __init__(self, client: Any, queue: str) -> None:
        """`queue`: its URL."""
        self._client = client
        self._queue = queue

    def put(self, message: str, code: str, reason: str) -> None:
        """Put a message aside."""
        told = {"ERROR_CODE": code, "ERROR_MESSAGE": reason[:_LONGEST_REASON]}
        attributes = {name: {"DataType": "String", "StringValue": text} for name, text in told.items()}
        self._client.send_message(QueueUrl=self._queue, MessageBody=message, MessageAttributes=attributes)
