"""Reading the table's stream: what cannot be read is put aside, and keeps nothing back for long."""

import json
from typing import Any

import pytest

from imagegate.adapters.dynamodb_operations import DynamoDBOperations
from imagegate.adapters.dynamodb_stream import PATIENCE, StreamReader
from support.fakes import FakeClock, MemoryDeadLetters
from support.world import World


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def dead_letters() -> MemoryDeadLetters:
    return MemoryDeadLetters()


@pytest.fixture
def read(dead_letters: MemoryDeadLetters, clock: FakeClock) -> StreamReader:
    return StreamReader(dead_letters, clock)


def record(number: int, created_at: float, body: str | None = None, pk: str = "op#x") -> dict[str, Any]:
    item = DynamoDBOperations(None, "", 30, lambda: 0)._item(World().begun())
    image = {**item, "body": {"S": body}} if body else item
    change = {"Keys": {"pk": {"S": pk}}, "NewImage": image, "SequenceNumber": str(number)}
    return {"eventName": "INSERT", "dynamodb": change | {"ApproximateCreationDateTime": created_at}}


def test_what_is_no_operation_is_passed_over(read: StreamReader, clock: FakeClock) -> None:
    changes, again = read([record(1, clock.now(), "?", "latency#a#b"), record(2, clock.now())])
    assert ([change.sequence_number for change in changes], again) == (["2"], [])


@pytest.mark.parametrize("body", ["{", "{}", "[]", '{"state":"asleep"}', '{"from":"the future"}'])
def test_what_cannot_be_read_is_asked_for_again_and_then_put_aside(
    read: StreamReader, dead_letters: MemoryDeadLetters, clock: FakeClock, body: str
) -> None:
    batch = [record(1, clock.now()), record(2, clock.now(), body), record(3, clock.now())]
    changes, again = read(batch)
    assert ([change.sequence_number for change in changes], again) == (["1"], ["2"])
    assert not dead_letters.dead_letters
    clock.sleep(PATIENCE + 1)
    changes, again = read(batch)
    assert ([change.sequence_number for change in changes], again) == (["1", "3"], [])
    [(letter, code, reason)] = dead_letters.dead_letters
    assert json.loads(letter) == {"Records": [batch[1]]}
    assert code == "unreadable"
    assert reason


def test_a_letter_fits_its_queue(read: StreamReader, dead_letters: MemoryDeadLetters, clock: FakeClock) -> None:
    read([record(1, 0, "x" * 300_000)])
    [(letter, _, _)] = dead_letters.dead_letters
    assert json.loads(letter) == {"Keys": {"pk": {"S": "op#x"}}, "SequenceNumber": "1"}
