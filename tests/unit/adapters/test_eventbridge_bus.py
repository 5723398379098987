"""The bus adapter: what it sends, in which portions, and what it does about refusals."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from imagegate.adapters.eventbridge_bus import EventBridgeBus
from imagegate.adapters.sqs_dead_letters import SqsDeadLetters
from imagegate.adapters.sqs_requests import SqsRequests
from imagegate.domain.operation.events import Event
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.picture import Picture
from imagegate.domain.request.request import ImageRequest, Message
from support.fakes import FakeClock

PICTURE = Picture(
    slot=0,
    key="images/2m/x/0.webp",
    sha256="0" * 64,
    content_type="image/webp",
    width=64,
    height=48,
    bytes=100,
    provider="alpha",
)


def event(number: int = 1, prompt: str = "кот", **changes: Any) -> Event:
    made = Operation(
        id=f"{number:020}",
        owner="me",
        dialect="operations",
        request=ImageRequest(model="flux", messages=(Message(prompt),)),
        created_at=1,
        deadline=2,
        due_at=3,
    )
    return Event(replace(made, updated_at=5.0, **changes))


@dataclass
class Bus:
    """put_events as EventBridge answers it. `moods`, call by call: positions it refuses, or what it raises."""

    moods: list[set[int] | Exception] = field(default_factory=list)
    calls: list[list[dict[str, Any]]] = field(default_factory=list)

    def put_events(self, Entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
        self.calls.append(list(Entries))
        mood = self.moods.pop(0) if self.moods else set()
        if isinstance(mood, Exception):
            raise mood
        refused = {"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}
        entries = [refused if at in mood else {"EventId": "x"} for at in range(len(Entries))]
        return {"FailedEntryCount": len(mood), "Entries": entries}

    def publish(self, events: Sequence[Event]) -> list[int]:
        self.clock = FakeClock()
        return EventBridgeBus(self, "bus", "pictures", self.clock.sleep).publish(events)

    @property
    def numbers(self) -> list[list[int]]:
        return [[int(json.loads(entry["Detail"])["event_id"][:20]) for entry in call] for call in self.calls]


def test_an_announcement_says_what_where_and_in_which_order() -> None:
    bus = Bus()
    assert bus.publish([event(pictures=(PICTURE,))]) == []
    [[entry]] = bus.calls
    assert (entry["EventBusName"], entry["Source"]) == ("bus", "imagegate")
    assert entry["DetailType"] == "Image Generation Queued"
    assert entry["Time"].timestamp() == 5.0
    detail = json.loads(entry["Detail"])
    assert (detail["event_id"], detail["sequence"], detail["owner"]) == (f"{1:020}.1", 1, "me")
    [image] = detail["operation"]["images"]
    assert (image["bucket"], image["key"]) == ("pictures", "images/2m/x/0.webp")


def test_letters_of_other_alphabets_are_not_escaped() -> None:
    bus = Bus()
    bus.publish([event(prompt="ж" * 1000)])
    assert "ж" * 1000 in bus.calls[0][0]["Detail"]


def test_nothing_to_announce_is_no_call() -> None:
    bus = Bus()
    assert bus.publish([]) == []
    assert not bus.calls


def test_announcements_go_out_in_tens() -> None:
    bus = Bus()
    assert bus.publish([event(at) for at in range(23)]) == []
    assert bus.numbers == [list(range(10)), list(range(10, 20)), [20, 21, 22]]


def test_a_call_stays_within_what_eventbridge_takes() -> None:
    bus = Bus()
    large = {f"{at:02}": "🦊" * 512 for at in range(16)}
    events = [event(at, prompt="🦊" * 32_000, metadata=large) for at in range(12)]
    assert bus.publish(events) == []
    assert [at for call in bus.numbers for at in call] == list(range(12))
    assert all(sum(len(entry["Detail"].encode()) for entry in call) < 250_000 for call in bus.calls)
    assert max(map(len, bus.calls)) > 1


def test_refused_entries_alone_are_sent_again() -> None:
    bus = Bus([{2, 5}, {1}])
    assert bus.publish([event(at) for at in range(8)]) == []
    assert bus.numbers == [list(range(8)), [2, 5], [5]]


THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "PutEvents")


@pytest.mark.parametrize("mood", [{2}, THROTTLED, ReadTimeoutError(endpoint_url="https://events")])
def test_what_is_refused_to_the_last_is_named_and_what_is_behind_it_is_not_sent(mood: Any) -> None:
    bus = Bus([{2} if mood == {2} else mood, {0} if mood == {2} else mood, {0} if mood == {2} else mood])
    expected = [2] if mood == {2} else list(range(10))
    assert bus.publish([event(at) for at in range(15)]) == [*expected, 10, 11, 12, 13, 14]
    assert len(bus.calls) == 3
    assert bus.clock.now() - FakeClock().now() < 1


@pytest.mark.usefixtures("mocked_aws")
def test_dead_letters_are_looked_at_where_they_are() -> None:
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="dead")["QueueUrl"]
    dead_letters = SqsDeadLetters(sqs, queue)
    assert list(dead_letters.every()) == []
    for number in range(12):
        dead_letters.put(str(number), "invalid_request", f"Reason {number}.")
    sqs.send_message(QueueUrl=queue, MessageBody="moved")
    found = sorted(dead_letters.every(), key=lambda entry: entry.reason)
    assert {entry.message for entry in found} == {"moved", *map(str, range(12))}
    assert (found[0].code, found[0].reason) == ("", "")
    assert found[1].sent_at > 1.7e9
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessagesNotVisible"] == "13"


@pytest.mark.usefixtures("mocked_aws")
def test_a_request_that_waits_is_hidden_and_stays_the_same_message() -> None:
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="requests", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    sent = sqs.send_message(QueueUrl=queue, MessageBody="later")["MessageId"]
    requests = SqsRequests(sqs, queue)
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    requests.hide(message["ReceiptHandle"], 899.5)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    requests.hide(message["ReceiptHandle"], 0)
    [again] = sqs.receive_message(QueueUrl=queue, AttributeNames=["All"])["Messages"]
    assert (again["MessageId"], again["Attributes"]["ApproximateReceiveCount"]) == (sent, "2")


@pytest.mark.usefixtures("mocked_aws")
def test_a_dead_letter_says_why() -> None:
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="dead")["QueueUrl"]
    SqsDeadLetters(sqs, queue).put("{}", "unreadable", "x" * 5_000)
    [letter] = sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["All"])["Messages"]
    assert letter["Body"] == "{}"
    assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "unreadable"
    assert letter["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"] == "x" * 1_000
