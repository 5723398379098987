"""HTTP answers of upstreams in imagegate's error vocabulary (docs/protocols/providers.md#error-vocabulary)."""

import re
from collections.abc import Mapping

from imagegate.domain.errors import Failure, FailureCode, UpstreamError
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
    """Seconds of a `Retry-After` header, LONGEST_PAUSE at most (the number form; upstreams use no other)."""
    value = headers.get("retry-after", "").strip()
    return min(float(value), LONGEST_PAUSE) if _SECONDS.fullmatch(value) else None


def strip_html(text: str) -> str:
    """One short line of an upstream's message, without HTML."""
    return " ".join(_TAG.sub(" ", text).split())[:_LONGEST_REASON]
