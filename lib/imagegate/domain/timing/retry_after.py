"""`Retry-After` (RFC 9110 §10.2.3). Pure."""

from email.utils import parsedate_to_datetime


def seconds_until(header: str | None, now: float) -> float | None:
    """Seconds from `now` (since the epoch) in a number of seconds or an HTTP date; `None` when it is neither."""
    text = (header or "").strip()
    if text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        return max(parsedate_to_datetime(text).timestamp() - now, 0.0)
    except (ValueError, OverflowError):
        return None
