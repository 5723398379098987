"""Failures of upstreams. Messages name only the host, because the rest of a URL is often a credential."""

import httpx

from imagegate.domain.errors import Failure, FailureCode, UpstreamError


def failed(code: FailureCode, url: str, what: str) -> UpstreamError:
    """What to raise when `what` happened at the address."""
    return UpstreamError(Failure(code, f"{_host(url)}: {what}."))


def _host(url: str) -> str:
    """Who a message is about."""
    try:
        return httpx.URL(url).netloc.decode("ascii")
    except (httpx.InvalidURL, UnicodeError):
        return "an upstream"
