"""Deliveries, dead letters and the key for webhook secrets, on AWS's own interfaces."""

import base64
import json
from dataclasses import replace
from typing import Any

import boto3
import pytest

from imagegate.adapters.dynamodb_api_keys import DynamoDBApiKeys
from imagegate.adapters.dynamodb_deliveries import DynamoDBDeliveries
from imagegate.adapters.dynamodb_listing import DynamoDBListing
from imagegate.adapters.dynamodb_receivers import DynamoDBReceivers
from imagegate.adapters.sqs_webhooks import LONGEST_HIDING, SqsWebhooks, notice_of
from imagegate.adapters.ssm_webhook_key import SsmWebhookKey
from imagegate.domain.access.api_key import KeyWebhook, issue
from imagegate.domain.errors import Conflict, Unreachable
from imagegate.domain.operation.listing import Query
from imagegate.domain.timing.circuit import FAILURES
from imagegate.domain.webhooks.delivery import Delivery, DeliveryAttempt, DeliveryState, RetryPolicy
from imagegate.usecases.deliver import Notice
from support.deployed import operations_table
from support.fakes import FakeClock

OP = "0" * 20
NOW = FakeClock().time
NEW = Delivery(
    operation_id=OP,
    sequence=3,
    event="succeeded",
    event_id=f"{OP}.3",
    body='{"a":"лиса"}',
    announced_at=NOW,
    expires_at=NOW + 60,
    message_id="message",
    version=1,
)


pytestmark = pytest.mark.usefixtures("mocked_aws")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def deliveries(clock: FakeClock) -> DynamoDBDeliveries:
    return DynamoDBDeliveries(boto3.client("dynamodb"), operations_table(), clock.now)


def test_a_delivery_comes_back_as_it_was_written(deliveries: DynamoDBDeliveries) -> None:
    assert deliveries.get(OP, 3) is None
    tried = replace(
        NEW.with_attempt(DeliveryAttempt(at=NOW, seconds=0.25, status=503, retry_after=9.0), RetryPolicy()), version=1
    )
    deliveries.put(tried)
    assert deliveries.get(OP, 3) == tried
    ended = replace(
        tried.with_attempt(DeliveryAttempt(at=NOW + 9, seconds=0.25, error="No answer in time."), RetryPolicy()),
        version=2,
    )
    deliveries.put(ended)
    assert deliveries.get(OP, 3) == ended


@pytest.mark.parametrize("version", [1, 2, 4])
def test_it_is_written_over_its_last_version_only(deliveries: DynamoDBDeliveries, version: int) -> None:
    for at in (1, 2):
        deliveries.put(replace(NEW, version=at))
    with pytest.raises(Conflict):
        deliveries.put(replace(NEW, version=version))


def test_all_of_an_operation_in_order_and_nothing_else(deliveries: DynamoDBDeliveries) -> None:
    for sequence, event in [(10, "succeeded"), (1, "queued"), (2, "started")]:
        deliveries.put(replace(NEW, sequence=sequence, event=event, state=DeliveryState.DELIVERED))
    deliveries.put(replace(NEW, operation_id="1" * 20))
    assert [delivery.sequence for delivery in deliveries.of(OP)] == [1, 2, 10]
    assert deliveries.tried(OP) == {"queued", "started", "succeeded"}
    assert deliveries.tried("2" * 20) == set()
    deliveries.forget(OP)
    assert deliveries.of(OP) == []
    assert len(deliveries.of("1" * 20)) == 1


def test_no_list_of_operations_shows_them(deliveries: DynamoDBDeliveries, clock: FakeClock) -> None:
    deliveries.put(NEW)
    listing = DynamoDBListing(boto3.client("dynamodb"), "operations", clock.now)
    for owner in ("everybody", OP, "delivery"):
        assert listing.page(Query(owner=owner, size=20)).operations == ()


def test_what_is_past_its_retention_is_gone(deliveries: DynamoDBDeliveries, clock: FakeClock) -> None:
    deliveries.put(NEW)
    deliveries.disable("me", "https://a.example", NOW + 60)
    clock.sleep(61)
    assert deliveries.get(OP, 3) is None
    assert deliveries.of(OP) == []
    assert not deliveries.is_disabled("me", "https://a.example")


def test_a_receiver_is_disabled_for_one_owner_until_it_is_enabled(deliveries: DynamoDBDeliveries) -> None:
    deliveries.disable("me", "https://a.example", NOW + 60)
    assert deliveries.is_disabled("me", "https://a.example")
    assert not deliveries.is_disabled("you", "https://a.example")
    assert not deliveries.is_disabled("me", "https://b.example")
    deliveries.enable("me", "https://a.example")
    deliveries.enable("me", "https://a.example")
    assert not deliveries.is_disabled("me", "https://a.example")


def test_keys_from_before_there_were_webhooks_can_be_read() -> None:
    client, table = boto3.client("dynamodb"), operations_table()
    keys = DynamoDBApiKeys(client, table)
    key, _ = issue(
        "x", NOW, webhook=KeyWebhook(url="https://a.example", events=("failed",), generation=2, former_until=9.0)
    )
    keys.put(key)
    assert keys.get(key.id) == key
    document = json.loads(client.get_item(TableName=table, Key={"pk": {"S": f"apikey#{key.id}"}})["Item"]["body"]["S"])
    del document["webhook"]
    values: Any = {":body": {"S": json.dumps(document)}}
    client.update_item(
        TableName=table,
        Key={"pk": {"S": f"apikey#{key.id}"}},
        UpdateExpression="SET body = :body",
        ExpressionAttributeValues=values,
    )
    assert keys.get(key.id) == replace(key, webhook=KeyWebhook())


def received(queue: str) -> list[Any]:
    return boto3.client("sqs").receive_message(QueueUrl=queue, MessageAttributeNames=["All"]).get("Messages", [])


def record(body: str, receives: int = 1) -> dict[str, Any]:
    return {"messageId": "m", "body": body, "attributes": {"ApproximateReceiveCount": str(receives)}}


def test_a_message_names_a_delivery_and_so_does_an_announcement_that_the_bus_once_sent() -> None:
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="webhooks")["QueueUrl"]
    SqsWebhooks(sqs, queue).put(OP, 3)
    [message] = received(queue)
    assert notice_of(record(message["Body"], 7)) == Notice(
        message_id="m", text=message["Body"], operation_id=OP, sequence=3, receives=7
    )
    detail = {"event_id": f"{OP}.3", "sequence": 3, "operation": {"id": OP}}
    text = json.dumps({"source": "imagegate", "detail-type": "Image Generation Succeeded", "detail": detail})
    assert notice_of(record(text)) == Notice(message_id="m", text=text, operation_id=OP, sequence=3)


@pytest.mark.parametrize(
    "body",
    [
        "", "{", "[]", "{}", '"again"', '{"again": 5}', '{"again": {"operation": {"id": "x"}, "sequence": 1}}',
        '{"detail": null}', f'{{"detail": {{"operation": {{"id": "{OP}"}}, "sequence": true}}}}',
        f'{{"detail": {{"operation": {{"id": "{OP}"}}, "sequence": "1"}}}}',
        f'{{"detail": {{"operation": {{"id": ["{OP}"]}}, "sequence": 1}}}}',
    ],
)  # fmt: skip
def test_a_message_that_names_no_delivery_is_none(body: str) -> None:
    assert notice_of(record(body)) is None


def test_what_was_never_tried_counts_as_that(deliveries: DynamoDBDeliveries) -> None:
    deliveries.put(replace(NEW, event="queued", sequence=1))
    deliveries.put(replace(NEW, event="started", sequence=2, tries=(DeliveryAttempt(at=NOW, seconds=0.1, status=500),)))
    deliveries.put(replace(NEW, event="failed", sequence=3, state=DeliveryState.DISABLED))
    assert deliveries.tried(OP) == {"started", "failed"}


def test_an_operations_posts_are_counted_to_their_end(deliveries: DynamoDBDeliveries) -> None:
    assert deliveries.posts(OP) == 0
    assert [deliveries.count_post(OP, 2, NOW + 60) for _ in range(3)] == [True, True, False]
    assert deliveries.posts(OP) == 2
    assert deliveries.count_post("1" * 20, 2, NOW + 60)
    deliveries.forget(OP)
    assert deliveries.posts(OP) == 0


def test_redeliveries_keep_their_distance(deliveries: DynamoDBDeliveries, clock: FakeClock) -> None:
    assert deliveries.begin_redelivery(OP, 60, NOW + 999) == 0
    clock.sleep(20)
    assert deliveries.begin_redelivery(OP, 60, NOW + 999) == pytest.approx(40, abs=0.01)
    clock.sleep(40)
    assert deliveries.begin_redelivery(OP, 60, NOW + 999) == 0
    assert deliveries.posts(OP) == 0


@pytest.fixture
def receivers(clock: FakeClock) -> DynamoDBReceivers:
    return DynamoDBReceivers(boto3.client("dynamodb"), operations_table(), clock.now)


def test_one_at_a_time_has_its_turn_at_a_receiver(receivers: DynamoDBReceivers, clock: FakeClock) -> None:
    assert receivers.take("me#a", "one", NOW + 25)
    assert receivers.take("me#a", "one", NOW + 25), "the same message again"
    assert not receivers.take("me#a", "two", NOW + 25)
    assert receivers.take("me#b", "two", NOW + 25)
    receivers.release("me#a", "two")
    assert not receivers.take("me#a", "two", NOW + 25)
    receivers.release("me#a", "one")
    receivers.release("me#a", "one")
    assert receivers.take("me#a", "two", NOW + 25)
    clock.sleep(25)
    assert receivers.take("me#a", "one", NOW + 50), "a turn ends"


def test_a_receiver_that_fails_is_spared_by_every_process(receivers: DynamoDBReceivers, clock: FakeClock) -> None:
    for number in range(FAILURES):
        receivers.report("me#a", False, f"event {number}")
    other = DynamoDBReceivers(boto3.client("dynamodb"), "operations", clock.now)
    assert other.admit("me#a") > clock.now()
    assert other.admit("you#a") == 0
    other.report("me#a", True, "event 9")
    assert DynamoDBReceivers(boto3.client("dynamodb"), "operations", clock.now).admit("me#a") == 0


def test_a_key_that_is_not_to_be_made_is_missed() -> None:
    with pytest.raises(Unreachable):
        SsmWebhookKey(boto3.client("ssm"), "/k/dev", makes=False)()
    made = SsmWebhookKey(boto3.client("ssm"), "/k/dev")()
    assert SsmWebhookKey(boto3.client("ssm"), "/k/dev", makes=False)() == made


def test_no_message_is_hidden_for_longer_than_sqs_allows() -> None:
    hidden = []

    class Sqs:
        def change_message_visibility(self, **request: Any) -> None:
            hidden.append(request["VisibilityTimeout"])

    for seconds in (0.0, 5.9, 86_400.0):
        SqsWebhooks(Sqs(), "queue").hide("receipt", seconds)
    assert hidden == [0, 6, LONGEST_HIDING]
    assert LONGEST_HIDING < 43_200


def test_the_first_who_needs_the_key_makes_it_and_all_have_the_same() -> None:
    ssm = boto3.client("ssm")
    first, second = SsmWebhookKey(ssm, "/k/dev"), SsmWebhookKey(ssm, "/k/dev")
    assert first() == second() == first()
    assert len(first()) == 32
    parameter = ssm.get_parameter(Name="/k/dev", WithDecryption=True)["Parameter"]
    assert (parameter["Type"], base64.b64decode(parameter["Value"])) == ("SecureString", first())
    assert SsmWebhookKey(ssm, "/k/prod")() != first()


def test_of_two_who_make_the_key_at_once_both_have_the_one_that_was_first(monkeypatch: pytest.MonkeyPatch) -> None:
    ssm = boto3.client("ssm")
    second = SsmWebhookKey(ssm, "/k/dev")
    looked = []

    def unseen(self: SsmWebhookKey) -> bytes:
        looked.append(self)
        return b"" if len(looked) == 1 else read(self)

    read = SsmWebhookKey._read
    first = SsmWebhookKey(ssm, "/k/dev")()
    monkeypatch.setattr(SsmWebhookKey, "_read", unseen)
    assert second() == first
