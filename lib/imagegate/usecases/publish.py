"""Announce changes of operations on the bus."""

from collections.abc import Sequence

from imagegate.domain.events import announced
from imagegate.domain.operation import Operation
from imagegate.ports import EventBus

Change = tuple[Operation | None, Operation]


class Publish:
    """Turns changes (old, new) of the table into events."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus

    def __call__(self, changes: Sequence[Change]) -> list[int]:
        """Announce what deserves it; returns the positions in `changes` to be tried again."""
        found = [(position, announced(old, new)) for position, (old, new) in enumerate(changes)]
        events = [(position, event) for position, event in found if event is not None]
        failed = self._bus.publish([event for _, event in events])
        return [events[index][0] for index in failed]
