"""Circuit breakers, one item each in the operations table: `pk` = a prefix and the name of the provider or receiver."""

import time
from collections.abc import Callable
from typing import Any

from imagegate.domain.timing.circuit import Circuit

_FRESH = 5.0
"""Seconds for which a circuit that was read is good enough."""
_LIFE = 86_400
_RACES = 5
_MOST_KEPT = 1_000


class DynamoDBCircuits:
    """What is healthy costs a read every few seconds and no write."""

    def __init__(self, client: Any, table: str, prefix: str, now: Callable[[], float]) -> None:
        self._client = client
        self._table = table
        self._prefix = prefix
        self._now = now
        self._kept: dict[str, tuple[float, Circuit]] = {}

    def admit(self, name: str) -> float:
        """When the circuit closes, in seconds since the epoch; not in the future: it is closed."""
        circuit = self._circuit(name)
        if circuit.open_until > self._now():
            return circuit.open_until
        probe = circuit.probing(self._now())
        if probe and not self._replace(name, circuit, probe):
            return self._now() + _FRESH
        return 0.0

    def report(self, name: str, well: bool, cause: str) -> None:
        """It answered well or not; failures of one `cause` in a row count once. What changes nothing is not written."""
        for _ in range(_RACES):
            circuit = self._circuit(name)
            changed = Circuit() if well else circuit.failed(self._now(), cause)
            if circuit == changed or self._replace(name, circuit, changed):
                return

    def _circuit(self, name: str) -> Circuit:
        read_at, circuit = self._kept.get(name, (float("-inf"), Circuit()))
        if time.monotonic() - read_at > _FRESH:
            circuit = self._read(name)
            self._keep(name, circuit)
        return circuit

    def _keep(self, name: str, circuit: Circuit) -> None:
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[name] = (time.monotonic(), circuit)

    def _read(self, name: str) -> Circuit:
        key = {"pk": {"S": f"{self._prefix}{name}"}}
        item = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        if item is None:
            return Circuit()
        # An update may find items without them.
        operations = tuple(entry["S"] for entry in item.get("operations", {"L": ()})["L"])
        probed = item.get("probed", {"BOOL": False})["BOOL"]
        return Circuit(
            failures=int(item["failures"]["N"]),
            open_until=float(item["open_until"]["N"]),
            operations=operations,
            probed=probed,
        )

    def _replace(self, name: str, before: Circuit, after: Circuit) -> bool:
        """Write unless another writer did since `before` was read; then drop the cached value."""
        item = {
            "pk": {"S": f"{self._prefix}{name}"},
            "failures": {"N": str(after.failures)},
            "open_until": {"N": repr(after.open_until)},
            "operations": {"L": [{"S": operation} for operation in after.operations]},
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
            self._kept.pop(name, None)
            return False
        self._keep(name, after)
        return True
