"""Circuit breakers and rate limits of providers, one item each in the operations table."""

import time
from collections.abc import Callable
from typing import Any

from imagegate.domain.circuit import SICKNESS, Circuit
from imagegate.domain.errors import FailureCode

_FRESH = 5.0
"""Seconds for which a circuit that was read is good enough."""
_LIFE = 86_400
_RACES = 5


class DynamoDBAdmission:
    """The Admission port. Healthy providers without a rate limit cost a read every few seconds and no write."""

    def __init__(
        self, client: Any, table: str, per_minute: Callable[[str], int | None], now: Callable[[], float]
    ) -> None:
        """`per_minute`: how many submissions a minute a provider takes; `None` for as many as we like."""
        self._client = client
        self._table = table
        self._per_minute = per_minute
        self._now = now
        self._kept: dict[str, tuple[float, Circuit]] = {}

    def admit(self, provider: str) -> float:
        """When the provider may be asked, in seconds since the epoch; not in the future means now."""
        circuit = self._circuit(provider)
        if circuit.open_until > self._now():
            return circuit.open_until
        probe = circuit.probing(self._now())
        if probe and not self._replace(provider, circuit, probe):
            return self._now() + _FRESH
        limit = self._per_minute(provider)
        return self._take(provider, limit) if limit else 0.0

    def report(self, provider: str, failure: FailureCode | None, operation_id: str) -> None:
        """An attempt ended: well (`None`) or not. Only sickness and recovery are written."""
        if failure is not None and failure not in SICKNESS:
            return
        for _ in range(_RACES):
            circuit = self._circuit(provider)
            changed = circuit.failed(self._now(), operation_id) if failure else Circuit()
            if circuit == changed or self._replace(provider, circuit, changed):
                return

    def _circuit(self, provider: str) -> Circuit:
        read_at, circuit = self._kept.get(provider, (float("-inf"), Circuit()))
        if time.monotonic() - read_at > _FRESH:
            circuit = self._read(provider)
            self._kept[provider] = (time.monotonic(), circuit)
        return circuit

    def _read(self, provider: str) -> Circuit:
        key = {"pk": {"S": f"circuit#{provider}"}}
        item = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        if item is None:
            return Circuit()
        # An update may find items without them.
        operations = tuple(one["S"] for one in item.get("operations", {"L": ()})["L"])
        probed = item.get("probed", {"BOOL": False})["BOOL"]
        return Circuit(int(item["failures"]["N"]), float(item["open_until"]["N"]), operations, probed)

    def _replace(self, provider: str, before: Circuit, after: Circuit) -> bool:
        """Write unless somebody else did since `before` was read; then forget it, so that it is read anew."""
        item = {
            "pk": {"S": f"circuit#{provider}"},
            "failures": {"N": str(after.failures)},
            "open_until": {"N": repr(after.open_until)},
            "operations": {"L": [{"S": one} for one in after.operations]},
            "probed": {"BOOL": after.probed},
            "expires_at": {"N": str(int(self._now()) + _LIFE)},
        }
        unchanged = "failures = :failures AND open_until = :open_until"
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression=f"attribute_not_exists(pk) OR ({unchanged})",
                ExpressionAttributeValues={
                    ":failures": {"N": str(before.failures)},
                    ":open_until": {"N": repr(before.open_until)},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            self._kept.pop(provider, None)
            return False
        self._kept[provider] = (time.monotonic(), after)
        return True

    def _take(self, provider: str, limit: int) -> float:
        """Take one of this minute's submissions; when there is none left, the start of the next minute."""
        minute = int(self._now() // 60)
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": f"rate#{provider}#{minute}"}},
                UpdateExpression="SET expires_at = :expires ADD taken :one",
                ConditionExpression="attribute_not_exists(taken) OR taken < :limit",
                ExpressionAttributeValues={
                    ":one": {"N": "1"},
                    ":limit": {"N": str(limit)},
                    ":expires": {"N": str((minute + 2) * 60)},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return (minute + 1) * 60.0
        return 0.0
