"""Requests that two servers might read differently, sent byte for byte; what is behind counts what reaches it."""

import contextlib
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from imagegate.local.front_door import FrontDoor
from imagegate.local.server_thread import ServerThread
from imagegate.local.upstreams.serving import serving

API = "/_aws/execute-api/api/$default"
_SECONDS = 10.0
_QUIET_SECONDS = 0.3
HIDDEN = b"GET /v1/operations HTTP/1.1\r\nHost: a\r\nX-Hidden: yes\r\n\r\n"


def _post(headers: bytes, body: bytes = b"") -> bytes:
    return b"POST /v1/operations HTTP/1.1\r\nHost: a\r\n" + headers + b"\r\n" + body


_LENGTH = b"Content-Length: %d\r\n" % len(HIDDEN)
RAW = {
    "length and chunks": _post(b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + HIDDEN),
    "chunks and length": _post(b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", b"0\r\n\r\n" + HIDDEN),
    "two lengths": _post(b"Content-Length: 0\r\n" + _LENGTH, HIDDEN),
    "a list of lengths": _post(b"Content-Length: 0, %d\r\n" % len(HIDDEN), HIDDEN),
    "a signed length": _post(b"Content-Length: +0\r\n", HIDDEN),
    "a hexadecimal length": _post(b"Content-Length: 0x0\r\n", HIDDEN),
    "a negative length": _post(b"Content-Length: -1\r\n", HIDDEN),
    "an endless length": _post(b"Content-Length: " + b"9" * 400 + b"\r\n", HIDDEN),
    "a space before the colon": _post(b"Content-Length : 0\r\n" + _LENGTH, HIDDEN),
    "a folded header": _post(b"X-A: b\r\n Content-Length: 0\r\n" + _LENGTH, HIDDEN),
    "a bare line feed": b"POST /v1/operations HTTP/1.1\nHost: a\nContent-Length: 0\n\n" + HIDDEN,
    "a bare carriage return": _post(b"X-A: b\rContent-Length: 0\r\n" + _LENGTH, HIDDEN),
    "a null in a header": _post(b"X-A: \x00\r\n" + _LENGTH, HIDDEN),
    "an unknown coding": _post(b"Transfer-Encoding: xchunked\r\n" + _LENGTH, HIDDEN),
    "two codings": _post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"0\r\n\r\n" + HIDDEN),
    "a chunk's size with a sign": _post(b"Transfer-Encoding: chunked\r\n", b"+0\r\n\r\n" + HIDDEN),
    "a chunk's endless size": _post(b"Transfer-Encoding: chunked\r\n", b"f" * 40 + b"\r\n" + HIDDEN),
    "a chunk's extension": _post(b"Transfer-Encoding: chunked\r\n", b"0;" + b"x" * 100_000 + b"\r\n\r\n" + HIDDEN),
    "a hop-by-hop length": _post(b"Connection: content-length\r\n" + _LENGTH, HIDDEN),
    "no such version": b"POST /v1/operations HTTP/9.9\r\nHost: a\r\n" + _LENGTH + b"\r\n" + HIDDEN,
    "a second host": _post(b"Host: b\r\n" + _LENGTH, HIDDEN),
    "a host in the line": b"GET http://evil.invalid/v1/operations HTTP/1.1\r\nHost: a\r\n\r\n",
    "a line without end": b"GET /" + b"x" * 200_000,
    "headers without end": b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X-A: b\r\n" * 20_000,
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "an upgrade": b"GET /v1/operations HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "a body cut off": _post(b"Content-Length: 1000\r\n", b"{"),
    "chunks cut off": _post(b"Transfer-Encoding: chunked\r\n", b"5\r\n{"),
}
"""Each hides a second request from one reader or another, or never ends."""


@dataclass
class Behind:
    """What stands behind the front door: counts the requests that reach it."""

    app: Any
    reached: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.reached += 1
        path = scope["path"].removeprefix(API)
        await self.app({**scope, "path": path, "raw_path": path.encode()}, receive, send)


@contextmanager
def door_before(app: Any) -> Iterator[tuple[int, Behind]]:
    """The front door's port, before a server with `app` behind."""
    behind, door = Behind(app), FrontDoor()
    with serving(behind) as url:
        door.open(url, "api")
        server = ServerThread(door, 0, "front door")
        server.start()
        try:
            yield server.port, behind
        finally:
            server.stop()


def exchange(port: int, raw: bytes) -> bytes:
    """Everything that is answered to these bytes: until the server closes, or has no more to say and then our end is
    closed. Raises TimeoutError when it keeps the connection even so."""
    said, errors = b"", (ConnectionResetError, BrokenPipeError)
    with socket.create_connection(("127.0.0.1", port), _SECONDS) as connection, contextlib.suppress(*errors):
        connection.sendall(raw)
        while select.select([connection], [], [], _QUIET_SECONDS)[0]:
            part = connection.recv(65536)
            if not part:
                return said
            said += part
        connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(65536):
            said += part
    return said
