"""Send announcements of an operation to its webhook once more."""

from collections.abc import Sequence
from dataclasses import replace

from imagegate.domain.delivery import Delivery, DeliveryState
from imagegate.domain.errors import InvalidRequest, WrongState
from imagegate.domain.operation import Operation
from imagegate.ports.keeping import BeginAgain
from imagegate.ports.telling import Deliveries, DisabledWebhooks


class Redeliver:
    """Begins deliveries anew, by the word of the operation's owner."""

    def __init__(self, deliveries: Deliveries, disabled: DisabledWebhooks, begin_again: BeginAgain) -> None:
        self._deliveries = deliveries
        self._disabled = disabled
        self._begin_again = begin_again

    def __call__(self, operation: Operation, event_id: str | None = None) -> Sequence[Delivery]:
        """The deliveries begun: the one of that event, or all that have not arrived.

        A receiver that had said 410 is sent to again. Raises WrongState when there is nothing to send, InvalidRequest
        when there is no such event, and Conflict when one is being sent at this moment.
        """
        if operation.webhook is None:
            raise WrongState(f"Operation {operation.id} has no webhook.", remedy="Ask for one when starting it.")
        chosen = self._chosen(self._deliveries.of(operation.id), event_id)
        self._disabled.enable(operation.owner, operation.webhook.url)
        return [self._begun(delivery) for delivery in chosen]

    def _chosen(self, known: Sequence[Delivery], event_id: str | None) -> Sequence[Delivery]:
        if event_id is not None:
            found = [one for one in known if one.event_id == event_id]
            if not found:
                raise InvalidRequest(
                    "There is no delivery of that event.", param="event_id", remedy="GET …/deliveries lists them."
                )
            return found
        missing = [one for one in known if one.state is not DeliveryState.DELIVERED]
        if not missing:
            raise WrongState("Everything has arrived so far.", remedy="Name an event_id to have it sent again.")
        return missing

    def _begun(self, delivery: Delivery) -> Delivery:
        begun = replace(delivery.begun(message_id=""), version=delivery.version + 1)
        self._deliveries.put(begun)
        self._begin_again(delivery.operation_id, delivery.sequence)
        return begun
