"""Listening on a bus, and leaving nothing behind. (moto's bus needs a package that nothing else here does; that
its rule brings events is shown on the embedded stack.)
"""

import json
from typing import Any

import boto3
import pytest

from imagegate.adapters.event_tail import BEAT, STALE_AFTER, EventTail
from support.fakes import FakeClock

ALL = {"source": [{"prefix": ""}]}


@pytest.fixture(autouse=True)
def bus(mocked_aws: None) -> None:
    boto3.client("events").create_event_bus(Name="imagegate-dev")


def client(service: str) -> Any:
    return boto3.client(service)  # type: ignore[call-overload]


def tail(clock: FakeClock, pattern: dict[str, Any] = ALL, stage: str = "dev") -> EventTail:
    return EventTail(client, stage, "imagegate-dev", pattern, clock)


def deliver(source: str) -> None:
    """Do what the listener's rule does with an event: send it to the rule's target."""
    events, sqs = boto3.client("events"), boto3.client("sqs")
    [rule] = events.list_rules(EventBusName="imagegate-dev")["Rules"]
    [target] = events.list_targets_by_rule(Rule=rule["Name"], EventBusName="imagegate-dev")["Targets"]
    queue = sqs.get_queue_url(QueueName=target["Arn"].rpartition(":")[2])["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"source": source}))


def things() -> tuple[int, int]:
    """How many queues and rules there are."""
    queues = boto3.client("sqs").list_queues().get("QueueUrls", [])
    return len(queues), len(boto3.client("events").list_rules(EventBusName="imagegate-dev")["Rules"])


def test_it_asks_for_what_matches_hears_it_once_and_leaves_nothing_behind() -> None:
    with tail(FakeClock(), {"source": ["shop"]}) as listening:
        assert things() == (1, 1)
        [rule] = boto3.client("events").list_rules(EventBusName="imagegate-dev")["Rules"]
        assert json.loads(rule["EventPattern"]) == {"source": ["shop"]}
        heard = listening.events()
        for source in ("a", "b", "c"):
            deliver(source)
            assert next(heard) == {"source": source}
        [queue] = boto3.client("sqs").list_queues()["QueueUrls"]
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = boto3.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        assert set(counts.values()) == {"0"}
    assert things() == (0, 0)


def test_only_its_rule_may_send_to_its_queue() -> None:
    with tail(FakeClock()):
        [queue] = boto3.client("sqs").list_queues()["QueueUrls"]
        got = boto3.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        [rule] = boto3.client("events").list_rules(EventBusName="imagegate-dev")["Rules"]
    [statement] = json.loads(got["Policy"])["Statement"]
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": rule["Arn"]}}
    assert (statement["Action"], statement["Resource"]) == ("sqs:SendMessage", got["QueueArn"])
    assert got["MessageRetentionPeriod"] == "60"


def test_an_error_or_ctrl_c_leaves_nothing_behind_either(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt), tail(FakeClock()):
        raise KeyboardInterrupt
    assert things() == (0, 0)
    broken = tail(FakeClock())
    monkeypatch.setattr(broken._events, "put_targets", lambda **_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt), broken:
        pass
    assert things() == (0, 0)


def test_what_a_killed_one_left_is_removed_by_the_next_of_its_stage() -> None:
    clock = FakeClock()
    tail(clock).__enter__()
    clock.sleep(STALE_AFTER + 1)
    with tail(clock, stage="other"):
        assert things() == (2, 2)
    with tail(clock):
        assert things() == (1, 1)
    assert things() == (0, 0)


def test_one_that_still_listens_is_left_alone_however_long_it_does() -> None:
    clock = FakeClock()
    with tail(clock) as first:
        heard = first.events()
        for _ in range(10):
            clock.sleep(BEAT)
            deliver("shop")
            next(heard)
        with tail(clock):
            assert things() == (2, 2)
        assert things() == (1, 1)
