"""The use cases that announce changes: on the bus, and to webhooks."""

from __future__ import annotations

import random
from functools import cached_property
from typing import TYPE_CHECKING

from imagegate.deployment.shared import Shared

if TYPE_CHECKING:
    from collections.abc import Callable

    from imagegate.domain.webhooks.delivery import RetryPolicy
    from imagegate.usecases.deliver import Deliver
    from imagegate.usecases.publish import Publish
    from imagegate.usecases.record_delivery import RecordDelivery

_DAY = 86_400


class Announcements(Shared):
    """Each property is a use case."""

    @cached_property
    def publish(self) -> Publish:
        """Announces changes of operations."""
        from imagegate.usecases.publish import Publish

        return Publish(bus=self.bus, telemetry=self.telemetry, record=lambda event: self.record_delivery(event))

    @cached_property
    def record_delivery(self) -> RecordDelivery:
        """Records what a webhook is sent; made for the first operation that has one: most deployments have none."""
        from imagegate.usecases.record_delivery import PictureStore, RecordDelivery

        return RecordDelivery(
            deliveries=self.deliveries,
            pictures=PictureStore(self.settings.public_url, self.picture_links),
            queue_delivery=self.webhook_queue.put,
            retention=self.settings.operation_days * _DAY,
        )

    @cached_property
    def deliver(self) -> Deliver:
        """Sends webhooks."""
        from imagegate.usecases.deliver import Deliver, Signing

        return Deliver(
            store=self.store,
            deliveries=self.deliveries,
            disabled=self.deliveries,
            receivers=self.receivers,
            dead_letters=self.dead_letters,
            sender=self.webhook_sender,
            signing=Signing(self.api_keys, self.existing_webhook_key),
            telemetry=self.telemetry,
            clock=self.clock,
            retry_policy=self.retry_policy,
        )

    @cached_property
    def retry_policy(self) -> Callable[[], RetryPolicy]:
        """The pauses before a delivery is attempted again, by chance longer or shorter each time."""
        from imagegate.domain.webhooks.delivery import RetryPolicy

        return lambda: RetryPolicy(self.settings.webhook_retry_scale, random.random())  # noqa: S311 - not a secret
