"""Use of an API key's limits, for `GET /v1/usage` and `imagegate keys usage`."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from imagegate.domain.access.api_key import ApiKey, KeyLimits
from imagegate.domain.access.ledger import UsageTotals, end_of_day
from imagegate.domain.operation.account import Amount
from imagegate.domain.operation.representation import rfc3339

LONGEST = 90
"""Days."""


def last_days(count: int, now: float) -> list[str]:
    """The last `count` days in UTC, today first; `now` in seconds since the epoch."""
    today = datetime.fromtimestamp(now, UTC).date()
    return [(today - timedelta(days=back)).isoformat() for back in range(count)]


def render_usage(key: ApiKey | None, used: UsageTotals, days: Sequence[str], now: float) -> dict[str, Any]:
    """Limits, the rest of them, and the use on `days` (today first)."""
    limits = key.limits if key else KeyLimits()
    today = used.days.get(days[0], Amount())
    return {
        "key": key.id if key else None,
        "counted": limits.metered,
        "limits": asdict(limits),
        "running": None if limits.concurrent is None else used.running,
        "left": {
            "concurrent": _left(limits.concurrent, used.running),
            "pictures": _left(limits.pictures_per_day, today.pictures),
            "micro_dollars": _left(limits.micro_dollars_per_day, today.micro_dollars),
        },
        "resets_at": rfc3339(end_of_day(now)),
        "days": [_day(day, used.days.get(day, Amount())) for day in days] if limits.metered else [],
    }


def _left(limit: int | None, used: int) -> int | None:
    return None if limit is None else max(0, limit - used)


def _day(day: str, used: Amount) -> dict[str, Any]:
    return {"day": day, "pictures": used.pictures, "micro_dollars": used.micro_dollars}
