"""HTTP to webhooks. The connection itself asks WebhookTargets, so nothing lies between vetting and connecting."""

import ssl
import time
from collections.abc import Iterable, Mapping
from typing import Any

import httpcore

from imagegate.adapters.webhook_targets import WebhookTargets
from imagegate.domain.errors import Unreachable
from imagegate.domain.webhooks.webhook import USER_AGENT
from imagegate.ports.messaging import WebhookAnswer

_WHOLE = 15.0
"""Seconds one attempt may take, however steadily the receiver drips."""
_CONNECT = 5.0
_LARGEST_ANSWER = 4096
"""Bytes of an answer that are read, and thrown away."""


class HttpWebhooks:
    """The WebhookSender on httpcore: no redirects, no proxies, no kept connections."""

    def __init__(
        self, targets: WebhookTargets, ssl_context: ssl.SSLContext | None = None, seconds: float = _WHOLE
    ) -> None:
        """`seconds`: one attempt may take, the resolving of its host not counted."""
        self._targets = targets
        self._ssl = ssl_context or httpcore.default_ssl_context()
        self._seconds = seconds

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        """POST JSON. Raises WebhookRefused, and Unreachable when there is no answer in time."""
        host, port = self._targets.parts(url)
        try:
            backend = _Pinned(self._targets.address(host, port), time.monotonic() + self._seconds)
        except OSError:
            raise Unreachable(f"The host '{host}' has no address.") from None
        try:
            return self._sent(backend, url, headers, body)
        except httpcore.TimeoutException:
            raise Unreachable("No answer in time.") from None
        except (httpcore.ConnectError, ssl.SSLError) as error:
            raise Unreachable(f"No connection: {error}"[:200]) from None
        except (httpcore.NetworkError, httpcore.ProtocolError):
            raise Unreachable("The connection broke before there was an answer.") from None

    def _sent(self, backend: "_Pinned", url: str, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        sent = [("content-type", "application/json"), ("user-agent", USER_AGENT), *headers.items()]
        with (
            httpcore.ConnectionPool(ssl_context=self._ssl, network_backend=backend) as pool,
            pool.stream("POST", url, headers=dict(sent), content=body) as answer,
        ):
            _read(answer.iter_stream())
            received = {name.lower(): value.decode("latin-1") for name, value in answer.headers}
            return WebhookAnswer(answer.status, received.get(b"retry-after"))


def _read(chunks: Iterable[bytes]) -> None:
    """Read part of the response, for receivers that fail when it is not read."""
    size = 0
    try:
        for chunk in chunks:
            size += len(chunk)
            if size > _LARGEST_ANSWER:
                return
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        return  # The status is there; that is all that counts.


class _Pinned(httpcore.NetworkBackend):
    """Connects to one vetted address, whatever the host is called, and lets nothing take longer than until `ends_at`.

    TLS and `Host` keep the host's name: httpcore takes both from the URL.
    """

    def __init__(self, address: str, ends_at: float) -> None:
        self._address = address
        self._ends_at = ends_at
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        seconds = min(_CONNECT, _left(self._ends_at))
        return _Timed(self._network.connect_tcp(self._address, port, seconds, None, socket_options), self._ends_at)


class _Timed(httpcore.NetworkStream):
    """A connection every part of which ends in time."""

    def __init__(self, stream: httpcore.NetworkStream, ends_at: float) -> None:
        self._stream = stream
        self._ends_at = ends_at

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._ends_at))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._ends_at))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, _left(self._ends_at)), self._ends_at)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(ends_at: float) -> float:
    left = ends_at - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("no time is left")
    return left
