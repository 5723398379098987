"""Deliveries in the operations table: `pk` = `delivery#<operation>#<sequence>`, the delivery as JSON in `body`.

Those of one operation stand together in the index `owner`, under `delivery#<operation>`, which no operation's owner is.
`delivery#<operation>` counts the operation's POSTs. Beside them lie the receivers that want no more:
`webhook#<owner>#<digest of the URL>`.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from imagegate.domain.errors import Conflict
from imagegate.domain.operation.document import dumps, loads
from imagegate.domain.webhooks.delivery import Delivery, DeliveryState

_OWNER_INDEX = "owner"
_UNTRIED = "untried"
"""What the index `owner` has for the state of a delivery of which there was no attempt yet."""


class DynamoDBDeliveries:
    """The Deliveries and DisabledWebhooks ports on the operations table."""

    def __init__(self, client: Any, table: str, now: Callable[[], float]) -> None:
        self._client = client
        self._table = table
        self._now = now

    def get(self, operation_id: str, sequence: int) -> Delivery | None:
        """Read one as it is now."""
        item = self._item(_pk(operation_id, sequence))
        return loads(Delivery, item["body"]["S"]) if item else None

    def put(self, delivery: Delivery) -> None:
        """Write a new one or the next version. Raises Conflict unless the stored version is the one before."""
        before = {":before": {"N": str(delivery.version - 1)}}
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if delivery.version > 1:
            condition = {"ConditionExpression": "version = :before", "ExpressionAttributeValues": before}
        try:
            self._client.put_item(TableName=self._table, Item=_item(delivery), **condition)
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise Conflict(f"delivery {delivery.event_id} was written by another process") from error

    def tried(self, operation_id: str) -> set[str]:
        """The events of an operation that were tried at least once; one that is a moment old may be missing."""
        return {item["model"]["S"] for item in self._listed(operation_id) if item["state"]["S"] != _UNTRIED}

    def of(self, operation_id: str, after: int = 0) -> Sequence[Delivery]:
        """Those of an operation after a sequence, in its order."""
        sequences = (int(item["id"]["S"]) for item in self._listed(operation_id))
        found = (self.get(operation_id, sequence) for sequence in sequences if sequence > after)
        return sorted((entry for entry in found if entry), key=lambda entry: entry.sequence)

    def count_post(self, operation_id: str, most: int, expires_at: float) -> bool:
        """Count one more POST of an operation before it is made; False, and nothing counted, beyond `most`."""
        return self._count(
            operation_id,
            "SET expires_at = :expires ADD posts :one",
            "attribute_not_exists(posts) OR posts < :most",
            {":one": 1, ":most": most, ":expires": int(expires_at)},
        )

    def posts(self, operation_id: str) -> int:
        """How many POSTs an operation has made."""
        item = self._client.get_item(TableName=self._table, Key=_counts(operation_id), ConsistentRead=True).get("Item")
        return int(item["posts"]["N"]) if item and "posts" in item else 0

    def begin_redelivery(self, operation_id: str, pause: float, expires_at: float) -> float:
        """Note that an operation is redelivered now; or seconds until it may be, `pause` after the last time."""
        now = self._now()
        begun = self._count(
            operation_id,
            "SET expires_at = :expires, redelivered_at = :now",
            "attribute_not_exists(redelivered_at) OR redelivered_at <= :before",
            {":now": now, ":before": now - pause, ":expires": int(expires_at)},
        )
        if begun:
            return 0.0
        item = self._client.get_item(TableName=self._table, Key=_counts(operation_id), ConsistentRead=True)["Item"]
        return max(float(item["redelivered_at"]["N"]) + pause - now, 1.0)

    def _count(self, operation_id: str, update: str, condition: str, values: Mapping[str, float]) -> bool:
        """Change what is counted of an operation, if the condition holds."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_counts(operation_id),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues={name: {"N": repr(number)} for name, number in values.items()},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def forget(self, operation_id: str) -> None:
        """Remove all of an operation."""
        self._client.delete_item(TableName=self._table, Key=_counts(operation_id))
        for item in self._listed(operation_id):
            self._client.delete_item(TableName=self._table, Key={"pk": item["pk"]})

    def disable(self, owner: str, url: str, until: float) -> None:
        """Send nothing there until then, or until it is enabled."""
        item = {**_mark(owner, url), "expires_at": {"N": str(int(until))}}
        self._client.put_item(TableName=self._table, Item=item)

    def enable(self, owner: str, url: str) -> None:
        """Send there again."""
        self._client.delete_item(TableName=self._table, Key=_mark(owner, url))

    def is_disabled(self, owner: str, url: str) -> bool:
        """True when nothing is sent there."""
        return self._item(_mark(owner, url)) is not None

    def _listed(self, operation_id: str) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=_OWNER_INDEX,
            KeyConditionExpression="#owner = :operation",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":operation": {"S": f"delivery#{operation_id}"}},
        )
        for page in pages:
            yield from page["Items"]

    def _item(self, key: dict[str, Any]) -> dict[str, Any] | None:
        """An item as it is now; past its retention it counts as gone (TTL deletes days late)."""
        item: dict[str, Any] | None = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get(
            "Item"
        )
        return None if item is None or float(item["expires_at"]["N"]) < self._now() else item


def _pk(operation_id: str, sequence: int) -> dict[str, Any]:
    return {"pk": {"S": f"delivery#{operation_id}#{sequence}"}}


def _counts(operation_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"delivery#{operation_id}"}}


def _mark(owner: str, url: str) -> dict[str, Any]:
    return {"pk": {"S": f"webhook#{owner}#{hashlib.sha256(url.encode()).hexdigest()[:32]}"}}


def _item(delivery: Delivery) -> dict[str, Any]:
    untried = delivery.state is DeliveryState.PENDING and not delivery.tries
    return {
        **_pk(delivery.operation_id, delivery.sequence),
        "owner": {"S": f"delivery#{delivery.operation_id}"},
        "id": {"S": f"{delivery.sequence:06d}"},
        "state": {"S": _UNTRIED if untried else delivery.state},
        "model": {"S": delivery.event},
        "version": {"N": str(delivery.version)},
        "expires_at": {"N": str(int(delivery.expires_at))},
        "body": {"S": dumps(delivery)},
    }
