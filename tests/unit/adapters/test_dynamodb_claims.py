"""Claims of bodies on the operations table, against moto."""

from dataclasses import replace
from typing import Any

import boto3
import pytest

from imagegate.adapters.dynamodb_claims import DynamoDBClaims
from imagegate.adapters.dynamodb_operations import DynamoDBOperations
from imagegate.domain.operation.coalescing import (
    BURST,
    Arrival,
    BodyClaim,
    BodyClaimChanged,
    Candidate,
    Registration,
)
from imagegate.domain.operation.ids import new_id
from imagegate.domain.operation.operation import Operation
from imagegate.domain.request.request import ImageRequest, Message
from support.fakes import FakeClock

CLAIM = "same#me#openai_images#abc"
NOW = 1_800_000_000.123
pytestmark = pytest.mark.usefixtures("mocked_aws")


@pytest.fixture
def client() -> Any:
    made = boto3.client("dynamodb")
    made.create_table(
        TableName="operations",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    return made


@pytest.fixture
def store(client: Any) -> DynamoDBOperations:
    return DynamoDBOperations(client, "operations", 30, FakeClock(NOW).now)


@pytest.fixture
def claims(client: Any) -> DynamoDBClaims:
    return DynamoDBClaims(client, "operations")


def operation(**changes: Any) -> Operation:
    made = Operation(
        id=new_id(NOW),
        owner="me",
        dialect="openai_images",
        request=ImageRequest(model="flux", messages=(Message("x"),)),
        claim=CLAIM,
        created_at=NOW,
        deadline=NOW + 900,
        due_at=NOW + 60,
    )
    return replace(made, **changes)


def register(
    store: DynamoDBOperations, seen: BodyClaim, seconds: float = 0.0, retry_count: int = 0, *superseded: str
) -> Operation:
    made = operation()
    store.create(
        made, registration=Registration(arrival=Arrival(NOW + seconds, retry_count), seen=seen, superseded=superseded)
    )
    return made


def ids(claim: BodyClaim) -> set[str]:
    return {each.operation_id for each in claim.candidates}


def test_nothing_is_there_at_first(claims: DynamoDBClaims) -> None:
    assert claims.read_claim(CLAIM) == BodyClaim()


def test_an_operation_and_its_claim_are_written_together(store: DynamoDBOperations, claims: DynamoDBClaims) -> None:
    made = register(store, BodyClaim(), 0.25, 1)
    at = NOW + 0.25
    assert claims.read_claim(CLAIM) == BodyClaim(
        [Candidate(operation_id=made.id, begun_at=at, taken_at=at, retry_count=1)], 1, int(NOW + 1500)
    )
    assert store.get(made.id) == made


def test_requests_of_one_burst_register_though_they_saw_nothing(
    store: DynamoDBOperations, claims: DynamoDBClaims
) -> None:
    made = [register(store, BodyClaim(), seconds) for seconds in (0.0, 1.0, 0.5, BURST + 0.4)]
    assert ids(claims.read_claim(CLAIM)) == {each.id for each in made}


@pytest.mark.parametrize(("seconds", "retry_count"), [(BURST + 0.1, 0), (-BURST - 0.1, 0), (0.1, 1)])
def test_who_may_repeat_what_has_come_since_reads_again(
    store: DynamoDBOperations, claims: DynamoDBClaims, seconds: float, retry_count: int
) -> None:
    first = register(store, BodyClaim())
    with pytest.raises(BodyClaimChanged):
        register(store, BodyClaim(), seconds, retry_count)
    register(store, claims.read_claim(CLAIM), seconds, retry_count, first.id)
    assert len(ids(claims.read_claim(CLAIM)) - {first.id}) == 1
    assert claims.read_claim(CLAIM).version == 2


def test_a_claim_that_was_not_read_must_not_be_there(store: DynamoDBOperations, claims: DynamoDBClaims) -> None:
    unread = Registration(arrival=Arrival(NOW + 1), seen=BodyClaim(), unread=True)
    first = operation()
    store.create(first, registration=unread)
    with pytest.raises(BodyClaimChanged):  # though in a burst a request that has read it registers
        store.create(operation(), registration=unread)
    assert ids(claims.read_claim(CLAIM)) == {first.id}


def test_superseded_operations_are_removed(store: DynamoDBOperations, claims: DynamoDBClaims) -> None:
    first, second = (register(store, BodyClaim(), seconds) for seconds in (0.0, 1.0))
    third = register(store, claims.read_claim(CLAIM), 9.0, 0, first.id)
    assert ids(claims.read_claim(CLAIM)) == {second.id, third.id}


def test_a_claim_lives_as_long_as_the_last_of_its_operations(store: DynamoDBOperations, claims: DynamoDBClaims) -> None:
    register(store, BodyClaim())
    seen = claims.read_claim(CLAIM)
    short = operation(deadline=NOW + 10)
    store.create(short, registration=Registration(arrival=Arrival(NOW + 30), seen=seen))
    assert claims.read_claim(CLAIM).expires_at == seen.expires_at


def test_an_operation_is_taken_once(store: DynamoDBOperations, claims: DynamoDBClaims) -> None:
    made = register(store, BodyClaim())
    [candidate] = claims.read_claim(CLAIM).candidates
    assert claims.take(CLAIM, candidate, Arrival(NOW + 8, 1))
    assert not claims.take(CLAIM, candidate, Arrival(NOW + 8, 1))
    [taken] = claims.read_claim(CLAIM).candidates
    assert taken == Candidate(operation_id=made.id, begun_at=NOW, taken_at=NOW + 8, retry_count=1)


def test_a_request_that_was_overtaken_does_not_turn_time_back(
    store: DynamoDBOperations, claims: DynamoDBClaims
) -> None:
    register(store, BodyClaim())
    [candidate] = claims.read_claim(CLAIM).candidates
    assert claims.take(CLAIM, candidate, Arrival(NOW - 8))
    assert claims.read_claim(CLAIM).candidates[0].taken_at == NOW


def test_callers_are_counted(store: DynamoDBOperations, claims: DynamoDBClaims) -> None:
    made = register(store, BodyClaim())
    for more, invited in ((1, 0), (1, 1), (0, 1)):
        claims.count_waiting(made, more, invited)
    for at in (1.5, 2.5, 3.5):
        claims.note_answer(made, NOW + at)
    [candidate] = claims.read_claim(CLAIM).candidates
    assert (candidate.waiting, candidate.invited, candidate.answered_at) == (0, 2, NOW + 3.5)
    assert claims.take(CLAIM, candidate, Arrival(NOW + 1))
    assert claims.read_claim(CLAIM).candidates[0].invited == 1


def test_counting_for_an_operation_that_has_left_changes_nothing(
    store: DynamoDBOperations, claims: DynamoDBClaims
) -> None:
    first = register(store, BodyClaim())
    register(store, claims.read_claim(CLAIM), 9.0, 0, first.id)
    claims.count_waiting(first, 1)
    claims.note_answer(first, NOW)
    assert first.id not in ids(claims.read_claim(CLAIM))


class Entangled:
    """A client whose first update meets a transaction."""

    def __init__(self) -> None:
        self.client = boto3.client("dynamodb")
        self.left = 1

    def __getattr__(self, name: str) -> Any:
        if name == "update_item" and self.left:
            self.left = 0
            raise self.client.exceptions.TransactionConflictException({"Error": {"Code": "TransactionConflict"}}, name)
        return getattr(self.client, name)


def test_an_update_that_meets_a_transaction_is_tried_again(store: DynamoDBOperations, claims: DynamoDBClaims) -> None:
    made = register(store, BodyClaim())
    DynamoDBClaims(Entangled(), "operations").count_waiting(made, 1)
    assert claims.read_claim(CLAIM).candidates[0].waiting == 1
