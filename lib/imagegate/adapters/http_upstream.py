"""HTTP to upstreams: the one place that owns timeouts, size caps, redirects and address rules."""

import copy
import functools
import logging
import re
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
from httpx_sse import EventSource

from imagegate.adapters.picture_targets import PictureAddress, pin, vet_picture, vet_upstream
from imagegate.adapters.streamed_body import StreamedBody
from imagegate.adapters.upstream_errors import failed, to_upstream_error
from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.ports.upstreams import HttpRequest, HttpResponse, Reach, ServerSentEvent

_ANYWHERE = Reach(private_network=True)
LARGEST_ANSWER = 32 * 1024 * 1024
LARGEST_EVENT = 1024 * 1024
"""Bytes that a stream may take to tell one event, comments included."""
BODY_SECONDS = 120.0
"""For so long a picture is read, however steadily it drips."""
_CONNECT = 5.0
# Gradio's heartbeat is every 15 s: three missed in a row and the connection is dead.
_SILENCE = 50.0
_REDIRECTS = 3
_SHORTEST_CREDENTIAL = 12
_CREDENTIAL = re.compile(r"^(?!idempotency).*(auth|key|token|secret)", re.IGNORECASE)
"""Names of the headers that upstreams take credentials in."""
_REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})

# At INFO it logs every address in full, and the signature of a presigned one is a credential.
logging.getLogger("httpx").setLevel(logging.WARNING)


class HttpUpstream:
    """The Http port on one httpx client, and one more for each CA bundle that a request brings."""

    def __init__(self, transport: httpx.BaseTransport | None = None, reach: Reach = _ANYWHERE) -> None:
        self._client = httpx.Client(verify=_public_authorities(), transport=transport, trust_env=False)
        self._trusting: dict[str, httpx.Client] = {"": self._client}
        self._reach = reach

    def close(self) -> None:
        """Close the connections of all clients, those of confined copies included."""
        for client in self._trusting.values():
            client.close()

    def confined(self, reach: Reach) -> "HttpUpstream":
        """The same clients, for calls and downloads that go no further than `reach` says."""
        other = copy.copy(self)
        other._reach = reach
        return other

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send and read the answer, whatever its status; redirects are an answer, not followed."""
        return self._send(request, self._public_address(request.url))

    def _public_address(self, url: str) -> str | None:
        """The address to connect to; `None` for any of its host's. Raises UpstreamError for a private one."""
        if self._reach.private_network:
            return None
        with to_upstream_error(HttpRequest(method="GET", url=url)):
            parsed = httpx.URL(url)
        return vet_upstream(parsed)

    def _send(self, request: HttpRequest, address: str | None = None, largest: int | None = None) -> HttpResponse:
        """`address`: to connect to, in place of whatever the host's name leads to. `largest`: bytes of the answer."""
        with to_upstream_error(request):
            built = self._client.build_request(
                request.method,
                request.url,
                headers=dict(request.headers),
                json=request.json,
                timeout=httpx.Timeout(request.timeout, connect=_CONNECT),
                **_form(request),
            )
            if request.aws_service:
                from imagegate.adapters.aws_signature import sign  # here, for few upstreams need it

                sign(built, request.aws_service)
            if address:
                pin(built, address)
            began = time.monotonic()
            response = self._client_for(request.ca_bundle).send(built, stream=True)
            with _closing(response):
                ends_at = (began if request.on_event else time.monotonic()) + request.total_timeout
                body = _read(response, request, largest or LARGEST_ANSWER, ends_at)
            if response.is_error:
                body = _without_credentials(body, request)
            return HttpResponse(response.status_code, response.headers, body)

    def _client_for(self, ca_bundle: str) -> httpx.Client:
        """The client that trusts these authorities (PEM) too. Raises SSLError when they are none."""
        if ca_bundle not in self._trusting:
            context = httpx.create_ssl_context(trust_env=False)
            # Bundles may have comments between the certificates, in any language.
            context.load_verify_locations(cadata=ca_bundle.encode("ascii", "replace").decode())
            self._trusting[ca_bundle] = httpx.Client(verify=context, trust_env=False)
        return self._trusting[ca_bundle]

    def stream(self, request: HttpRequest, hold_until: float) -> Iterator[ServerSentEvent]:
        """Events as they come; ends with the stream or at `hold_until` (seconds since the epoch).

        A stream that falls silent is noticed some `_SILENCE` seconds later, be that after `hold_until`.
        """
        silence = min(_SILENCE, max(hold_until - time.time(), 0.1))
        timeout = httpx.Timeout(silence, connect=_CONNECT)
        with to_upstream_error(request), _closing(self._open(request, timeout)) as response:
            if response.status_code != 200:
                code = _code_of_unopened(response.status_code)
                raise failed(code, request.url, f"HTTP {response.status_code} instead of a stream")
            yield from _Hearing(response, request.url, hold_until).events()

    def _open(self, request: HttpRequest, timeout: httpx.Timeout) -> httpx.Response:
        built = self._client.build_request(request.method, request.url, headers=dict(request.headers), timeout=timeout)
        if address := self._public_address(request.url):
            pin(built, address)
        return self._client.send(built, stream=True)

    def download(
        self, url: str, trusted_base: str, *, seconds: float = BODY_SECONDS, largest: int | None = None
    ) -> bytes:
        """Fetch a picture without credentials; private addresses only on `trusted_base`'s own host.

        `seconds`: for each address that leads to it. `largest`: bytes of the picture, LARGEST_ANSWER by default.
        """
        target = vet_picture(url, "", trusted_base, self._reach)
        for _ in range(_REDIRECTS + 1):
            response = self._fetch(target, seconds, largest)
            if response.status not in _REDIRECT_STATUSES:
                break
            target = vet_picture(response.headers.get("location", ""), target.url, trusted_base, self._reach)
        if response.status != 200:
            code = FailureCode.EXPIRED if response.status in (403, 404, 410) else FailureCode.UPSTREAM_FAILED
            raise failed(code, target.url, f"HTTP {response.status} for the picture")
        return response.body

    def _fetch(self, target: PictureAddress, seconds: float, largest: int | None) -> HttpResponse:
        """The answer of the first of its addresses that can be connected to."""
        last: UpstreamError | None = None
        for address in target.addresses or (None,):
            try:
                request = HttpRequest(method="GET", url=target.url, timeout=min(30.0, seconds), total_timeout=seconds)
                return self._send(request, address, largest)
            except UpstreamError as error:
                if not error.failure.certainly_free:
                    raise
                last = error
        assert last
        # Before a job, no connection means that it cost nothing. This one is done.
        raise UpstreamError(replace(last.failure, code=FailureCode.UPSTREAM_FAILED)) from last


class _Hearing:
    """A stream that is listened to until `hold_until`, however it drips."""

    def __init__(self, response: httpx.Response, url: str, hold_until: float) -> None:
        self._response = response
        self._url = url
        self._hold_until = hold_until
        self._unheard = 0

    def __iter__(self) -> Iterator[bytes]:
        """Its bytes. Raises UpstreamError(bad_payload) after LARGEST_EVENT of them without an event."""
        if time.time() >= self._hold_until:
            return
        try:
            for chunk in self._response.iter_bytes():
                self._unheard += len(chunk)
                if self._unheard > LARGEST_EVENT:
                    raise failed(FailureCode.BAD_PAYLOAD, self._url, "an event without end")
                yield chunk
                if time.time() >= self._hold_until:
                    return
        except httpx.ReadTimeout:
            if time.time() < self._hold_until:
                raise

    def events(self) -> Iterator[ServerSentEvent]:
        """Its events. Raises SSEError when it is no event stream."""
        # Without the charset that it may claim: an event stream is UTF-8.
        kind = self._response.headers.get("content-type", "").partition(";")[0]
        for event in EventSource(httpx.Response(200, headers={"content-type": kind}, content=self)).iter_sse():
            self._unheard = 0
            yield ServerSentEvent(event.event, event.data)


def _code_of_unopened(status: int) -> FailureCode:
    """What it means that a stream was answered with that status (see Http.stream)."""
    if status == 429:
        return FailureCode.RATE_LIMITED
    if status >= 500:
        return FailureCode.CAPACITY
    return FailureCode.EXPIRED if status in (404, 410) else FailureCode.UPSTREAM_FAILED


def _read(response: httpx.Response, request: HttpRequest, largest: int, ends_at: float) -> bytes:
    streams = response.headers.get("content-type", "").startswith("text/event-stream")
    body = StreamedBody(request.on_event if request.on_event and streams else None)
    for chunk in response.iter_bytes():
        body.add(chunk)
        if len(body.kept) > largest:
            raise failed(FailureCode.BAD_PAYLOAD, request.url, f"more than {largest} bytes")
        if time.monotonic() > ends_at:
            raise httpx.ReadTimeout(f"not finished after {request.total_timeout} s")
    return bytes(body.kept)


@functools.cache
def _public_authorities() -> ssl.SSLContext:
    """The certificates of the authorities that all clients trust; to read them takes 25 ms."""
    return httpx.create_ssl_context(trust_env=False)


def _form(request: HttpRequest) -> dict[str, Any]:
    """The arguments of httpx for text fields and files; a file without a name is a text field to it."""
    files: list[tuple[str, Any]] = [(name, ("image", file.body, file.content_type)) for name, file in request.files]
    if request.multipart:
        return {"files": [*((name, (None, value)) for name, value in request.form.items()), *files]}
    return {"data": dict(request.form) or None, "files": files or None}


def _without_credentials(body: bytes, request: HttpRequest) -> bytes:
    """A refusal without the credentials of the request: some upstreams repeat them, and callers see the message."""
    for name, value in request.headers.items():
        credential = value.rpartition(" ")[2].encode()
        if _CREDENTIAL.search(name) and len(credential) >= _SHORTEST_CREDENTIAL:
            body = body.replace(credential, b"[redacted]")
    return body


@contextmanager
def _closing(response: httpx.Response) -> Iterator[httpx.Response]:
    try:
        yield response
    finally:
        response.close()
