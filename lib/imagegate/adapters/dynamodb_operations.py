"""Operations in DynamoDB: one item each (docs/architecture.md#the-table).

Attributes: `pk` = `op#<id>`, `body` = the document, and beside it what indexes and conditions need:
`owner`, `id`, `model`, `version`, `expires_at` (TTL), and while it is open `open`, `due_at`.
An Idempotency-Key's claim (domain/operation/coalescing.py) has `holder`, an operation's id; a body's claim is in
dynamodb_claims.py.
"""

import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from imagegate.adapters import dynamodb_ledger
from imagegate.adapters.dynamodb_claims import registration_write
from imagegate.adapters.dynamodb_ledger import Write
from imagegate.domain.access.ledger import UNLIMITED, Reservation
from imagegate.domain.errors import Conflict, RateLimited
from imagegate.domain.operation.coalescing import BodyClaimChanged, Claim, Claimed, Registration, claim_expires_at
from imagegate.domain.operation.document import dumps, loads
from imagegate.domain.operation.operation import Operation

OPEN_SHARDS = 16
OPEN_INDEX = "open"
_DAY = 86_400
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 1.6)
"""Seconds, at most, before a transaction that met another one is tried again."""
_SPREADS = 4
"""Times that a reservation looks for room in other shards, because others took it meanwhile."""
_NEW = "attribute_not_exists(pk)"
Item = Mapping[str, Mapping[str, Any]]


class _Crowded(Conflict):
    """A transaction met others each time that it was tried."""


class DynamoDBOperations:
    """The OperationStore on one table."""

    def __init__(self, client: Any, table: str, retention_days: float, now: Callable[[], float]) -> None:
        self._client = client
        self._table = table
        self._retention = retention_days * _DAY
        self._now = now

    def create(
        self,
        operation: Operation,
        over: str | None = None,
        reservation: Reservation | None = None,
        registration: Registration | None = None,
    ) -> None:
        """Write a new operation and, in one transaction, its claim and its reservation.

        Raises Conflict when the id exists, Claimed when the key belongs to another operation than `over`,
        BodyClaimChanged when the body's claim is not as `registration` saw it, and RateLimited when the reservation's
        limits would not hold.
        """
        if operation.claim is None and reservation is None:
            self._put_new(operation)
            return
        # The claim comes first: a repetition is answered by its operation, whatever the key has left.
        claim = [self._claim(operation, over, registration)] if operation.claim else []
        self._transact(operation, [*claim, self._written(operation, _NEW)], reservation)

    def replace(self, operation: Operation, reservation: Reservation | None = None) -> None:
        """Write the next version and, in one transaction, its reservation.

        Raises Conflict unless the stored version is the one before, RateLimited when the reservation's limits would not
        hold.
        """
        before = {"ExpressionAttributeValues": {":before": {"N": str(operation.version - 1)}}}
        if reservation is None:
            self._put(operation, "version = :before", **before)
        else:
            self._transact(operation, [self._written(operation, "version = :before", **before)], reservation)

    def get(self, operation_id: str, *, consistent: bool = False) -> Operation | None:
        """Read one; an item past its retention counts as gone (TTL deletes days late)."""
        answer = self._client.get_item(TableName=self._table, Key=_key(operation_id), ConsistentRead=consistent)
        item = answer.get("Item")
        if item is None or float(item["expires_at"]["N"]) < self._now():
            return None
        return operation_of(item)

    def delete(self, operation: Operation) -> None:
        """Remove a record. Raises Conflict unless the stored version is this one."""
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=_key(operation.id),
                ConditionExpression="version = :this",
                ExpressionAttributeValues={":this": {"N": str(operation.version)}},
            )
        except self._overtaken as error:
            raise Conflict(f"operation {operation.id} was written by another process") from error

    def due(self, now: float) -> Sequence[Iterator[Operation]]:
        """Open operations whose `due_at` is past, in shards that can be read at the same time, oldest first."""
        return [self._list_due(shard, now) for shard in range(OPEN_SHARDS)]

    def _list_due(self, shard: int, now: float) -> Iterator[Operation]:
        for operation_id in self._due_ids(shard, now):
            operation = self._readable(operation_id)
            if operation is not None and _is_open(operation) and operation.due_at <= now:
                yield operation

    def _readable(self, operation_id: str) -> Operation | None:
        """The operation; `None` and a line in the log if it cannot be read, so that sweep goes on to the others."""
        try:
            return self.get(operation_id, consistent=True)
        except (KeyError, TypeError, ValueError):
            logging.exception("operation %s cannot be read", operation_id)
            return None

    def _due_ids(self, shard: int, now: float) -> Iterator[str]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=OPEN_INDEX,
            KeyConditionExpression="#open = :shard AND due_at <= :now",
            ExpressionAttributeNames={"#open": "open"},
            ExpressionAttributeValues={":shard": {"S": f"open#{shard}"}, ":now": {"N": repr(now)}},
        )
        for page in pages:
            yield from (item["pk"]["S"].removeprefix("op#") for item in page["Items"])

    def _put(self, operation: Operation, condition: str, **values: Any) -> None:
        item = self._item(operation)
        try:
            self._client.put_item(TableName=self._table, Item=item, ConditionExpression=condition, **values)
        except self._overtaken as error:
            raise Conflict(f"operation {operation.id} was written by another process") from error

    @property
    def _overtaken(self) -> tuple[type[Exception], ...]:
        """What a single write meets; it is not queued behind a transaction on the same item, but refused."""
        known = self._client.exceptions
        return known.ConditionalCheckFailedException, known.TransactionConflictException

    def _put_new(self, operation: Operation) -> None:
        """Write a new operation; one that is there already may be this one, its answer lost and the write repeated."""
        try:
            self._put(operation, _NEW)
        except Conflict:
            if self.get(operation.id, consistent=True) != operation:
                raise

    def _written(self, operation: Operation, condition: str, **values: Any) -> Write:
        put = {"TableName": self._table, "Item": self._item(operation), "ConditionExpression": condition, **values}
        return {"Put": put}, lambda _: Conflict(f"operation {operation.id} was written by another process")

    def _claim(self, operation: Operation, over: str | None, registration: Registration | None) -> Write:
        if registration:
            update = registration_write(self._table, operation, registration)
            return {"Update": update}, lambda _: BodyClaimChanged(f"{operation.claim} was written by another request")
        put = {
            "TableName": self._table,
            "Item": {
                "pk": {"S": operation.claim or ""},
                "holder": {"S": operation.id},
                "expires_at": {"N": str(int(claim_expires_at(operation)))},
            },
            "ConditionExpression": "attribute_not_exists(pk) OR holder = :over OR expires_at < :now",
            "ExpressionAttributeValues": {":over": {"S": over or "-"}, ":now": {"N": repr(self._now())}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        return {"Put": put}, lambda item: Claimed(Claim(item["holder"]["S"]))

    def _transact(self, operation: Operation, writes: list[Write], reservation: Reservation | None) -> None:
        """Do all or nothing; of several conditions that do not hold the first says why."""
        if reservation is None:
            self._commit(operation, writes)
            return
        reserved = dynamodb_ledger.writes(self._table, reservation, self._now())
        for _ in range(_SPREADS):
            try:
                self._commit(operation, [*writes, *reserved])
            except _Crowded:
                if reservation.limits == UNLIMITED:
                    raise
                break  # other shards are as crowded, and the caller waits
            except RateLimited:
                if reservation.shards == 1:
                    raise
                reserved = dynamodb_ledger.spread_writes(self._client, self._table, reservation, self._now())
            else:
                return
        raise RateLimited("Too many requests of this API key came at the same moment.", retry_after=1.0)

    def _commit(self, operation: Operation, writes: list[Write]) -> None:
        for pause in _PAUSES:
            try:
                self._client.transact_write_items(TransactItems=[write for write, _ in writes])
            except self._client.exceptions.TransactionCanceledException as error:
                reasons = error.response["CancellationReasons"]
                for (_, refused), reason in zip(writes, reasons, strict=True):
                    if reason["Code"] == "ConditionalCheckFailed":
                        raise refused(reason.get("Item", {})) from error
                time.sleep(pause * random.random())  # noqa: S311 - two transactions met; not a secret
            else:
                return
        raise _Crowded(f"too many transactions at once on operation {operation.id}")

    def _item(self, operation: Operation) -> dict[str, dict[str, str]]:
        """The retention after its start or last retry; it never expires while it runs."""
        return _item(operation, max(operation.waiting_since + self._retention, operation.deadline + _DAY))


def operation_of(item: Item) -> Operation:
    """The operation in a table item, or in an image of the table's stream."""
    return loads(Operation, item["body"]["S"])


def is_operation(keys: Item) -> bool:
    """True when the key (of an item or a stream record) is an operation's."""
    return str(keys["pk"]["S"]).startswith("op#")


def _is_open(operation: Operation) -> bool:
    """True while the operation runs, or its jobs do."""
    return not operation.done or operation.has_live_jobs


def _key(operation_id: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": f"op#{operation_id}"}}


def _item(operation: Operation, expires_at: float) -> dict[str, dict[str, str]]:
    item: dict[str, dict[str, str]] = {
        **_key(operation.id),
        "id": {"S": operation.id},
        "owner": {"S": operation.owner},
        "model": {"S": operation.model},
        "version": {"N": str(operation.version)},
        "expires_at": {"N": str(int(expires_at))},
        "body": {"S": dumps(operation)},
    }
    if _is_open(operation):
        shard = int.from_bytes(operation.id[-2:].encode()) % OPEN_SHARDS
        item |= {"open": {"S": f"open#{shard}"}, "due_at": {"N": repr(operation.due_at)}}
    return item
