"""Failures of upstreams. Messages name only the host, because the rest of a URL is often a credential."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from httpx_sse import SSEError

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.ports.upstreams import HttpRequest

_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
"""OpenSSL's word, which httpx passes on; waiting for such a host is of no use."""


def failed(code: FailureCode, url: str, what: str) -> UpstreamError:
    """What to raise when `what` happened at the address."""
    return UpstreamError(Failure(code, f"{_host(url)}: {what}."))


@contextmanager
def to_upstream_error(request: HttpRequest) -> Iterator[None]:
    """httpx's exceptions as UpstreamError.

    What never arrived is safe to repeat. A POST that may have been read is ambiguous: the upstream may
    be at work, and be paid, without our knowing.
    """
    asks_only = request.idempotent or request.method == "GET"
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        if _UNTRUSTED in str(error):
            raise failed(FailureCode.AUTH, request.url, "its certificate is not trusted") from error
        raise failed(FailureCode.CAPACITY, request.url, "no connection") from error
    except ssl.SSLError as error:
        raise failed(FailureCode.AUTH, request.url, "the CA bundle set for it holds no certificates") from error
    except httpx.TimeoutException as error:
        code = FailureCode.UPSTREAM_TIMEOUT if asks_only else FailureCode.AMBIGUOUS
        raise failed(code, request.url, "no answer in time") from error
    except (httpx.TransportError, SSEError) as error:
        code = FailureCode.UPSTREAM_FAILED if asks_only else FailureCode.AMBIGUOUS
        raise failed(code, request.url, "the connection broke") from error
    except httpx.DecodingError as error:
        raise failed(FailureCode.BAD_PAYLOAD, request.url, "not compressed as it says") from error
    except httpx.InvalidURL as error:
        raise failed(FailureCode.BAD_PAYLOAD, request.url, "an address that is none") from error


def _host(url: str) -> str:
    """Who a message is about."""
    try:
        return httpx.URL(url).netloc.decode("ascii")
    except (httpx.InvalidURL, UnicodeError):
        return "an upstream"
