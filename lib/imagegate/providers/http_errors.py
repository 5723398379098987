"""HTTP answers of upstreams in imagegate's error vocabulary (docs/protocols/providers.md#error-vocabulary)."""

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.ports.upstreams import HttpResponse

_CODES = {
    400: FailureCode.INVALID_REQUEST,
    401: FailureCode.AUTH,
    402: FailureCode.NO_CREDIT,
    403: FailureCode.AUTH,
    404: FailureCode.NOT_FOUND,
    413: FailureCode.INVALID_REQUEST,
    422: FailureCode.INVALID_REQUEST,
    429: FailureCode.RATE_LIMITED,
    503: FailureCode.CAPACITY,
    504: FailureCode.UPSTREAM_TIMEOUT,
}
_NOT_SERVED = re.compile(r"not enabled for provider", re.IGNORECASE)
"""Hugging Face's router does not pay that provider; another one behind it may do (docs/protocols/huggingface.md)."""
_TAG = re.compile(r"<[^<>]*>")
_SECONDS = re.compile(r"[0-9]+(\.[0-9]*)?")
_LONGEST_REASON = 300
LONGEST_PAUSE = 24 * 3600.0
"""Seconds; an upstream that names a longer pause is called after this one."""


def http_error(provider: str, response: HttpResponse, reason: str) -> UpstreamError:
    """The error for an HTTP status that refuses; `reason` is what the upstream wrote."""
    code = _CODES.get(response.status, FailureCode.UPSTREAM_FAILED)
    text = strip_html(reason) or "no reason given"
    if response.status == 402 and _NOT_SERVED.search(text):
        code = FailureCode.NOT_FOUND
    message = f"{provider} answered HTTP {response.status}: {text}"
    return UpstreamError(Failure(code, message, retry_after(response.headers)))


def bad_payload(provider: str, what: str) -> UpstreamError:
    """The error for a successful status with nonsense in it."""
    return UpstreamError(Failure(FailureCode.BAD_PAYLOAD, f"{provider} answered {what}."))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a `Retry-After` header, a number or a date, LONGEST_PAUSE at most."""
    value = headers.get("retry-after", "").strip()
    seconds = float(value) if _SECONDS.fullmatch(value) else _seconds_until(value, headers.get("date", ""))
    return None if seconds is None else min(max(seconds, 0.0), LONGEST_PAUSE)


def _seconds_until(moment: str, sent: str) -> float | None:
    """From the upstream's own `Date`, because clocks differ; from now where it has none."""
    until, since = _timestamp(moment), _timestamp(sent)
    return None if until is None else until - (time.time() if since is None else since)


def _timestamp(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None


def strip_html(text: str) -> str:
    """One short line of an upstream's message, without HTML."""
    return " ".join(_TAG.sub(" ", text).split())[:_LONGEST_REASON]
