"""What tells of changes: on the bus, and to webhooks."""

import random
from functools import cache
from typing import TYPE_CHECKING

from imagegate import settings
from imagegate.adapters.aws import client
from imagegate.ports.messaging import EventBus
from imagegate.wiring import shared

if TYPE_CHECKING:
    from imagegate.adapters.dynamodb_stream import StreamReader
    from imagegate.usecases.deliver import Deliver
    from imagegate.usecases.publish import Publish
    from imagegate.usecases.record_delivery import RecordDelivery


@cache
def bus() -> EventBus:
    """The event bus."""
    from imagegate.adapters.eventbridge_bus import EventBridgeBus

    current = settings.current()
    return EventBridgeBus(client("events"), current.bus, current.bucket, shared.clock().sleep)


def stream_reader() -> "StreamReader":
    """Reads the table's stream."""
    from imagegate.adapters.dynamodb_stream import StreamReader

    return StreamReader(shared.own_dead_letters(), shared.clock())


def publish() -> "Publish":
    """The use case `publish`."""
    from imagegate.usecases.publish import Publish

    return Publish(bus(), shared.telemetry(), lambda event: _record_delivery()(event))


@cache
def _record_delivery() -> "RecordDelivery":
    """Made for the first operation with a webhook: most deployments have none."""
    from imagegate.usecases.record_delivery import Pictures, RecordDelivery

    current = settings.current()
    return RecordDelivery(
        shared.deliveries(),
        Pictures(current.public_url, shared.picture_links()),
        shared.webhook_queue().put,
        current.operation_days * 86_400,
    )


def deliver() -> "Deliver":
    """The use case `deliver`."""
    from imagegate.adapters.dynamodb_receivers import DynamoDBReceivers
    from imagegate.adapters.http_webhooks import HttpWebhooks
    from imagegate.domain.webhooks.delivery import RetryPolicy
    from imagegate.usecases.deliver import Deliver, Signing

    current = settings.current()
    return Deliver(
        shared.store(),
        shared.deliveries(),
        shared.deliveries(),
        DynamoDBReceivers(client("dynamodb"), current.table, shared.clock().now),
        shared.own_dead_letters(),
        HttpWebhooks(shared.own_webhook_targets()),
        Signing(
            shared.api_keys(client("dynamodb"), current.table),
            shared.webhook_key(client, current.webhook_key, makes=False),
        ),
        shared.telemetry(),
        shared.clock(),
        lambda: RetryPolicy(current.webhook_retry_scale, random.random()),  # noqa: S311 - spreads receivers, no secret
    )
