"""Ten thousand changes on their way from the table to the bus, with everything going wrong that may.

The stream behaves as Lambda's does with ReportBatchItemFailures: lanes in the order of their records, batches
repeated from the first reported failure, whole when the function breaks down, and now and then for no reason.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from imagegate.adapters.dynamodb_operations import DynamoDBOperations
from imagegate.adapters.eventbridge_bus import EventBridgeBus
from imagegate.deployment import Deployment
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.events import event_for
from imagegate.domain.operation.ids import new_id
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.picture import Picture
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.settings import Settings
from support.fakes import FakeClock, MemoryDeadLetters, MemoryTelemetry, no_aws
from support.functions import load

pytestmark = pytest.mark.slow

SEED = 20261120
CHANGES = 10_000
LANES = 8
FAILURE = Failure(FailureCode.UPSTREAM_FAILED, "It broke.")
PICTURE = Picture(
    slot=0,
    key="images/2m/x/0.webp",
    sha256="0" * 64,
    content_type="image/webp",
    width=64,
    height=48,
    bytes=100,
    provider="alpha",
)
History = list[Operation]


class Killed(BaseException):
    """The function's process is gone."""


def history(dice: random.Random, number: int) -> History:
    """An operation's versions: states reached, in all ways there are, and writes that change none."""
    request = ImageRequest(model="flux", messages=(Message("a cat"),))
    one = Operation(
        id=new_id(1.8e9 + number),
        owner="me",
        dialect="operations",
        request=request,
        created_at=1.8e9,
        deadline=1.8e9 + 900,
        due_at=0.0,
        updated_at=1.8e9,
    )
    versions = [one]
    while True:
        successor = _next(dice, versions[-1])
        if successor is None:
            return versions
        versions.append(replace(successor, version=len(versions) + 1))


def _next(dice: random.Random, one: Operation) -> Operation | None:
    if dice.random() < 0.2:
        return replace(one, due_at=one.due_at + 1)
    if one.state is State.QUEUED:
        return one.moved(State.RUNNING, 1.8e9)
    if one.state is State.RUNNING:
        end = dice.choice([State.SUCCEEDED, State.FAILED, State.CANCELLED])
        return one.moved(end, 1.8e9, failure=FAILURE if end is State.FAILED else None)
    if one.state is State.FAILED and not one.pictures and dice.random() < 0.3:
        return one.with_pictures((replace(PICTURE, late=True),))
    if one.state is not State.SUCCEEDED and dice.random() < 0.3:
        return one.moved(State.QUEUED, 1.8e9, failure=None)
    return None


@dataclass
class FlakyBus:
    """put_events that refuses entries and calls, answers too late, and outlives its caller."""

    dice: random.Random
    taken: list[dict[str, Any]] = field(default_factory=list)
    troubles: int = 0

    def put_events(self, Entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
        trouble = self.dice.choices(["none", "some", "all", "late", "kill"], [70, 20, 4, 3, 3])[0]
        self.troubles += trouble != "none"
        if trouble == "all":
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "PutEvents")
        refused = [trouble == "some" and self.dice.random() < 0.3 for _ in Entries]
        self.taken += [entry for entry, no in zip(Entries, refused, strict=True) if not no]
        if trouble == "late":
            raise ReadTimeoutError(endpoint_url="https://events")
        if trouble == "kill":
            raise Killed
        answers = [{"ErrorCode": "InternalFailure"} if no else {"EventId": "x"} for no in refused]
        return {"FailedEntryCount": sum(refused), "Entries": answers}


def records(histories: Sequence[History], dice: random.Random) -> Iterator[dict[str, Any]]:
    """Their writes as the stream has them: of one operation in their order, of all in any."""
    table = DynamoDBOperations(None, "t", 30, lambda: 0)
    upstream_request = [at for at, versions in enumerate(histories) for _ in versions]
    dice.shuffle(upstream_request)
    written = [0] * len(histories)
    for number, at in enumerate(upstream_request):
        old = histories[at][written[at] - 1] if written[at] else None
        new = table._item(histories[at][written[at]])
        written[at] += 1
        change = {"Keys": {"pk": new["pk"]}, "NewImage": new, "SequenceNumber": f"{number:021}"}
        change |= {"OldImage": table._item(old)} if old else {}
        yield {"eventSource": "aws:dynamodb", "dynamodb": change | {"ApproximateCreationDateTime": 1.8e9}}


def deliver(lane: Sequence[dict[str, Any]], handler: Any, dice: random.Random) -> None:
    """A lane of the stream, to its end."""
    at, invocations = 0, 0
    while at < len(lane):
        invocations += 1
        assert invocations < 50 * len(lane), "it does not come to an end"
        batch = lane[at : at + dice.choice([1, 7, 30, 100])]
        try:
            failures = handler({"Records": batch}, None)["batchItemFailures"]
        except Killed:
            continue
        failed = {attempt["itemIdentifier"] for attempt in failures}
        done = [record["dynamodb"]["SequenceNumber"] not in failed for record in batch].index(False) if failed else None
        if dice.random() < 0.05:
            continue  # the checkpoint was lost
        at += len(batch) if done is None else done


@pytest.fixture(scope="module")
def histories() -> list[History]:
    dice, made, changes = random.Random(SEED), list[History](), 0
    while changes < CHANGES:
        made.append(history(dice, len(made)))
        changes += sum(event_for(old, new) is not None for old, new in pairwise((None, *made[-1])))
    return made


def test_ten_thousand_changes_are_announced_whatever_happens(
    histories: list[History], capfd: pytest.CaptureFixture[str]
) -> None:
    dice, clock, telemetry, dead_letters = random.Random(SEED), FakeClock(), MemoryTelemetry(), MemoryDeadLetters()
    bus = FlakyBus(dice)
    adapter = EventBridgeBus(bus, "bus", "pictures", lambda seconds: None)
    deployment = Deployment(
        Settings(),
        no_aws,
        clock=clock,
        dead_letters=dead_letters,
        bus=adapter,
        telemetry=telemetry,
        record_delivery=lambda event: None,
    )
    handler = load("publish", deployment).handler
    lanes = defaultdict[int, list[dict[str, Any]]](list)
    for record in records(histories, dice):
        lanes[hash_of(record) % LANES].append(record)
    for lane in lanes.values():
        deliver(lane, handler, dice)

    assert bus.troubles > 100
    assert not dead_letters.dead_letters
    _all_are_told(histories, bus.taken)
    _order_is_restored(histories, bus.taken)
    ends = {(operation.id, operation.version) for operation in telemetry.operations}
    assert ends == {
        (new.id, new.version) for history in histories for old, new in pairwise(history) if new.done and not old.done
    }


def hash_of(record: dict[str, Any]) -> int:
    """Which lane an operation's records are in."""
    return sum(record["dynamodb"]["Keys"]["pk"]["S"].encode())


def _all_are_told(histories: list[History], taken: list[dict[str, Any]]) -> None:
    """Every change at least once, nothing else, and word for word the same each time."""
    expected = {
        event.id: event.detail_type
        for history in histories
        for event in (event_for(old, new) for old, new in pairwise((None, *history)))
        if event
    }
    assert len(expected) >= CHANGES
    reported = defaultdict[str, set[tuple[str, str]]](set)
    for entry in taken:
        reported[_id(entry)].add((entry["DetailType"], entry["Detail"]))
    assert all(len(ways) == 1 for ways in reported.values())
    assert {event_id: next(iter(ways))[0] for event_id, ways in reported.items()} == expected
    assert len(taken) > len(expected), "nothing was told twice: the test has lost its sting"


def _order_is_restored(histories: list[History], taken: list[dict[str, Any]]) -> None:
    """A consumer that leaves out what is not newer than what it has seen ends where the operation ended."""
    seen = dict[str, tuple[int, str]]()
    disorder = 0
    for entry in taken:
        operation_id, _, version = _id(entry).partition(".")
        assert f'"sequence":{version},' in entry["Detail"]
        if int(version) <= seen.get(operation_id, (0, ""))[0]:
            disorder += 1
        else:
            seen[operation_id] = (int(version), entry["DetailType"])
    assert disorder
    last = {
        history[0].id: [event for event in (event_for(*pair) for pair in pairwise((None, *history))) if event][-1]
        for history in histories
    }
    assert seen == {name: (event.operation.version, event.detail_type) for name, event in last.items()}


def _id(entry: dict[str, Any]) -> str:
    return str(entry["Detail"].partition('"event_id":"')[2].partition('"')[0])
