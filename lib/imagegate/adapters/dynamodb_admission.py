"""Circuit breakers and rate limits of providers, one item each in the operations table."""

from collections.abc import Callable
from typing import Any

from imagegate.adapters.dynamodb_circuits import DynamoDBCircuits
from imagegate.domain.failure import FailureCode
from imagegate.domain.timing.circuit import PROVIDER_FAULTS


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
        self._circuits = DynamoDBCircuits(client, table, "circuit#", now)

    def admit(self, provider: str) -> float:
        """The time from which the provider accepts a submission, in seconds since the epoch; not in the future: now."""
        spared_until = self._circuits.admit(provider)
        if spared_until > self._now():
            return spared_until
        limit = self._per_minute(provider)
        return self._take(provider, limit) if limit else 0.0

    def report(self, provider: str, failure: FailureCode | None, operation_id: str) -> None:
        """An attempt ended: well (`None`) or not. Only sickness and recovery are written."""
        if failure is None or failure in PROVIDER_FAULTS:
            self._circuits.report(provider, failure is None, operation_id)

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
