"""How long jobs take, one small item per provider and model."""

import json
import random
import time
from collections.abc import Callable
from typing import Any

from imagegate.domain.timing.latency import Histogram

_FRESH = 30.0
"""Seconds for which a histogram that was read is good enough."""
_WRITES_PER_SECOND = 2.0
"""Above this many observations a second, only some are written: the item must stay cool under load."""


class DynamoDBLatencies:
    """The Latencies port. An observation that loses a race is dropped: the next one says the same."""

    def __init__(self, client: Any, table: str, expected_seconds: Callable[[str], float]) -> None:
        """`expected_seconds`: what a provider takes, as far as known before its first job."""
        self._client = client
        self._table = table
        self._expected = expected_seconds
        self._kept: dict[str, tuple[float, Histogram]] = {}

    def get(self, provider: str, model: str) -> Histogram:
        """What is known; before the first job a guess."""
        key = _key(provider, model)
        read_at, histogram = self._kept.get(key, (float("-inf"), Histogram()))
        if time.monotonic() - read_at > _FRESH:
            histogram, _, _ = self._read(provider, key)
            self._kept[key] = (time.monotonic(), histogram)
        return histogram

    def observe(self, provider: str, model: str, earliest: float, latest: float) -> None:
        """A job took between `earliest` and `latest` seconds."""
        self._update(provider, model, lambda histogram: histogram.observed_between(earliest, latest))

    def censor(self, provider: str, model: str, seconds: float) -> None:
        """A job was not finished after `seconds`, when polling for it ended."""
        self._update(provider, model, lambda histogram: histogram.censored(seconds))

    def _update(self, provider: str, model: str, change: Callable[[Histogram], Histogram]) -> None:
        key = _key(provider, model)
        histogram, version, written_at = self._read(provider, key)
        since = max(time.time() - written_at, 0.0)
        if since < 1.0 and random.random() > since * _WRITES_PER_SECOND:  # noqa: S311 - sampling, no secret
            return
        changed = change(histogram)
        self._kept[key] = (time.monotonic(), changed)
        self._write(key, changed, version)

    def _read(self, provider: str, key: str) -> tuple[Histogram, int, float]:
        item = self._client.get_item(TableName=self._table, Key={"pk": {"S": key}}).get("Item")
        expected = self._expected(provider)
        if item is None:
            return Histogram(expected), 0, 0.0
        histogram = Histogram.from_document(json.loads(item["body"]["S"]), expected)
        return histogram, int(item["version"]["N"]), float(item["written_at"]["N"])

    def _write(self, key: str, histogram: Histogram, version: int) -> None:
        item = {
            "pk": {"S": key},
            "body": {"S": json.dumps(histogram.to_document(), separators=(",", ":"))},
            "version": {"N": str(version + 1)},
            "written_at": {"N": repr(time.time())},
        }
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(pk) OR version = :before",
                ExpressionAttributeValues={":before": {"N": str(version)}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return


def _key(provider: str, model: str) -> str:
    return f"latency#{provider}#{model}"
