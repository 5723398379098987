"""Requests a minute per API key: one item `pace#<key>` with the bucket's one number (domain/access/rate.py)."""

from collections.abc import Callable
from typing import Any

from imagegate.domain.access import rate
from imagegate.domain.access.rate import MICROSECONDS, Allowance

_RACES = 10
_CAPACITY = 10_000
"""Buckets whose number is remembered."""
_LIFE = 120
"""Seconds after which an item says no more than its absence."""


class DynamoDBRequestRate:
    """The RequestRate port: one write a request, none for requests that are certain to be refused."""

    def __init__(self, client: Any, table: str, now: Callable[[], float]) -> None:
        self._client = client
        self._table = table
        self._now = now
        self._seen: dict[str, int] = {}
        """The last `full_at` known of a key. It only grows, so an empty bucket needs no second read."""

    def take(self, key_id: str, per_minute: int, cost: int = 1) -> Allowance:
        """Take `cost` of the requests that the key may make now, if there are so many."""
        now = int(self._now() * MICROSECONDS)
        latest, step = rate.latest_full_at(per_minute, now, cost), cost * rate.interval(per_minute)
        full_at = self._seen.get(key_id, 0)
        for _ in range(_RACES):
            if full_at > latest:
                break
            idle = full_at <= now
            taken, full_at = self._advance(key_id, now, now + step if idle else step, None if idle else latest)
            self._remember(key_id, full_at)
            if taken:
                return rate.grant(per_minute, full_at, now)
        return rate.refuse(per_minute, full_at, now, cost)

    def _remember(self, key_id: str, full_at: int) -> None:
        self._seen.pop(key_id, None)
        self._seen[key_id] = full_at
        if len(self._seen) > _CAPACITY:
            del self._seen[next(iter(self._seen))]

    def _advance(self, key_id: str, now: int, value: int, latest: int | None) -> tuple[bool, int]:
        """Set the number of a bucket that is full, or (`latest`) add to that of one that is neither full nor empty.

        Whether it was so, and the number that now stands there.
        """
        full = "attribute_not_exists(full_at) OR full_at <= :now"
        values = {":now": now, ":value": value, ":expires": now // MICROSECONDS + _LIFE}
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": f"pace#{key_id}"}},
                UpdateExpression=f"SET full_at = {'' if latest is None else 'full_at + '}:value, expires_at = :expires",
                ConditionExpression=full if latest is None else "full_at BETWEEN :now AND :latest",
                ExpressionAttributeValues={
                    name: {"N": str(number)}
                    for name, number in (values | ({} if latest is None else {":latest": latest})).items()
                },
                ReturnValues="UPDATED_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            item = error.response.get("Item", {})
            return False, int(item["full_at"]["N"]) if "full_at" in item else 0
        return True, int(answer["Attributes"]["full_at"]["N"])
