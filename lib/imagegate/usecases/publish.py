"""Announce changes of operations, on the bus and to webhooks."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from imagegate.domain.operation.events import Event, event_for
from imagegate.domain.operation.operation import Operation
from imagegate.ports.messaging import EventBus
from imagegate.ports.runtime import Telemetry

Change = tuple[Operation | None, Operation]


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Turns changes (old, new) of the table into events."""

    bus: EventBus
    telemetry: Telemetry
    record: Callable[[Event], None]
    """Records the event's webhook delivery; may be called again with the same event."""

    def __call__(self, changes: Sequence[Change]) -> list[int]:
        """Announce the changes that are events; returns the positions in `changes` that must be delivered again."""
        found = [(position, event_for(old, new)) for position, (old, new) in enumerate(changes)]
        events = [(position, event) for position, event in found if event is not None]
        failed = {events[index][0] for index in self.bus.publish([event for _, event in events])}
        failed |= {position for position, event in events if event.for_webhook and not self._recorded(event)}
        self._measure(changes[: min(failed, default=len(changes))])
        return sorted(failed)

    def _recorded(self, event: Event) -> bool:
        """False when the delivery could not be recorded or queued; the stream then repeats the change."""
        try:
            self.record(event)
        except Exception:
            logging.exception("the webhook of event %s was not recorded", event.id)
            return False
        return True

    def _measure(self, changes: Sequence[Change]) -> None:
        """Count ended operations here, because every end passes through the stream.

        Those after a change that was not announced are counted when the stream delivers them again.
        """
        for old, new in changes:
            if new.done and not (old and old.done):
                self.telemetry.ended(new)
