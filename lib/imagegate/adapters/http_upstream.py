"""HTTP to upstreams: the one place that owns timeouts, size caps, redirects and address rules."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urljoin, urlsplit

import httpx
from httpx_sse import EventSource, SSEError
from httpx_sse import ServerSentEvent as SentEvent

from imagegate.adapters.addresses import is_public, resolve
from imagegate.domain.errors import Failure, FailureCode, UpstreamError
from imagegate.ports.making import HttpRequest, HttpResponse, ServerSentEvent

LARGEST_ANSWER = 32 * 1024 * 1024
_CONNECT = 5.0
# Gradio's heartbeat is every 15 s: three missed in a row and the connection is dead.
_SILENCE = 50.0
_REDIRECTS = 3
_SHORTEST_CREDENTIAL = 12
_REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})


class HttpUpstream:
    """The Http port on one httpx client."""

    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        self._client = httpx.Client(transport=transport, trust_env=False)

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send and read the answer, whatever its status; redirects are an answer, not followed."""
        with _translated(request):
            built = self._client.build_request(
                request.method,
                request.url,
                headers=dict(request.headers),
                json=request.json,
                data=dict(request.form) or None,
                files=[(name, ("image", one.body, one.content_type)) for name, one in request.files] or None,
                timeout=httpx.Timeout(request.timeout, connect=_CONNECT),
            )
            response = self._client.send(built, stream=True)
            with _closing(response):
                body = _read(response, request)
            if response.is_error:
                body = _without_credential(body, request)
            return HttpResponse(response.status_code, response.headers, body)

    def stream(self, request: HttpRequest, hold_until: float) -> Iterator[ServerSentEvent]:
        """Events as they come; ends with the stream or at `hold_until` (seconds since the epoch)."""
        silence = min(_SILENCE, max(hold_until - time.time(), 0.1))
        timeout = httpx.Timeout(silence, connect=_CONNECT)
        with (
            _translated(request),
            self._client.stream(
                request.method, request.url, headers=dict(request.headers), timeout=timeout
            ) as response,
        ):
            if response.status_code != 200:
                raise _failed(FailureCode.UPSTREAM_FAILED, request.url, f"HTTP {response.status_code}")
            events = EventSource(response).iter_sse()
            while event := _next(events, hold_until):
                yield event

    def download(self, url: str, trusted_base: str) -> bytes:
        """Fetch a picture without credentials; private addresses only on `trusted_base`'s own host."""
        for _ in range(_REDIRECTS + 1):
            response = self._fetch(url, trusted_base)
            if response.status not in _REDIRECT_STATUSES:
                break
            url = urljoin(url, response.headers.get("location", ""))
        if response.status != 200:
            code = FailureCode.EXPIRED if response.status in (403, 404, 410) else FailureCode.UPSTREAM_FAILED
            raise _failed(code, url, f"HTTP {response.status} for the finished picture")
        return response.body

    def _fetch(self, url: str, trusted_base: str) -> HttpResponse:
        _vet(url, trusted_base)
        return self.send(HttpRequest("GET", url))


def _next(events: Iterator[SentEvent], hold_until: float) -> ServerSentEvent | None:
    """The next event; `None` when there is none, or the time is over."""
    if time.time() >= hold_until:
        return None
    try:
        event = next(events, None)
    except httpx.ReadTimeout:
        if time.time() >= hold_until:
            return None
        raise
    return ServerSentEvent(event.event, event.data) if event else None


def _vet(url: str, trusted_base: str) -> None:
    parts, trusted = urlsplit(url), urlsplit(trusted_base)
    if (parts.scheme, parts.netloc) == (trusted.scheme, trusted.netloc):
        return
    if parts.scheme != "https" or not parts.hostname:
        raise _failed(FailureCode.BAD_PAYLOAD, trusted_base, "a picture address that is not https")
    try:
        addresses = resolve(parts.hostname, parts.port or 443)
    except OSError:
        raise _failed(FailureCode.UPSTREAM_FAILED, url, "a picture host without an address") from None
    if not all(map(is_public, addresses)):
        raise _failed(FailureCode.BAD_PAYLOAD, trusted_base, "a picture address on a private network")


def _read(response: httpx.Response, request: HttpRequest) -> bytes:
    body = bytearray()
    ends_at = time.monotonic() + request.reading
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise _failed(FailureCode.BAD_PAYLOAD, request.url, f"more than {LARGEST_ANSWER} bytes")
        if time.monotonic() > ends_at:
            raise httpx.ReadTimeout(f"not finished after {request.reading} s")
    return bytes(body)


def _without_credential(body: bytes, request: HttpRequest) -> bytes:
    """A refusal without the credential it was asked with: some repeat it, and what they say is shown to callers."""
    credential = request.headers.get("authorization", "").rpartition(" ")[2].encode()
    return body.replace(credential, b"[redacted]") if len(credential) >= _SHORTEST_CREDENTIAL else body


@contextmanager
def _closing(response: httpx.Response) -> Iterator[None]:
    try:
        yield
    finally:
        response.close()


@contextmanager
def _translated(request: HttpRequest) -> Iterator[None]:
    """httpx's exceptions in our vocabulary.

    What never arrived is safe to repeat. A POST that may have been read is ambiguous: the upstream may
    be at work, and be paid, without our knowing.
    """
    asks_only = request.harmless or request.method == "GET"
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise _failed(FailureCode.CAPACITY, request.url, "no connection") from error
    except httpx.TimeoutException as error:
        code = FailureCode.UPSTREAM_TIMEOUT if asks_only else FailureCode.AMBIGUOUS
        raise _failed(code, request.url, "no answer in time") from error
    except (httpx.TransportError, SSEError) as error:
        code = FailureCode.UPSTREAM_FAILED if asks_only else FailureCode.AMBIGUOUS
        raise _failed(code, request.url, "the connection broke") from error
    except httpx.InvalidURL as error:
        raise _failed(FailureCode.BAD_PAYLOAD, request.url, "an address that is none") from error


def _failed(code: FailureCode, url: str, what: str) -> UpstreamError:
    return UpstreamError(Failure(code, f"{urlsplit(url).netloc}: {what}."))
