"""The table's stream: records in, changes of operations out."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagegate.adapters.dynamodb_operations import is_operation, operation_of
from imagegate.domain.operation.operation import Operation
from imagegate.ports.messaging import DeadLetters
from imagegate.ports.runtime import Clock

PATIENCE = 300.0
"""Seconds for which a record that cannot be read is delivered again, before it is put aside.

While a new version is being deployed, functions of the old one meet operations of the new one.
"""
_LONGEST_LETTER = 200_000
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """An operation before and after a write."""

    sequence_number: str
    old: Operation | None
    new: Operation


class StreamReader:
    """Reads batches of records; what it cannot read does not keep back the rest for long."""

    def __init__(self, dead_letters: DeadLetters, clock: Clock) -> None:
        self._dead_letters = dead_letters
        self._clock = clock

    def __call__(self, records: Sequence[Record]) -> tuple[list[Change], list[str]]:
        """The changes of operations in `records`, and the sequence numbers to be delivered again.

        Changes behind a record that is to be delivered again are left for then: the stream repeats them anyway.
        """
        changes = list[Change]()
        for record in records:
            if not is_operation(record["dynamodb"]["Keys"]):
                continue
            try:
                changes.append(_change(record["dynamodb"]))
            except Exception as error:
                logging.exception("a record of the table's stream cannot be read")
                if self._clock.now() - record["dynamodb"]["ApproximateCreationDateTime"] < PATIENCE:
                    return changes, [record["dynamodb"]["SequenceNumber"]]
                self._dead_letters.put(_letter(record), "unreadable", f"{type(error).__name__}: {error}")
        return changes, []


def _change(image: Record) -> Change:
    old = operation_of(image["OldImage"]) if "OldImage" in image else None
    return Change(image["SequenceNumber"], old, operation_of(image["NewImage"]))


def _letter(record: Record) -> str:
    """What the function takes, so that invoking it with the letter as payload announces the change after all."""
    letter = json.dumps({"Records": [record]})
    if len(letter) <= _LONGEST_LETTER:
        return letter
    return json.dumps({"Keys": record["dynamodb"]["Keys"], "SequenceNumber": record["dynamodb"]["SequenceNumber"]})
