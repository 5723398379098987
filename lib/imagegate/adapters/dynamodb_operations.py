"""Operations in DynamoDB: one item each (DESIGN.md §4).

Attributes: `pk` = `op#<id>`, `body` = the document, and beside it what indexes and conditions need:
`owner`, `id`, `state`, `model`, `version`, `expires_at` (TTL), and while it is open `open`, `due_at`.
A claim (domain/coalescing.py) has `holder`, an operation's id, and `waiting`.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from imagegate.domain.coalescing import Claim, Claimed, lapses_at
from imagegate.domain.document import dumps, loads
from imagegate.domain.errors import Conflict
from imagegate.domain.operation import Operation

OPEN_SHARDS = 16
OPEN_INDEX = "open"
_DAY = 86_400
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds, at most, before a transaction that met another one is tried again."""
Item = Mapping[str, Mapping[str, Any]]


class DynamoDBOperations:
    """The OperationStore on one table."""

    def __init__(self, client: Any, table: str, retention_days: float, now: Callable[[], float]) -> None:
        self._client = client
        self._table = table
        self._retention = retention_days * _DAY
        self._now = now

    def create(self, operation: Operation, over: str | None = None) -> None:
        """Write a new operation and, in one transaction, its claim.

        Raises Conflict when the id exists, and Claimed when the key has another holder than `over`.
        """
        if operation.claim is None:
            self._put(operation, "attribute_not_exists(pk)")
            return
        item = {"TableName": self._table, "Item": self._item(operation)}
        writes = [
            {"Put": {**item, "ConditionExpression": "attribute_not_exists(pk)"}},
            {"Put": self._claim(operation, over)},
        ]
        self._transact(operation, writes)

    def count_waiting(self, operation: Operation, change: int) -> None:
        """Note on the claim that one caller more (+1) or less (-1) was told "still waiting"."""
        holds = "holder = :id" + (" AND waiting > :none" if change < 0 else "")
        values = {":id": {"S": operation.id}, ":change": {"N": str(change)}}
        if change < 0:
            values[":none"] = {"N": "0"}
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": operation.claim or ""}},
                UpdateExpression="ADD waiting :change",
                ConditionExpression=holds,
                ExpressionAttributeValues=values,
            )

    def replace(self, operation: Operation) -> None:
        """Write the next version. Raises Conflict unless the stored version is the one before."""
        before = {":before": {"N": str(operation.version - 1)}}
        self._put(operation, "version = :before", ExpressionAttributeValues=before)

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
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise Conflict(f"operation {operation.id} was written by somebody else") from error

    def due(self, now: float) -> Iterator[Operation]:
        """Open operations whose `due_at` is past, shard by shard, oldest first."""
        for shard in range(OPEN_SHARDS):
            for operation_id in self._due_ids(shard, now):
                operation = self.get(operation_id, consistent=True)
                if operation is not None and _is_open(operation, now) and operation.due_at <= now:
                    yield operation

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
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise Conflict(f"operation {operation.id} was written by somebody else") from error

    def _claim(self, operation: Operation, over: str | None) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Item": {
                "pk": {"S": operation.claim or ""},
                "holder": {"S": operation.id},
                "waiting": {"N": "0"},
                "expires_at": {"N": str(int(lapses_at(operation)))},
            },
            "ConditionExpression": "attribute_not_exists(pk) OR holder = :over OR expires_at < :now",
            "ExpressionAttributeValues": {":over": {"S": over or "-"}, ":now": {"N": repr(self._now())}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _transact(self, operation: Operation, writes: list[dict[str, Any]]) -> None:
        for pause in _PAUSES:
            try:
                self._client.transact_write_items(TransactItems=writes)
            except self._client.exceptions.TransactionCanceledException as error:
                taken, claimed = error.response["CancellationReasons"]
                if claimed["Code"] == "ConditionalCheckFailed":
                    raise Claimed(_claim_of(claimed["Item"])) from error
                if taken["Code"] == "ConditionalCheckFailed":
                    raise Conflict(f"operation {operation.id} is there already") from error
                time.sleep(pause * random.random())  # noqa: S311 - two transactions met; not a secret
            else:
                return
        raise Conflict(f"too many transactions at once on {operation.claim}")

    def _item(self, operation: Operation) -> dict[str, dict[str, str]]:
        return _item(operation, operation.created_at + self._retention)


def _claim_of(item: Item) -> Claim:
    return Claim(item["holder"]["S"], int(item["waiting"]["N"]))


def operation_of(item: Item) -> Operation:
    """The operation in a table item, or in an image of the table's stream."""
    return loads(item["body"]["S"])


def is_operation(keys: Item) -> bool:
    """True when the key (of an item or a stream record) is an operation's."""
    return str(keys["pk"]["S"]).startswith("op#")


def _is_open(operation: Operation, now: float) -> bool:
    """True while somebody has to look after it: it runs, or a picture that was paid for may still come."""
    return not operation.done or operation.harvest_until > now


def _key(operation_id: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": f"op#{operation_id}"}}


def _item(operation: Operation, expires_at: float) -> dict[str, dict[str, str]]:
    item: dict[str, dict[str, str]] = {
        **_key(operation.id),
        "id": {"S": operation.id},
        "owner": {"S": operation.owner},
        "state": {"S": operation.state},
        "model": {"S": operation.model},
        "version": {"N": str(operation.version)},
        "expires_at": {"N": str(int(expires_at))},
        "body": {"S": dumps(operation)},
    }
    if _is_open(operation, operation.updated_at):
        shard = int.from_bytes(operation.id[-2:].encode()) % OPEN_SHARDS
        item |= {"open": {"S": f"open#{shard}"}, "due_at": {"N": repr(operation.due_at)}}
    return item
