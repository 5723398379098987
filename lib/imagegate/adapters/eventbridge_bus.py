"""Announcements on an EventBridge bus."""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from imagegate.domain.operation.events import SOURCE, Event

_ENTRIES_PER_CALL = 10
_BYTES_PER_CALL = 240_000
"""EventBridge counts the entries of a call together, and refuses the call beyond 256 KB."""
_PAUSES = (0.1, 0.5)
"""Seconds before refused entries are sent again. After that it is the stream's turn to deliver them again."""
Entry = dict[str, Any]


class EventBridgeBus:
    """The EventBus on one custom bus."""

    def __init__(self, client: Any, bus: str, bucket: str, sleep: Callable[[float], None]) -> None:
        """`bucket`: of the pictures, so that a subscriber with access to S3 needs nothing else."""
        self._client = client
        self._bus = bus
        self._bucket = bucket
        self._sleep = sleep

    def publish(self, events: Sequence[Event]) -> list[int]:
        """Announce; returns the positions of the events that were not.

        After the first call with refused entries no more are sent: the stream delivers all of them again, and what
        went out meanwhile would only be told twice.
        """
        entries = [self._entry(event) for event in events]
        for call in _calls(entries):
            if refused := self._sent(entries, call):
                return [*refused, *range(call[-1] + 1, len(entries))]
        return []

    def _sent(self, entries: Sequence[Entry], call: list[int]) -> list[int]:
        """Send the entries at the positions in `call`; returns those that were refused to the last."""
        for pause in (*_PAUSES, None):
            call = self._refused(entries, call)
            if not call or pause is None:
                break
            self._sleep(pause)
        return call

    def _refused(self, entries: Sequence[Entry], call: list[int]) -> list[int]:
        try:
            answers = self._client.put_events(Entries=[entries[at] for at in call])["Entries"]
        except (ClientError, BotoCoreError) as error:
            logging.warning("the bus took none of %d announcements: %s", len(call), error)
            return call
        refused = {at: entry["ErrorCode"] for at, entry in zip(call, answers, strict=True) if "ErrorCode" in entry}
        if refused:
            logging.warning("the bus refused %d announcements: %s", len(refused), set(refused.values()))
        return list(refused)

    def _entry(self, event: Event) -> Entry:
        detail = event.detail()
        for picture in detail["operation"]["images"]:
            picture["bucket"] = self._bucket
        return {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": event.detail_type,
            "Time": datetime.fromtimestamp(event.operation.updated_at, UTC),
            # Not escaped: a Cyrillic letter takes two bytes so, and six otherwise.
            "Detail": json.dumps(detail, ensure_ascii=False, separators=(",", ":")),
        }


def _calls(entries: Sequence[Entry]) -> Iterator[list[int]]:
    """The positions of the entries, as many together as one call takes."""
    call, size = list[int](), 0
    for at, entry in enumerate(entries):
        if call and (len(call) == _ENTRIES_PER_CALL or size + _size(entry) > _BYTES_PER_CALL):
            yield call
            call, size = [], 0
        call.append(at)
        size += _size(entry)
    if call:
        yield call


def _size(entry: Entry) -> int:
    """Bytes, as EventBridge counts them (the time as 14)."""
    return 14 + sum(len(entry[name].encode()) for name in ("Source", "DetailType", "Detail"))
