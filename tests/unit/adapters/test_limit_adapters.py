"""Books and request rates against moto, and beside the same in memory: the fakes must refuse what the table refuses."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imagegate.adapters import dynamodb_request_rate
from imagegate.adapters.dynamodb_ledger import DynamoDBUsageLedger
from imagegate.adapters.dynamodb_operations import DynamoDBOperations
from imagegate.adapters.dynamodb_request_rate import DynamoDBRequestRate
from imagegate.domain.access.api_key import MANY_SHARDS, KeyLimits, issue
from imagegate.domain.access.ledger import Reservation, UsageTotals
from imagegate.domain.errors import Conflict, QuotaExhausted, RateLimited
from imagegate.domain.operation.account import Account, Amount
from imagegate.domain.operation.coalescing import Claimed
from imagegate.domain.operation.ids import new_id
from imagegate.domain.operation.operation import Operation
from imagegate.domain.request.request import ImageRequest, Message
from support.deployed import operations_table
from support.fakes import FakeClock, MemoryRequestRate, MemoryStore

KEY, TODAY = "0123456789ab", "2027-01-15"


@pytest.fixture
def client(mocked_aws: None) -> Any:
    operations_table()
    return boto3.client("dynamodb")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


class InShards(DynamoDBOperations):
    """Divides the usage of every key into many counters."""

    def _transact(self, operation: Operation, writes: Any, reservation: Reservation | None) -> None:
        home = int.from_bytes(operation.id[-2:].encode()) % MANY_SHARDS
        super()._transact(operation, writes, reservation and replace(reservation, shards=MANY_SHARDS, home=home))


@pytest.fixture(params=["table", "shards", "memory"])
def store(request: pytest.FixtureRequest, client: Any, clock: FakeClock) -> Any:
    stores = {"table": DynamoDBOperations, "shards": InShards}
    return MemoryStore() if request.param == "memory" else stores[request.param](client, "operations", 30, clock.now)


def operation(claim: str | None = None) -> Operation:
    now = FakeClock().now()
    made = Operation(
        id=new_id(now),
        owner="me",
        dialect="",
        request=ImageRequest(model="flux", messages=(Message("x"),)),
        created_at=now,
        deadline=now + 9,
        due_at=now + 60,
    )
    return replace(
        made,
        claim=claim,
        updated_at=now,
        account=Account(key=KEY, day=TODAY, pictures=1, dearest=5, counts_running=True),
    )


def reservation(running: int = 1, pictures: int = 1, micro_dollars: int = 5, **limits: int) -> Reservation:
    return Reservation(key=KEY, day=TODAY, change=Amount(running, pictures, micro_dollars), limits=KeyLimits(**limits))


def usage_ledger(store: Any, client: Any, *days: str) -> UsageTotals:
    reader = store if isinstance(store, MemoryStore) else DynamoDBUsageLedger(client, "operations")
    used: UsageTotals = reader.read(KEY, days or (TODAY,), MANY_SHARDS)
    return used


def test_an_operation_and_its_booking_are_written_together(store: Any, client: Any) -> None:
    one = operation()
    store.create(one, None, reservation(pictures_per_day=2, concurrent=2, micro_dollars_per_day=10))
    assert store.get(one.id) == one
    assert usage_ledger(store, client) == UsageTotals(1, {TODAY: Amount(0, 1, 5)})
    store.replace(replace(one, version=2), reservation(-1, 0, -3))
    assert usage_ledger(store, client) == UsageTotals(0, {TODAY: Amount(0, 1, 2)})
    assert usage_ledger(store, client, "2027-01-14") == UsageTotals(0, {})


@pytest.mark.parametrize(
    ("limits", "refusal"),
    [
        ({"pictures_per_day": 3}, QuotaExhausted),
        ({"micro_dollars_per_day": 19}, QuotaExhausted),
        ({"concurrent": 3}, RateLimited),
        ({"pictures_per_day": 3, "micro_dollars_per_day": 1000, "concurrent": 9}, QuotaExhausted),
        ({"pictures_per_day": 300, "micro_dollars_per_day": 1000, "concurrent": 3}, RateLimited),
    ],
)
def test_over_a_limit_neither_is_written(
    store: Any, client: Any, limits: dict[str, int], refusal: type[Exception]
) -> None:
    for _ in range(3):
        store.create(operation(), None, reservation(**limits))
    one = operation()
    with pytest.raises(refusal) as refused:
        store.create(one, None, reservation(**limits))
    assert type(refused.value) is refusal
    assert store.get(one.id) is None
    assert usage_ledger(store, client) == UsageTotals(3, {TODAY: Amount(0, 3, 15)})
    store.create(one, None, reservation(0, 0, 0, **limits))


def test_what_can_never_fit_is_refused_by_empty_books_too(store: Any, client: Any) -> None:
    with pytest.raises(QuotaExhausted) as refused:
        store.create(operation(), None, reservation(pictures=4, pictures_per_day=3))
    assert "has 3 of its 3 pictures left" in refused.value.message
    assert refused.value.retry_after is None
    assert usage_ledger(store, client) == UsageTotals()


def test_what_takes_nothing_is_not_refused_by_what_others_have_used(store: Any, client: Any) -> None:
    store.create(operation(), None, reservation(micro_dollars=50))
    store.create(operation(), None, reservation(micro_dollars=0, micro_dollars_per_day=10))
    assert usage_ledger(store, client).days[TODAY] == Amount(0, 2, 50)


def test_a_repetition_is_told_so_although_the_key_has_nothing_left(store: Any, client: Any) -> None:
    limits = {"pictures_per_day": 1, "concurrent": 1}
    one = operation("key#me#x")
    store.create(one, None, reservation(**limits))
    with pytest.raises(Claimed) as held:
        store.create(operation("key#me#x"), None, reservation(**limits))
    assert held.value.claim.operation_id == one.id
    assert usage_ledger(store, client) == UsageTotals(1, {TODAY: Amount(0, 1, 5)})


def test_a_lost_race_books_nothing(store: Any, client: Any) -> None:
    one = operation()
    store.create(one, None, reservation())
    store.replace(replace(one, version=2), reservation(-1, 0, 0))
    for version in (1, 2, 4):
        with pytest.raises(Conflict):
            store.replace(replace(one, version=version), reservation(-1, 0, 0))
    with pytest.raises(Conflict):
        store.create(one, None, reservation())
    assert usage_ledger(store, client) == UsageTotals(0, {TODAY: Amount(0, 1, 5)})


@pytest.mark.slow
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    limits=st.fixed_dictionaries(
        {}, optional={"concurrent": st.integers(1, 40), "pictures_per_day": st.integers(1, 90)}
    ),
    steps=st.lists(st.one_of(st.integers(1, 10), st.none()), max_size=30),
)
def test_counters_in_shards_take_and_refuse_what_one_does(
    client: Any, clock: FakeClock, limits: dict[str, int], steps: list[int | None]
) -> None:
    """A number starts an operation with so many pictures; `None` ends the oldest, which made one."""
    key, memory, table = new_id(clock.now()), MemoryStore(), InShards(client, "operations", 30, clock.now)
    running: list[tuple[Operation, int]] = []

    def attempt(store: Any, one: Operation, booking: Reservation) -> str:
        try:
            store.create(one, None, booking)
        except RateLimited as refused:
            return refused.message
        return ""

    for pictures in steps:
        if pictures is not None:
            one, booking = operation(), replace(reservation(pictures=pictures, **limits), key=key)
            outcome = attempt(memory, one, booking)
            assert attempt(table, one, booking) == outcome
            running += [(one, pictures)] if not outcome else []
        elif running:
            one, pictures = running.pop(0)
            ended = replace(reservation(-1, 1 - pictures, 0), key=key)
            for store in (memory, table):
                store.replace(replace(one, version=2), ended)
    ledger = DynamoDBUsageLedger(client, "operations")
    assert ledger.read(key, [TODAY], MANY_SHARDS) == memory.read(key, [TODAY])


@pytest.mark.slow
def test_an_operation_writes_counters_of_its_own_shard_only(client: Any, clock: FakeClock) -> None:
    store, written = InShards(client, "operations", 30, clock.now), set[str]()
    for _ in range(60):
        store.create(operation(), None, reservation(concurrent=16_000, pictures_per_day=16_000))
    for shard in range(MANY_SHARDS):
        pk = f"usage#{KEY}#running#{shard}".removesuffix("#0")
        written |= {pk} if "Item" in client.get_item(TableName="operations", Key={"pk": {"S": pk}}) else set()
    assert len(written) > MANY_SHARDS / 2
    assert usage_ledger(store, client).running == 60


def test_limits_are_divided_that_have_room_for_it() -> None:
    assert KeyLimits().shards == KeyLimits(requests_per_minute=9999).shards == 1
    assert KeyLimits(concurrent=159, pictures_per_day=10**6).shards == 1
    large = KeyLimits(concurrent=160, pictures_per_day=1600, micro_dollars_per_day=160_000_000)
    assert large.shards == issue("k", 0.0, limits=large)[0].shards == MANY_SHARDS


def test_the_books_of_a_day_are_deleted_in_time_and_the_running_count_never(client: Any, clock: FakeClock) -> None:
    DynamoDBOperations(client, "operations", 30, clock.now).create(operation(), None, reservation())
    day, running = (
        client.get_item(TableName="operations", Key={"pk": {"S": f"usage#{KEY}#{name}"}})["Item"]
        for name in (TODAY, "running")
    )
    assert 90 < (int(day["expires_at"]["N"]) - clock.now()) / 86_400 < 95
    assert "expires_at" not in running


def test_without_a_booking_as_much_is_written_as_ever(client: Any, clock: FakeClock) -> None:
    store, calls = DynamoDBOperations(client, "operations", 30, clock.now), []
    client.meta.events.register("before-call.dynamodb", lambda model, params, **_: calls.append((model, params)))
    one = operation()
    store.create(one)
    store.replace(replace(one, version=2))
    store.create(operation("key#me#x"))
    assert [model.name for model, _ in calls] == ["PutItem", "PutItem", "TransactWriteItems"]
    assert len(json.loads(calls[2][1]["body"])["TransactItems"]) == 2


@dataclass
class Crowded:
    """A client whose transactions meet others so many times before they get through."""

    client: Any
    meetings: int
    tries: int = 0
    exceptions: Any = field(init=False)

    def __post_init__(self) -> None:
        self.exceptions = self.client.exceptions

    def transact_write_items(self, TransactItems: Sequence[Any]) -> Any:
        self.tries += 1
        if self.tries <= self.meetings:
            reasons = [{"Code": "None"} for _ in TransactItems[1:]] + [{"Code": "TransactionConflict"}]
            answer = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
            raise self.exceptions.TransactionCanceledException(answer, "TransactWriteItems")
        return self.client.transact_write_items(TransactItems=TransactItems)


@pytest.mark.parametrize(("meetings", "refusal"), [(3, None), (99, RateLimited)])
def test_who_meets_others_at_the_books_tries_again(
    monkeypatch: pytest.MonkeyPatch, client: Any, clock: FakeClock, meetings: int, refusal: type[Exception] | None
) -> None:
    monkeypatch.setattr("imagegate.adapters.dynamodb_operations._PAUSES", (0.0,) * 5)
    store = DynamoDBOperations(Crowded(client, meetings), "operations", 30, clock.now)
    if refusal is None:
        store.create(operation(), None, reservation(concurrent=3))
    else:
        with pytest.raises(refusal) as refused:
            store.create(operation(), None, reservation(concurrent=3))
        assert getattr(refused.value, "retry_after", 0) == 1
        with pytest.raises(Conflict, match="too many"):
            store.replace(replace(operation(), version=2), reservation())
    found = DynamoDBUsageLedger(client, "operations").read(KEY, [TODAY]).running
    assert found == (1 if refusal is None else 0)


@pytest.mark.parametrize("kind", [DynamoDBOperations, InShards])
def test_who_meets_others_does_not_look_for_room(
    monkeypatch: pytest.MonkeyPatch, client: Any, clock: FakeClock, kind: type[DynamoDBOperations]
) -> None:
    """Other shards would be as crowded, and the caller waits."""
    monkeypatch.setattr("imagegate.adapters.dynamodb_operations._PAUSES", (0.0,) * 5)
    crowded = Crowded(client, 99)
    with pytest.raises(RateLimited, match="same moment"):
        kind(crowded, "operations", 30, clock.now).create(operation(), None, reservation(concurrent=160))
    assert crowded.tries == 5


@pytest.mark.parametrize("kind", [DynamoDBOperations, InShards])
def test_at_its_limit_a_key_is_refused_after_one_transaction(
    client: Any, clock: FakeClock, kind: type[DynamoDBOperations]
) -> None:
    store, crowded = kind(client, "operations", 30, clock.now), Crowded(client, 0)
    crowded.batch_get_item = client.batch_get_item  # type: ignore[attr-defined]
    for _ in range(20):
        store.create(operation(), None, reservation(concurrent=20))
    with pytest.raises(RateLimited, match="may have 20 at once"):
        kind(crowded, "operations", 30, clock.now).create(operation(), None, reservation(concurrent=20))
    assert crowded.tries == 1


def test_a_bucket_is_emptied_and_fills_steadily(client: Any, clock: FakeClock) -> None:
    rate = DynamoDBRequestRate(client, "operations", clock.now)
    left = [rate.take(KEY, 4).remaining for _ in range(4)]
    assert left == [3, 2, 1, 0]
    refused = rate.take(KEY, 4)
    assert (refused.remaining, refused.full_after, refused.retry_after) == (0, 60, 15)
    clock.sleep(15)
    assert rate.take(KEY, 4).retry_after is None
    assert rate.take(KEY, 4).retry_after == 15
    clock.sleep(3600)
    assert [rate.take(KEY, 4).remaining for _ in range(4)] == [3, 2, 1, 0], (
        "an hour's rest saves up no more than a minute"
    )


def test_a_flood_of_refused_requests_writes_nothing(client: Any, clock: FakeClock) -> None:
    rate = DynamoDBRequestRate(client, "operations", clock.now)
    writes: list[Any] = []
    client.meta.events.register("before-call.dynamodb.UpdateItem", lambda **_: writes.append(1))
    for _ in range(50):
        rate.take(KEY, 2)
    assert len(writes) == 2


def test_several_functions_share_a_bucket(client: Any, clock: FakeClock) -> None:
    rates = [DynamoDBRequestRate(client, "operations", clock.now) for _ in range(8)]
    granted = [rate.take(KEY, 10).retry_after is None for _ in range(4) for rate in rates]
    assert granted == [True] * 10 + [False] * 22


@pytest.mark.slow
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    per_minute=st.integers(1, 30),
    steps=st.lists(st.tuples(st.sampled_from([0, 0.1, 1, 2, 7, 61]), st.integers(0, 1)), max_size=40),
)
def test_the_table_grants_what_the_model_grants(
    client: Any, clock: FakeClock, per_minute: int, steps: list[tuple[float, int]]
) -> None:
    key = new_id(clock.now())
    table = [DynamoDBRequestRate(client, "operations", clock.now) for _ in range(2)]
    memory = MemoryRequestRate(clock)
    for pause, which in steps:
        clock.sleep(pause)
        assert table[which].take(key, per_minute) == memory.take(key, per_minute)


@pytest.mark.slow
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from([0, 1, 7, 27, 61]), st.integers(0, 1), st.sampled_from([1, 25, 27, 60])), max_size=20
    )
)
def test_the_table_grants_several_at_once_as_the_model_does(
    client: Any, clock: FakeClock, steps: list[tuple[float, int, int]]
) -> None:
    """Who is refused may be told to come back too early, by a process that has not seen what others took."""
    wait = new_id(clock.now())
    table = [DynamoDBRequestRate(client, "operations", clock.now) for _ in range(2)]
    memory = MemoryRequestRate(clock)
    for pause, which, cost in steps:
        clock.sleep(pause)
        told = table[which].take(wait, 120, cost).retry_after
        assert (told is None) == (memory.take(wait, 120, cost).retry_after is None)


def test_the_buckets_remembered_are_bounded(client: Any, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamodb_request_rate, "_CAPACITY", 3)
    rate = DynamoDBRequestRate(client, "operations", clock.now)
    assert [rate.take(str(at), 1).retry_after for at in range(5)] == [None] * 5
    assert len(rate._seen) == 3
    assert rate.take("0", 1).retry_after, "what is not remembered is looked up"
