"""What API keys have used, in the operations table: `usage#<key>#<day>`, and `usage#<key>#running` for what runs now.

They are written in the transaction that writes the operation (dynamodb_operations.py), never alone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from imagegate.domain.access.ledger import Reservation, UsageTotals, limit_error
from imagegate.domain.errors import RateLimited
from imagegate.domain.operation.account import Amount

DAYS_KEPT = 93
_DAY = 86_400
Item = Mapping[str, Mapping[str, Any]]
Refused = Callable[[Item], Exception]
"""Makes the exception for a write whose condition did not hold, from the item that stood in its way."""


def writes(table: str, reservation: Reservation, now: float) -> list[tuple[dict[str, Any], Refused]]:
    """The parts of a transaction that make a booking."""
    made = []
    change, limits = reservation.change, reservation.limits
    if change.pictures or change.micro_dollars:
        rooms = {
            "pictures": (change.pictures, limits.pictures_per_day),
            "micro_dollars": (change.micro_dollars, limits.micro_dollars_per_day),
        }
        made.append(
            _update(table, _day_pk(reservation.key, reservation.day), rooms, expires_at=int(now) + DAYS_KEPT * _DAY)
        )
    if change.running:
        made.append(_update(table, _running_pk(reservation.key), {"running": (change.running, limits.concurrent)}))

    def refused(item: Item) -> RateLimited:
        return limit_error(reservation, _amount(item), now)

    return [({"Update": update}, refused) for update in made]


class DynamoDBUsageLedger:
    """The UsageLedger port on the operations table."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def read(self, key_id: str, days: Sequence[str]) -> UsageTotals:
        """What a key uses now, and has used on at most 99 `days`."""
        keys = [_running_pk(key_id), *(_day_pk(key_id, day) for day in days)]
        found = {item["pk"]["S"]: _amount(item) for item in self._items(keys)}
        used = {day: found[_day_pk(key_id, day)] for day in days if _day_pk(key_id, day) in found}
        return UsageTotals(found.get(_running_pk(key_id), Amount()).running, used)

    def _items(self, keys: Sequence[str]) -> list[Item]:
        request: dict[str, Any] = {
            self._table: {"Keys": [{"pk": {"S": pk}} for pk in keys], "ConsistentRead": True},
        }
        items: list[Item] = []
        while request:
            answer = self._client.batch_get_item(RequestItems=request)
            items += answer["Responses"].get(self._table, [])
            request = answer.get("UnprocessedKeys", {})
        return items


def _update(
    table: str, pk: str, rooms: Mapping[str, tuple[int, int | None]], expires_at: int | None = None
) -> dict[str, Any]:
    """Add to each attribute, on condition that it stays within its limit where it has one and grows."""
    names = {f"#{name}": name for name in rooms}
    values = {f":{name}": {"N": str(change)} for name, (change, _) in rooms.items()}
    conditions = []
    for name, (change, limit) in rooms.items():
        if limit is not None and change > 0:
            values[f":room_{name}"] = {"N": str(limit - change)}
            absent = f"attribute_not_exists(#{name}) OR " if limit >= change else ""
            conditions.append(f"({absent}#{name} <= :room_{name})")
    expression = "ADD " + ", ".join(f"#{name} :{name}" for name in rooms)
    if expires_at is not None:
        values[":expires_at"] = {"N": str(expires_at)}
        expression += " SET expires_at = :expires_at"
    update = {
        "TableName": table,
        "Key": {"pk": {"S": pk}},
        "UpdateExpression": expression,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
    if conditions:
        update |= {
            "ConditionExpression": " AND ".join(conditions),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    return update


def _day_pk(key_id: str, day: str) -> str:
    return f"usage#{key_id}#{day}"


def _running_pk(key_id: str) -> str:
    return f"usage#{key_id}#running"


def _amount(item: Item) -> Amount:
    numbers = {name: int(item[name]["N"]) for name in ("running", "pictures", "micro_dollars") if name in item}
    return Amount(**numbers)
