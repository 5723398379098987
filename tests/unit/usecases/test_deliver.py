"""Deliveries to webhooks: order, repetition, duplicates, disabling, redelivery, on the ports in memory."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from standardwebhooks import Webhook as Oracle

from imagegate.adapters.sqs_webhooks import notice_of
from imagegate.domain.access.api_key import ApiKey, KeyWebhook, issue
from imagegate.domain.access.encryption import derive_secret, encrypt
from imagegate.domain.errors import Conflict, InvalidRequest, Unreachable, WebhookRefused, WrongState
from imagegate.domain.operation.operation import State
from imagegate.domain.operation.picture import Picture
from imagegate.domain.webhooks.delivery import LEASE_SECONDS, Delivery, DeliveryState
from imagegate.domain.webhooks.webhook import EVENTS, Webhook, secret_text
from imagegate.ports.messaging import WebhookAnswer
from imagegate.usecases.deliver import Notice
from imagegate.usecases.publish import Publish
from imagegate.usecases.record_delivery import PictureStore, RecordDelivery
from support.fakes import FakeClock, MemoryApiKeys, MemoryDeliveries
from support.webhook_world import KEY, SECRET, URL, Receiver, World


def test_it_is_sent_signed_and_logged() -> None:
    world = World()
    assert world.deliver(world.notice()) is None
    [(url, headers, body)] = world.receiver.got
    assert url == URL
    assert headers["webhook-id"] == f"{'0' * 20}-1"
    assert headers["webhook-timestamp"] == str(int(world.clock.now()))
    document = json.loads(body)
    assert document["type"] == "image_generation.queued"
    assert set(document["data"]) == {"event_id", "sequence", "abridged", "operation"}
    assert document["data"]["operation"]["urls"]["self"] == f"https://api.example.com/v1/operations/{'0' * 20}"
    signature = Oracle(secret_text(SECRET)).sign(headers["webhook-id"], at(world), body.decode())
    assert headers["webhook-signature"] == signature
    assert (world.only().state, len(world.only().tries)) == (DeliveryState.DELIVERED, 1)


def at(world: World) -> Any:
    import datetime

    return datetime.datetime.fromtimestamp(world.clock.now(), datetime.UTC)


def test_pictures_come_as_links_and_never_as_bytes_or_buckets() -> None:
    world = World(hook=Webhook(url=URL, events=("succeeded",), sealed_secret=encrypt(KEY, "me", SECRET)))
    kept = Picture(
        slot=0,
        key="images/k",
        sha256="s",
        content_type="image/webp",
        width=1,
        height=1,
        bytes=9,
        provider="beta",
        seed=7,
    )
    notice = world.becomes(State.SUCCEEDED, pictures=(kept,))
    world.deliver(notice)
    [image] = json.loads(world.receiver.got[0][2])["data"]["operation"]["images"]
    assert image["url"] == f"https://api.example.com/v1/images/{'0' * 20}-0?token=t"
    assert "bucket" not in image


def test_only_the_events_asked_for() -> None:
    world = World(hook=Webhook(url=URL, events=("failed",), sealed_secret=encrypt(KEY, "me", SECRET)))
    assert world.deliver(world.notice()) is None
    assert (world.receiver.got, world.deliveries.kept) == ([], {})


def test_a_receiver_that_fails_gets_the_same_again_at_growing_intervals() -> None:
    world = World(receiver=Receiver([WebhookAnswer(500), Unreachable("No answer in time."), WebhookAnswer(204)]))
    assert world.until_it_ends(world.notice()) == [5, 300]
    assert len({(headers["webhook-id"], body) for _, headers, body in world.receiver.got}) == 1
    assert len({headers["webhook-timestamp"] for _, headers, _ in world.receiver.got}) == 3
    assert [(attempt.status, attempt.error) for attempt in world.only().tries] == [
        (500, None),
        (None, "No answer in time."),
        (204, None),
    ]


def test_a_message_that_comes_early_is_put_off_and_nothing_is_sent() -> None:
    """SQS hides for twelve hours at most."""
    world = World(receiver=Receiver([WebhookAnswer(500)]))
    notice = world.notice()
    world.deliver(notice)
    world.clock.sleep(3)
    assert world.deliver(notice) == 2
    assert len(world.receiver.got) == 1


def test_one_that_nobody_takes_ends_in_the_dead_letters() -> None:
    world = World(receiver=Receiver([WebhookAnswer(500)]))
    waits = world.until_it_ends(replace(world.notice(), text="the message"))
    assert len(waits) == 9
    assert sum(waits) == pytest.approx(75.6 * 3600, rel=0.01)
    assert world.only().state is DeliveryState.DEAD
    assert world.dead.dead_letters == [("the message", "UNDELIVERED", f"{'0' * 20}.1 after 10 attempts")]


def test_retry_after_is_honoured() -> None:
    world = World(receiver=Receiver([WebhookAnswer(429, "90"), WebhookAnswer(200)]))
    assert world.until_it_ends(world.notice()) == [90]


def test_410_ends_this_and_all_that_follows_until_something_is_redelivered() -> None:
    world = World(receiver=Receiver([WebhookAnswer(410), WebhookAnswer(200)]))
    world.deliver(world.notice())
    assert world.deliver(world.becomes(State.RUNNING)) is None
    assert len(world.receiver.got) == 1
    assert {operation.state for operation in world.deliveries.kept.values()} == {DeliveryState.DISABLED}
    assert world.dead.dead_letters == []
    world.queued.clear()
    world.redeliver(world.operation)
    assert world.queued == [("0" * 20, 1), ("0" * 20, 2)]
    for at_, sequence in enumerate((1, 2)):
        assert (
            world.deliver(Notice(message_id=f"again{at_}", text="{}", operation_id="0" * 20, sequence=sequence)) is None
        )
    assert {operation.state for operation in world.deliveries.kept.values()} == {DeliveryState.DELIVERED}


def test_another_owners_410_disables_nobody_else() -> None:
    world = World()
    world.deliveries.disable("another", URL, 2e9)
    world.deliver(world.notice())
    assert world.only().state is DeliveryState.DELIVERED


def test_the_bus_tells_everything_at_least_once_and_we_send_it_once() -> None:
    world = World(receiver=Receiver([WebhookAnswer(500), WebhookAnswer(200)]))
    world.deliver(world.notice("first"))
    assert world.deliver(world.notice("second")) is None, "a duplicate while the first is under way"
    world.clock.sleep(5)
    world.deliver(world.notice("first"))
    assert world.deliver(world.notice("third")) is None
    assert world.deliver(world.notice("first")) is None
    assert len(world.receiver.got) == 2


def while_another(world: World, meanwhile: Callable[[], None]) -> None:
    """Have something happen while the first POST is under way, which the receiver then refuses."""
    send = world.receiver.send

    def sending(url: str, headers: dict[str, str], body: bytes) -> WebhookAnswer:
        world.receiver.send = send  # type: ignore[method-assign]
        meanwhile()
        send(url, headers, body)
        return WebhookAnswer(500)

    world.receiver.send = sending  # type: ignore[method-assign]


def test_of_two_at_once_one_waits_for_its_turn() -> None:
    world = World()
    waited = []
    while_another(world, lambda: waited.append(world.deliver(world.notice("other"))))
    assert world.deliver(world.notice("one")) == 5
    assert waited == [1]
    assert world.deliver(world.notice("other")) is None, "a duplicate"
    assert len(world.receiver.got) == 1


def test_of_two_at_once_one_is_told_to_come_back() -> None:
    """The first was away for so long that its turn was over."""
    world = World()

    def overtake() -> None:
        world.clock.sleep(LEASE_SECONDS)
        world.deliver(world.notice("other"))

    while_another(world, overtake)
    with pytest.raises(Conflict):
        world.deliver(world.notice("one"))
    assert world.deliver(world.notice("one")) is None, "the other was told it arrived"
    assert world.only().state is DeliveryState.DELIVERED


def test_a_dead_letter_moved_back_by_hand_begins_anew() -> None:
    world = World(receiver=Receiver([WebhookAnswer(500)]))
    world.until_it_ends(world.notice("one"))
    assert world.deliver(world.notice("one")) is None, "the same message, late"
    world.receiver.answers = [WebhookAnswer(200)]
    assert world.deliver(world.notice("moved back")) is None
    assert world.only().state is DeliveryState.DELIVERED
    assert len(world.only().tries) == 11


def test_a_delivery_whose_message_is_lost_can_be_taken_over() -> None:
    world = World(receiver=Receiver([WebhookAnswer(500), WebhookAnswer(200)]))
    world.deliver(world.notice("one"))
    world.clock.sleep(5 + 3599)
    assert world.deliver(world.notice("moved back")) is None
    assert world.only().state is DeliveryState.PENDING
    world.clock.sleep(2)
    world.deliver(world.notice("moved back"))
    assert world.only().state is DeliveryState.DELIVERED


def test_first_attempts_keep_the_order_of_events() -> None:
    world = World()
    queued, started, ended = world.notice(), world.becomes(State.RUNNING), world.becomes(State.FAILED)
    assert world.deliver(ended) == 1
    assert world.deliver(started) == 1
    assert world.deliver(queued) is None
    assert world.deliver(ended) == 1
    assert world.deliver(started) is None
    assert world.deliver(ended) is None
    assert [json.loads(body)["data"]["sequence"] for _, _, body in world.receiver.got] == [1, 2, 3]


def test_a_failed_attempt_holds_up_nothing() -> None:
    world = World(receiver=Receiver([WebhookAnswer(500), WebhookAnswer(200)]))
    queued = world.notice()
    assert world.deliver(queued) == 5
    assert world.deliver(world.becomes(State.RUNNING)) is None


def test_nobody_waits_for_an_event_that_does_not_come() -> None:
    world = World()
    started = world.becomes(State.RUNNING)
    assert world.until_it_ends(started) == [1.0] * 9
    skipped = World(hook=Webhook(url=URL, events=("started", "cancelled"), sealed_secret=encrypt(KEY, "me", SECRET)))
    assert skipped.deliver(skipped.becomes(State.CANCELLED)) is None


def with_key(webhook: KeyWebhook) -> tuple[World, ApiKey]:
    key, _ = issue("x", 0.0, webhook=webhook)
    return World(keys=MemoryApiKeys({key.id: key}), hook=Webhook(url=URL, events=EVENTS, key_id=key.id)), key


def test_without_a_secret_of_its_own_the_keys_signs_and_two_do_while_it_is_rotated() -> None:
    world, key = with_key(KeyWebhook(generation=3, former_until=FakeClock().now() + 60))
    world.deliver(world.notice())
    _, headers, body = world.receiver.got[0]
    signed = [
        Oracle(derive_secret(KEY, key.id, generation)).sign(headers["webhook-id"], at(world), body.decode())
        for generation in (3, 2)
    ]
    assert headers["webhook-signature"].split() == signed
    world.clock.sleep(60)
    world.deliver(world.becomes(State.RUNNING))
    assert len(world.receiver.got[1][1]["webhook-signature"].split()) == 1


def test_a_first_secret_has_no_former_one() -> None:
    assert KeyWebhook(generation=1, former_until=9e9).generations(0.0) == (1,)


@pytest.mark.parametrize(
    "hook",
    [
        Webhook(url=URL, events=EVENTS, key_id="gone"),
        Webhook(url=URL, events=EVENTS, sealed_secret=encrypt(KEY, "x", SECRET)),
    ],
)
def test_what_cannot_be_signed_is_not_sent(hook: Webhook) -> None:
    world = World(hook=hook)
    assert world.deliver(world.notice()) == 5
    assert world.receiver.got == []
    assert world.only().tries[0].error


def test_an_address_that_became_private_is_a_failed_attempt() -> None:
    world = World(receiver=Receiver([WebhookRefused("not on the public internet"), WebhookAnswer(200)]))
    assert world.until_it_ends(world.notice()) == [5]
    assert world.only().tries[0].error == "not on the public internet"


def test_of_a_deleted_operation_nothing_is_sent() -> None:
    world = World()
    notice = world.notice()
    world.store.delete(world.operation)
    assert world.deliver(notice) is None
    assert world.receiver.got == []


@pytest.mark.parametrize(("operation_id", "sequence"), [("0" * 20, 2), ("0" * 20, 0), ("1" * 20, 1)])
def test_what_never_happened_is_dropped_and_counted(operation_id: str, sequence: int) -> None:
    world = World()
    assert world.deliver(Notice(message_id="forged", text="{}", operation_id=operation_id, sequence=sequence)) is None
    assert world.receiver.got == []
    assert world.telemetry.unknown == [(operation_id, sequence)]
    world.deliver(world.notice())
    started = world.becomes(State.RUNNING)
    world.deliver(started)
    assert [json.loads(body)["data"]["sequence"] for _, _, body in world.receiver.got] == [1, 2], "none is suppressed"


def test_a_message_that_others_wrote_sends_what_is_recorded_and_nothing_of_its_own() -> None:
    world = World()
    detail = {"event_id": "x", "sequence": 1, "operation": {"id": "0" * 20, "prompt": "forged"}}
    body = json.dumps({"source": "imagegate", "detail-type": "Image Generation Failed", "detail": detail})
    forged = notice_of({"messageId": "forged", "body": body, "attributes": {"ApproximateReceiveCount": "1"}})
    assert forged
    world.deliver(forged)
    [(_, headers, sent)] = world.receiver.got
    assert (headers["webhook-id"], json.loads(sent)["type"]) == (f"{'0' * 20}-1", "image_generation.queued")
    assert b"forged" not in sent
    assert world.deliver(world.notice("the real one")) is None
    assert len(world.receiver.got) == 1, "it has arrived"


def test_each_event_tells_of_its_own_state_also_when_the_operation_has_gone_on() -> None:
    world = World()
    notices = [
        world.notice(),
        world.becomes(State.RUNNING),
        world.becomes(State.CANCELLED),
        world.becomes(State.QUEUED),
    ]
    for notice in notices:
        world.deliver(notice)
    reported = [json.loads(body) for _, _, body in world.receiver.got]
    text = ("queued", "started", "cancelled", "queued")
    assert [entry["type"] for entry in reported] == [f"image_generation.{word}" for word in text]
    states = ["queued", "running", "cancelled", "queued"]
    assert [entry["data"]["operation"]["state"] for entry in reported] == states
    assert [entry["data"]["event_id"] for entry in reported] == [f"{'0' * 20}.{at}" for at in (1, 2, 3, 4)]


def test_the_stream_tells_everything_at_least_once_and_it_is_recorded_once() -> None:
    world = World()
    [recorded] = world.deliveries.kept.values()
    world.deliver(world.notice())
    world.publish([(None, world.operation)])
    assert (world.only().state, world.only().body) == (DeliveryState.DELIVERED, recorded.body)
    assert world.queued == [("0" * 20, 1), ("0" * 20, 1)]


def test_an_event_that_is_not_recorded_is_asked_for_again(caplog: pytest.LogCaptureFixture) -> None:
    world, broken = World(), MemoryDeliveries()

    def put(delivery: Delivery) -> None:
        raise RuntimeError("the table is away")

    broken.put = put  # type: ignore[method-assign]
    pictures = PictureStore("https://api.example.com", lambda operation, slot: "")
    publish = Publish(
        bus=world.bus,
        telemetry=world.telemetry,
        record=RecordDelivery(deliveries=broken, pictures=pictures, queue_delivery=lambda *which: None, retention=1),
    )
    bare = replace(world.operation, webhook=None)
    unasked = replace(world.operation, webhook=replace(world.hook, events=("failed",)))
    assert publish([(None, bare), (None, world.operation), (None, unasked)]) == [1]
    assert "the table is away" in caplog.text


def test_redelivery_of_one_event_also_when_it_arrived() -> None:
    world = World()
    world.deliver(world.notice())
    with pytest.raises(WrongState):
        world.redeliver(world.operation)
    world.queued.clear()
    [begun] = world.redeliver(world.operation, f"{'0' * 20}.1")
    assert (begun.state, world.queued) == (DeliveryState.PENDING, [("0" * 20, 1)])
    assert world.deliver(world.notice("the first message again")) is None
    with pytest.raises(InvalidRequest):
        world.redeliver(world.operation, "another.1")
    with pytest.raises(WrongState):
        world.redeliver(replace(world.operation, webhook=None))


def test_of_two_messages_at_once_about_one_delivery_one_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A forged message may arrive with the real one; both read that the delivery was never attempted."""
    world = World()
    real, forged, take = world.notice(), world.notice("forged"), world.receivers.take

    def take_late(receiver: str, holder: str, until: float) -> bool:
        if holder == "forged":
            world.deliver(real)
        return take(receiver, holder, until)

    monkeypatch.setattr(world.receivers, "take", take_late)
    with pytest.raises(Conflict):
        world.deliver(forged)
    assert len(world.receiver.got) == 1
    assert world.deliver(forged) is None
    assert (world.only().state, len(world.receiver.got)) == (DeliveryState.DELIVERED, 1)
