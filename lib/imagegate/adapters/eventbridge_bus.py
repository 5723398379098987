"""Announcements on an EventBridge bus."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from imagegate.domain.events import SOURCE, Event

_ENTRIES_PER_CALL = 10


class EventBridgeBus:
    """The EventBus on one custom bus."""

    def __init__(self, client: Any, bus: str) -> None:
        self._client = client
        self._bus = bus

    def publish(self, events: Sequence[Event]) -> list[int]:
        """Announce in calls of ten; returns the positions of the events the bus did not take."""
        failed = []
        for start in range(0, len(events), _ENTRIES_PER_CALL):
            entries = [self._entry(event) for event in events[start : start + _ENTRIES_PER_CALL]]
            answer = self._client.put_events(Entries=entries)
            failed += [start + at for at, entry in enumerate(answer["Entries"]) if "ErrorCode" in entry]
        return failed

    def _entry(self, event: Event) -> dict[str, Any]:
        return {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": event.detail_type,
            "Time": datetime.fromtimestamp(event.operation.updated_at, UTC),
            "Detail": json.dumps(event.detail()),
        }
