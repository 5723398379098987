"""Webhooks on the template as deployed: the bus, the queue, the function and its role, and a receiver that verifies."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from imagegate.domain.webhooks.delivery import MOST_POSTS
from imagegate.domain.webhooks.webhook import secret_text
from imagegate.local.stack.stack import Stack
from imagegate.usecases.retry import MOST_RETRIES
from support.receiver import Receiver, receiving

pytestmark = pytest.mark.slow

Until = Callable[..., Any]
SECRET = secret_text(bytes(range(32)))
ENDS = ["succeeded"]


def started(stack: Stack, receiver: Receiver, **webhook: Any) -> str:
    """The URL of an operation that announces to the receiver."""
    hook = {"url": receiver.url, "secret": SECRET, **webhook}
    body = {"model": "flux", "prompt": "a cat", "size": {"width": 256, "height": 256}, "webhook": hook}
    answer = requests.post(f"{stack.base_url}/v1/operations", json=body)
    assert answer.status_code == 202, answer.text
    assert SECRET not in answer.text
    return stack.base_url + answer.json()["urls"]["self"]


def deliveries(url: str) -> list[dict[str, Any]]:
    return requests.get(f"{url}/deliveries").json()["deliveries"]


def test_a_receiver_hears_of_everything_in_order(stack: Stack, until: Until) -> None:
    with receiving(Receiver(SECRET)) as receiver:
        url = started(stack, receiver)
        until(lambda: len(receiver.received) >= 3)
    assert receiver.refused == []
    assert receiver.types() == [f"image_generation.{word}" for word in ("queued", "started", "succeeded")]
    sequences = [delivery.body["data"]["sequence"] for delivery in receiver.received]
    assert sequences == sorted(sequences)
    assert len({delivery.webhook_id for delivery in receiver.received}) == 3
    reported = receiver.received[-1].body["data"]["operation"]
    [image] = reported["images"]
    assert requests.get(image["url"]).headers["content-type"] == image["content_type"]
    assert requests.get(reported["urls"]["self"]).json()["id"] == reported["id"]
    assert [delivery["state"] for delivery in deliveries(url)] == ["delivered"] * 3
    assert requests.post(f"{url}:redeliver").status_code == 409


def test_a_receiver_that_fails_gets_it_again_under_the_same_id(stack: Stack, until: Until) -> None:
    with receiving(Receiver(SECRET, statuses=[500, 302, 503])) as receiver:
        url = started(stack, receiver, events=ENDS)
        until(lambda: len(receiver.received) == 4)
        until(lambda: deliveries(url)[0]["state"] == "delivered")
    assert len({delivery.webhook_id for delivery in receiver.received}) == 1
    assert [entry["status"] for entry in deliveries(url)[0]["attempts"]] == [500, 302, 503, 204]


def test_a_dead_receiver_leaves_a_dead_letter_that_can_be_redelivered(
    stack: Stack, aws: Callable[[str], Any], until: Until
) -> None:
    sqs, queue = aws("sqs"), stack.outputs["UndeliveredQueueUrl"]

    def dead(operation_id: str) -> Any:
        answer = sqs.receive_message(
            QueueUrl=queue, MessageAttributeNames=["All"], MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return next((entry for entry in answer.get("Messages", []) if operation_id in entry["Body"]), None)

    with receiving(Receiver(SECRET, then=500)) as receiver:
        url = started(stack, receiver, events=ENDS)
        letter = until(lambda: dead(url.rpartition("/")[2]))
        assert "after 10 attempts" in letter["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]
        until(lambda: deliveries(url)[0]["state"] == "dead")
        assert len(receiver.received) == 10
        receiver.then = 200
        again = requests.post(f"{url}:redeliver")
        assert (again.status_code, again.json()["deliveries"][0]["state"]) == (202, "pending")
        until(lambda: deliveries(url)[0]["state"] == "delivered")
        # The letter itself, moved back by hand as the console does, is known to have arrived.
        others = waiting(sqs, stack.outputs["WebhookQueueUrl"])
        sqs.send_message(QueueUrl=stack.outputs["WebhookQueueUrl"], MessageBody=letter["Body"])
        until(lambda: waiting(sqs, stack.outputs["WebhookQueueUrl"]) <= others)
    assert len(receiver.received) == 11
    assert {delivery.webhook_id for delivery in receiver.received} == {deliveries(url)[0]["webhook_id"]}


def waiting(sqs: Any, queue: str) -> int:
    """Messages of the queue, those under way or put off included: other tests may have left some."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def test_a_receiver_that_is_gone_is_left_alone(stack: Stack, until: Until) -> None:
    with receiving(Receiver(SECRET, then=410)) as receiver:
        url = started(stack, receiver)
        until(lambda: [delivery["state"] for delivery in deliveries(url)] == ["disabled"] * 3)
        assert receiver.types() == ["image_generation.queued"]
        assert requests.get(f"{url}/deliveries").json()["webhook"]["disabled"]
        receiver.then = 200
        event_id = deliveries(url)[1]["event_id"]
        assert requests.post(f"{url}:redeliver", json={"event_id": event_id}).status_code == 202
        until(lambda: deliveries(url)[1]["state"] == "delivered")
    assert receiver.types() == ["image_generation.queued", "image_generation.started"]


def test_an_openai_client_brings_its_webhook_along_and_the_secret_is_nowhere(stack: Stack, until: Until) -> None:
    with receiving(Receiver(SECRET)) as receiver:
        hook = {"url": receiver.url, "secret": SECRET, "events": ENDS}
        body = {"model": "flux", "prompt": "a dog", "webhook": hook}
        answer = requests.post(f"{stack.base_url}/v1/images/generations", json=body).json()
        [received] = until(lambda: receiver.received)
    assert received.body["data"]["operation"]["id"] == answer["operation_id"]
    items = json.dumps(stack.client("dynamodb").scan(TableName=stack.outputs["TableName"])["Items"], default=repr)
    assert receiver.url in items
    assert SECRET.removeprefix("whsec_") not in items


def test_what_is_not_on_the_internet_is_refused_at_once(stack: Stack) -> None:
    body = {"model": "flux", "prompt": "a cat", "webhook": {"url": "https://169.254.169.254/latest", "secret": SECRET}}
    refused = requests.post(f"{stack.base_url}/v1/operations", json=body)
    assert (refused.status_code, refused.json()["code"]) == (400, "webhook_refused")
    assert refused.json()["param"] == "webhook.url"


def test_a_forged_announcement_is_heard_by_no_receiver_and_suppresses_nothing(
    stack: Stack, aws: Callable[[str], Any], announced: Callable[..., list[dict[str, Any]]], until: Until
) -> None:
    """By the bus, with the rights of root, and by the queue itself, ahead of the event and behind it."""
    with receiving(Receiver(SECRET)) as receiver:
        others = waiting(aws("sqs"), stack.outputs["WebhookQueueUrl"])
        url = started(stack, receiver)
        [real, *_] = until(lambda: announced(url.rpartition("/")[2]))
        for sequence in range(1, 12):
            forge(stack, aws, real, sequence)
        until(lambda: "image_generation.succeeded" in receiver.types())
        until(lambda: [delivery["state"] for delivery in deliveries(url)] == ["delivered"] * 3)
        for sequence in (*range(1, 12), 2**31):
            forge(stack, aws, real, sequence)
        until(lambda: waiting(aws("sqs"), stack.outputs["WebhookQueueUrl"]) <= others)
    assert receiver.refused == []
    # Delivery is at least once: a forged message may hand out the real body while that is under way.
    once = {delivery.webhook_id: delivery.body for delivery in receiver.received}.values()
    assert [body["type"] for body in once] == [
        f"image_generation.{word}" for word in ("queued", "started", "succeeded")
    ]
    assert "forged" not in json.dumps([delivery.body for delivery in receiver.received])
    assert [delivery["sequence"] for delivery in deliveries(url)] == [body["data"]["sequence"] for body in once]


def forge(stack: Stack, aws: Callable[[str], Any], real: dict[str, Any], sequence: int) -> None:
    """Tell bus and queue of another change of the operation that a real event is about."""
    operation = {**real["detail"]["operation"], "prompt": "forged"}
    event_id = f"{operation['id']}.{sequence}"
    detail = {**real["detail"], "event_id": event_id, "sequence": sequence, "operation": operation}
    entry = {"Source": "imagegate", "DetailType": real["detail-type"], "Detail": json.dumps(detail)}
    aws("events").put_events(Entries=[{**entry, "EventBusName": stack.outputs["EventBusName"]}])
    reported = json.dumps({**real, "detail": detail})
    aws("sqs").send_message(QueueUrl=stack.outputs["WebhookQueueUrl"], MessageBody=reported)


def test_a_slow_receiver_keeps_nobody_else_waiting(stack: Stack, until: Until) -> None:
    slow, quick, busy, most = Receiver(SECRET), Receiver(SECRET), [0], [0]
    take = slow.take

    def slowly(headers: dict[str, str], body: bytes) -> int:
        busy[0] += 1
        most[0] = max(most[0], busy[0])
        until(lambda: quick.received)
        busy[0] -= 1
        return take(headers, body)

    slow.take = slowly  # type: ignore[method-assign]
    with receiving(slow), receiving(quick):
        for _ in range(3):
            started(stack, slow)
        url = started(stack, quick)
        until(lambda: [delivery["state"] for delivery in deliveries(url)] == ["delivered"] * 3)
        until(lambda: len(slow.received) == 9)
    assert most == [1], "one at a time to one host"


def test_a_webhook_does_not_drive_the_gateway_itself(stack: Stack) -> None:
    sent = {"url": f"{stack.base_url}/v1/operations/x:retry", "secret": SECRET}
    body = {"model": "flux", "prompt": "a cat", "webhook": sent}
    refused = requests.post(f"{stack.base_url}/v1/operations", json=body)
    assert (refused.status_code, refused.json()["code"]) == (400, "webhook_refused")


def test_cancelling_and_retrying_has_an_end_and_so_have_its_posts(stack: Stack, until: Until) -> None:
    """The reproduction: 40 times cancelled and retried made 88 deliveries, one redelivery 176 POSTs."""
    with receiving(Receiver(SECRET, then=500)) as receiver:
        hook = {"url": receiver.url, "secret": SECRET}
        made = requests.post(
            f"{stack.base_url}/v1/operations", json={"model": "flux", "prompt": "[delay 600s] x", "webhook": hook}
        )
        url = stack.base_url + made.json()["urls"]["self"]
        retried = []
        for _ in range(40):
            requests.post(f"{url}:cancel")
            retried.append(requests.post(f"{url}:retry").status_code)
        assert retried == [202] * MOST_RETRIES + [409] * (40 - MOST_RETRIES)
        until(lambda: len(deliveries(url)) >= 2 * (MOST_RETRIES + 1))
        [spared, *_] = until(
            lambda: [delivery for delivery in deliveries(url) if "left alone" in str(delivery["attempts"][-1:])]
        )
        again = [requests.post(f"{url}:redeliver", json={"event_id": spared["event_id"]}) for _ in range(2)]
        assert [entry.status_code for entry in again] == [202, 429]
        assert len(receiver.received) <= MOST_POSTS
