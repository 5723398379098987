"""Send webhooks of an operation again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from imagegate.domain.errors import InvalidRequest, RateLimited, WrongState
from imagegate.domain.operation.operation import Operation
from imagegate.domain.webhooks.delivery import MOST_POSTS, Delivery, DeliveryState
from imagegate.ports.messaging import Deliveries, DisabledWebhooks
from imagegate.ports.runtime import QueueRedelivery

PAUSE = 60.0
"""Seconds from one redelivery of an operation to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeliver:
    """Restarts deliveries at the request of the operation's owner."""

    deliveries: Deliveries
    disabled: DisabledWebhooks
    queue_redelivery: QueueRedelivery

    def __call__(self, operation: Operation, event_id: str | None = None) -> Sequence[Delivery]:
        """Restart the delivery of that event, or all that have not been delivered; returns them.

        A webhook that was disabled by a 410 is enabled again. Raises WrongState when there is nothing to send or the
        POSTs are used up, InvalidRequest when there is no such event, RateLimited within a minute of the last
        redelivery, and Conflict when a delivery is being sent at this moment.
        """
        if operation.webhook is None:
            raise WrongState(f"Operation {operation.id} has no webhook.", remedy="Ask for one when starting it.")
        chosen = self._choose(self.deliveries.of(operation.id), event_id)
        self._check_limits(operation, chosen[0].expires_at)
        self.disabled.enable(operation.owner, operation.webhook.url)
        return [self._restart(delivery) for delivery in chosen]

    def _check_limits(self, operation: Operation, expires_at: float) -> None:
        if self.deliveries.posts(operation.id) >= MOST_POSTS:
            raise WrongState(
                f"Operation {operation.id} has made the {MOST_POSTS} POSTs to its webhook that it may.",
                remedy=f"Read it: GET /v1/operations/{operation.id}.",
            )
        if wait := self.deliveries.begin_redelivery(operation.id, PAUSE, expires_at):
            raise RateLimited(
                f"Operation {operation.id} is redelivered once a minute at most.",
                retry_after=wait,
                remedy="Wait as long as Retry-After says.",
            )

    def _choose(self, known: Sequence[Delivery], event_id: str | None) -> Sequence[Delivery]:
        if event_id is not None:
            found = [delivery for delivery in known if delivery.event_id == event_id]
            if not found:
                raise InvalidRequest(
                    "There is no delivery of that event.", param="event_id", remedy="GET …/deliveries lists them."
                )
            return found
        missing = [delivery for delivery in known if delivery.state is not DeliveryState.DELIVERED]
        if not missing:
            raise WrongState("Everything has arrived so far.", remedy="Name an event_id to have it sent again.")
        return missing

    def _restart(self, delivery: Delivery) -> Delivery:
        begun = replace(delivery.restarted(message_id=""), version=delivery.version + 1)
        self.deliveries.put(begun)
        self.queue_redelivery(delivery.operation_id, delivery.sequence)
        return begun
