"""Messages that cannot be handled, in an SQS queue with an alarm."""

from collections.abc import Iterator
from typing import Any

from imagegate.ports.messaging import DeadLetter

_CODE, _REASON = "ERROR_CODE", "ERROR_MESSAGE"
_LONGEST_REASON = 1_000
_HIDDEN_SECONDS = 20
"""Seconds for which a received letter is hidden, so that a listing shows each letter once."""


class SqsDeadLetters:
    """The DeadLetters port. The reason goes into the attributes that EventBridge uses for its own dead letters."""

    def __init__(self, client: Any, queue: str) -> None:
        """`queue`: its URL."""
        self._client = client
        self._queue = queue

    def put(self, message: str, code: str, reason: str) -> None:
        """Put a message aside."""
        values = {_CODE: code, _REASON: reason[:_LONGEST_REASON]}
        attributes = {name: {"DataType": "String", "StringValue": text} for name, text in values.items()}
        self._client.send_message(QueueUrl=self._queue, MessageBody=message, MessageAttributes=attributes)

    def every(self) -> Iterator[DeadLetter]:
        """What lies there and stays there. One that SQS moved itself has neither code nor reason."""
        while True:
            answer = self._client.receive_message(
                QueueUrl=self._queue,
                MaxNumberOfMessages=10,
                VisibilityTimeout=_HIDDEN_SECONDS,
                WaitTimeSeconds=1,
                MessageAttributeNames=[_CODE, _REASON],
                MessageSystemAttributeNames=["SentTimestamp"],
            )
            if not answer.get("Messages"):
                return
            yield from map(_letter, answer["Messages"])


def _letter(message: Any) -> DeadLetter:
    attributes = {name: entry["StringValue"] for name, entry in message.get("MessageAttributes", {}).items()}
    sent_at = float(message["Attributes"]["SentTimestamp"]) / 1000
    return DeadLetter(
        message=message["Body"], code=attributes.get(_CODE, ""), reason=attributes.get(_REASON, ""), sent_at=sent_at
    )
