"""Receivers of webhooks in the operations table: the current delivery and the circuit of each host.

`receiver#<owner>#<digest of the host>` is a circuit; the same and `#turn` is there while a delivery is under way.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from imagegate.adapters.dynamodb_circuits import DynamoDBCircuits

_PREFIX = "receiver#"


class DynamoDBReceivers:
    """The Receivers port."""

    def __init__(self, client: Any, table: str, now: Callable[[], float]) -> None:
        self._client = client
        self._table = table
        self._now = now
        self._circuits = DynamoDBCircuits(client, table, _PREFIX, now)

    def take(self, receiver: str, owner: str, until: float) -> bool:
        """Keep the others from delivering there until then; False: another one does."""
        item = {
            **_turn(receiver),
            "holder": {"S": owner},
            "until": {"N": repr(until)},
            "expires_at": {"N": str(int(until) + 60)},
        }
        values = {":holder": {"S": owner}, ":now": {"N": repr(self._now())}}
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(pk) OR holder = :holder OR #until <= :now",
                ExpressionAttributeNames={"#until": "until"},
                ExpressionAttributeValues=values,
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def release(self, receiver: str, owner: str) -> None:
        """Let the next one deliver; that the time is over is no error."""
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.delete_item(
                TableName=self._table,
                Key=_turn(receiver),
                ConditionExpression="holder = :holder",
                ExpressionAttributeValues={":holder": {"S": owner}},
            )

    def admit(self, receiver: str) -> float:
        """When it may be sent to, in seconds since the epoch; not in the future means now."""
        return self._circuits.admit(receiver)

    def report(self, receiver: str, well: bool, event_id: str) -> None:
        """A delivery of that event ended: well or not. Repeated failures of one event count once."""
        self._circuits.report(receiver, well, event_id)


def _turn(receiver: str) -> dict[str, Any]:
    return {"pk": {"S": f"{_PREFIX}{receiver}#turn"}}
