"""Announce changes of operations on the bus."""

from collections.abc import Sequence

from imagegate.domain.events import announced
from imagegate.domain.operation import Operation
from imagegate.ports.keeping import Telemetry
from imagegate.ports.telling import EventBus

Change = tuple[Operation | None, Operation]


class Publish:
    """Turns changes (old, new) of the table into events."""

    def __init__(self, bus: EventBus, telemetry: Telemetry) -> None:
        self._bus = bus
        self._telemetry = telemetry

    def __call__(self, changes: Sequence[Change]) -> list[int]:
        """Announce what deserves it; returns the positions in `changes` to be tried again."""
        found = [(position, announced(old, new)) for position, (old, new) in enumerate(changes)]
        events = [(position, event) for position, event in found if event is not None]
        failed = [events[index][0] for index in self._bus.publish([event for _, event in events])]
        self._measure(changes[: min(failed, default=len(changes))])
        return failed

    def _measure(self, changes: Sequence[Change]) -> None:
        """Ends are counted here, where all of them come by: no use case can forget to.

        Those behind one that was not announced are counted when the stream delivers them again.
        """
        for old, new in changes:
            if new.done and not (old and old.done):
                self._telemetry.ended(new)
