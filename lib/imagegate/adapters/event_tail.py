"""Listen on an EventBridge bus for a while, through a temporary queue and rule.

A listener tags its queue every minute. A queue whose tag is older belongs to a listener that was killed, and the next
one removes it.
"""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from imagegate.ports.runtime import Clock

BEAT = 60.0
STALE_AFTER = 300.0
"""Seconds without a sign of life after which a listener counts as gone."""
_SIGN_OF_LIFE = "imagegate:listened-at"
_RETENTION = "60"
"""Seconds; the shortest there is."""
_WAIT = 5
"""Seconds that one receive call waits for events; shorter than the client's timeout."""
_TARGET = "queue"
Event = Mapping[str, Any]


class EventTail:
    """A context manager; within it, `events` are those of the bus from now on."""

    def __init__(
        self, client: Callable[[str], Any], stage: str, bus: str, pattern: Mapping[str, Any], clock: Clock
    ) -> None:
        """`client` makes clients by service, `pattern` says which events."""
        self._sqs, self._events = client("sqs"), client("events")
        self._prefix = f"imagegate-{stage}-tail-"
        self._name = self._prefix + secrets.token_hex(4)
        self._bus = bus
        self._pattern = json.dumps(pattern)
        self._clock = clock
        self._queue = ""
        self._beat_at = 0.0

    def __enter__(self) -> Self:
        self._remove_stale()
        try:
            self._listen()
        except BaseException:
            self._remove(self._name)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove(self._name)

    def events(self) -> Iterator[Event]:
        """Events as they come, in the form in which EventBridge delivers them; without end."""
        while True:
            self._beat()
            answer = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=_WAIT)
            messages = answer.get("Messages", [])
            if messages:
                handles = [
                    {"Id": str(at), "ReceiptHandle": message["ReceiptHandle"]} for at, message in enumerate(messages)
                ]
                self._sqs.delete_message_batch(QueueUrl=self._queue, Entries=handles)
            yield from (json.loads(message["Body"]) for message in messages)

    def _listen(self) -> None:
        """The queue first: whatever else is left over is found by it."""
        tags = {_SIGN_OF_LIFE: str(int(self._clock.now()))}
        attributes = {"MessageRetentionPeriod": _RETENTION}
        self._queue = self._sqs.create_queue(QueueName=self._name, Attributes=attributes, tags=tags)["QueueUrl"]
        self._beat_at = self._clock.now()
        got = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        arn = got["Attributes"]["QueueArn"]
        rule = self._events.put_rule(Name=self._name, EventBusName=self._bus, EventPattern=self._pattern)
        policy = json.dumps(_only_from(rule["RuleArn"], arn))
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": policy})
        target = {"Id": _TARGET, "Arn": arn}
        self._events.put_targets(Rule=self._name, EventBusName=self._bus, Targets=[target])

    def _beat(self) -> None:
        now = self._clock.now()
        if now - self._beat_at >= BEAT:
            self._sqs.tag_queue(QueueUrl=self._queue, Tags={_SIGN_OF_LIFE: str(int(now))})
            self._beat_at = now

    def _remove_stale(self) -> None:
        for page in self._sqs.get_paginator("list_queues").paginate(QueueNamePrefix=self._prefix):
            for queue in page.get("QueueUrls", []):
                with suppress(self._sqs.exceptions.QueueDoesNotExist):
                    tags = self._sqs.list_queue_tags(QueueUrl=queue).get("Tags", {})
                    if self._clock.now() - float(tags.get(_SIGN_OF_LIFE, 0)) > STALE_AFTER:
                        self._remove(queue.rpartition("/")[2])

    def _remove(self, name: str) -> None:
        """Remove a listener's things, the queue last; what does not work now the next listener does."""
        with suppress(ClientError, BotoCoreError):
            with suppress(self._events.exceptions.ResourceNotFoundException):
                self._events.remove_targets(Rule=name, EventBusName=self._bus, Ids=[_TARGET])
                self._events.delete_rule(Name=name, EventBusName=self._bus)
            with suppress(self._sqs.exceptions.QueueDoesNotExist):
                self._sqs.delete_queue(QueueUrl=self._sqs.get_queue_url(QueueName=name)["QueueUrl"])


def _only_from(rule: str, queue: str) -> dict[str, Any]:
    """The policy that allows only a rule to send to a queue."""
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    return {"Version": "2012-10-17", "Statement": [allow]}
