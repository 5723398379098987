"""What API keys have used, in the operations table: `usage#<key>#<day>`, and `usage#<key>#running` for what runs now.

They are written in the transaction that writes the operation (dynamodb_operations.py), never alone. Transactions on one
item exclude each other, so a key with large limits has a number of counters for each (docs/adr/0034): the names of all
but the first end in `#1` and so on. Each may hold its share of the limit, and each operation has its shard.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from imagegate.domain.access.api_key import KeyLimits
from imagegate.domain.access.ledger import Reservation, UsageTotals, limit_error, would_exceed
from imagegate.domain.errors import RateLimited
from imagegate.domain.operation.account import Amount

DAYS_KEPT = 93
_DAY = 86_400
_READ_PER_CALL = 100
Item = Mapping[str, Mapping[str, Any]]
Refused = Callable[[Item], Exception]
"""Makes the exception for a write whose condition did not hold, from the item that stood in its way."""
Write = tuple[dict[str, Any], Refused]
"""A part of a transaction, and what it means when its condition does not hold."""


def writes(table: str, reservation: Reservation, now: float) -> list[Write]:
    """The parts of a transaction that write a reservation, in the operation's own shard."""
    return _writes(table, reservation, reservation.home, reservation.change, now)


def spread_writes(client: Any, table: str, reservation: Reservation, now: float) -> list[Write]:
    """The same where the operation's own shard has too little room: in as many shards as it takes.

    Raises RateLimited when all together have too little.
    """
    shards = [(reservation.home + offset) % reservation.shards for offset in range(reservation.shards)]
    pks = {
        shard: (_day_pk(reservation.key, reservation.day, shard), _running_pk(reservation.key, shard))
        for shard in shards
    }
    items = {
        item["pk"]["S"]: _amount(item) for item in _read(client, table, [pk for both in pks.values() for pk in both])
    }
    used = {shard: sum((items.get(pk, Amount()) for pk in pks[shard]), Amount()) for shard in shards}
    total = sum(used.values(), Amount())
    if would_exceed(reservation, total):
        raise limit_error(reservation, total, now)
    left, made = reservation.change, list[Write]()
    for shard in shards:
        part = _within_limits(left, used[shard], _share(reservation.limits, shard, reservation.shards))
        left -= part
        made += _writes(table, reservation, shard, part, now)
    return made


def _writes(table: str, reservation: Reservation, shard: int, change: Amount, now: float) -> list[Write]:
    made = []
    limits = _share(reservation.limits, shard, reservation.shards)
    if change.pictures or change.micro_dollars:
        rooms = {
            "pictures": (change.pictures, limits.pictures_per_day),
            "micro_dollars": (change.micro_dollars, limits.micro_dollars_per_day),
        }
        day = _day_pk(reservation.key, reservation.day, shard)
        made.append(_update(table, day, rooms, expires_at=int(now) + DAYS_KEPT * _DAY))
    if change.running:
        made.append(
            _update(table, _running_pk(reservation.key, shard), {"running": (change.running, limits.concurrent)})
        )

    def refused(item: Item) -> RateLimited:
        return limit_error(reservation, _amount(item), now)

    return [({"Update": update}, refused) for update in made]


def _share(limits: KeyLimits, shard: int, shards: int) -> KeyLimits:
    """The part of the limits that a shard may hold; all parts together are the limits."""

    def share(limit: int | None) -> int | None:
        return None if limit is None else limit // shards + (shard < limit % shards)

    return KeyLimits(
        concurrent=share(limits.concurrent),
        pictures_per_day=share(limits.pictures_per_day),
        micro_dollars_per_day=share(limits.micro_dollars_per_day),
    )


def _within_limits(wanted: Amount, used: Amount, limits: KeyLimits) -> Amount:
    """As much of what is wanted as fits into a shard."""

    def bounded(wanted: int, used: int, limit: int | None) -> int:
        return wanted if limit is None or wanted <= 0 else max(0, min(wanted, limit - used))

    return Amount(
        bounded(wanted.running, used.running, limits.concurrent),
        bounded(wanted.pictures, used.pictures, limits.pictures_per_day),
        bounded(wanted.micro_dollars, used.micro_dollars, limits.micro_dollars_per_day),
    )


class DynamoDBUsageLedger:
    """The UsageLedger port on the operations table."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def read(self, key_id: str, days: Sequence[str], shards: int = 1) -> UsageTotals:
        """What a key with so many counters uses now, and has used on `days`."""
        names = {_running_pk(key_id, shard): "" for shard in range(shards)}
        names |= {_day_pk(key_id, day, shard): day for day in days for shard in range(shards)}
        found: dict[str, Amount] = {}
        for item in _read(self._client, self._table, list(names)):
            name = names[item["pk"]["S"]]
            found[name] = found.get(name, Amount()) + _amount(item)
        return UsageTotals(found.pop("", Amount()).running, found)


def _read(client: Any, table: str, pks: Sequence[str]) -> list[Item]:
    items: list[Item] = []
    wanted = [{"pk": {"S": pk}} for pk in pks]
    while wanted:
        request = {table: {"Keys": wanted[:_READ_PER_CALL], "ConsistentRead": True}}
        answer = client.batch_get_item(RequestItems=request)
        items += answer["Responses"].get(table, [])
        wanted = [*answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", []), *wanted[_READ_PER_CALL:]]
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


def _day_pk(key_id: str, day: str, shard: int) -> str:
    return f"usage#{key_id}#{day}" + (f"#{shard}" if shard else "")


def _running_pk(key_id: str, shard: int) -> str:
    return _day_pk(key_id, "running", shard)


def _amount(item: Item) -> Amount:
    numbers = {name: int(item[name]["N"]) for name in ("running", "pictures", "micro_dollars") if name in item}
    return Amount(**numbers)
