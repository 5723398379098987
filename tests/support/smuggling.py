"""Requests that two servers might read differently, sent byte for byte; each of two servers counts those it reads."""

import contextlib
import re
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from imagegate.local.front_door import FrontDoor
from imagegate.local.ports import listen
from imagegate.local.stack.server_thread import ServerThread
from imagegate.local.upstreams.serving import serving

API = "/_aws/execute-api/api/$default"
_SECONDS = 10.0
_QUIET_SECONDS = 0.1
HIDDEN = b"GET /v1/operations HTTP/1.1\r\nHost: localhost\r\nX-Hidden: yes\r\n\r\n"


def _post(headers: bytes, body: bytes = b"") -> bytes:
    return b"POST /v1/operations HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n" + body


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
    "no such version": b"POST /v1/operations HTTP/9.9\r\nHost: localhost\r\n" + _LENGTH + b"\r\n" + HIDDEN,
    "a second host": _post(b"Host: 127.0.0.1\r\n" + _LENGTH, HIDDEN),
    "a host in the line": b"GET http://evil.invalid/v1/operations HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a line without end": b"GET /" + b"x" * 200_000,
    "headers without end": b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X-A: b\r\n" * 20_000,
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "an upgrade": b"GET /v1/operations HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "a body cut off": _post(b"Content-Length: 1000\r\n", b"{"),
    "chunks cut off": _post(b"Transfer-Encoding: chunked\r\n", b"5\r\n{"),
}
"""Each hides a second request from one reader or another, or never ends."""


@dataclass
class Reader:
    """An ASGI application that counts the requests its server has read."""

    app: Any
    read: int = 0
    answered: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        self.read += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.answered += 1


def _below_the_stage(app: Any) -> Any:
    """The app as MiniStack's HTTP API has it: below the path of an API's stage."""

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"].removeprefix(API)
        await app({**scope, "path": path, "raw_path": path.encode()}, receive, send)

    return behind


@contextmanager
def _door_before(app: Any) -> Iterator[tuple[int, Reader, Reader]]:
    """The front door's port, and the two that read: the front door, and a server with `app` behind."""
    proxy = FrontDoor()
    behind, door = Reader(_below_the_stage(app)), Reader(proxy)
    with serving(behind) as url:
        proxy.open(url, "api")
        server = ServerThread(door, listen(0), "front door")
        server.start()
        try:
            yield server.port, door, behind
        finally:
            server.stop()


def _exchange(port: int, raw: bytes, behind: Reader) -> bytes:
    """Everything that is answered to these bytes: until the server closes, or has no more to say while nothing is under
    way behind it, and then our end is closed. Raises TimeoutError when it keeps the connection even so."""
    message, errors = b"", (ConnectionResetError, BrokenPipeError)
    with socket.create_connection(("127.0.0.1", port), _SECONDS) as connection, contextlib.suppress(*errors):
        connection.sendall(raw)
        while True:
            if select.select([connection], [], [], _QUIET_SECONDS)[0]:
                part = connection.recv(65536)
                if not part:
                    return message
                message += part
            elif behind.answered == behind.read:
                break
        connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(65536):
            message += part
    return message


def attempt(app: Any, raw: bytes) -> tuple[list[int], list[str]]:
    """Send the bytes through a front door before `app`: the statuses of the answers, and what is wrong.

    The front door's server decides what a request is. The application gets it rewritten, with a length of its own: it
    must never read more requests than the front door did.
    """
    with _door_before(app) as (port, door, behind):
        try:
            message = _exchange(port, raw, behind)
        except TimeoutError:
            return [], ["it hangs"]
    statuses = [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3})", message)]
    wrong = [f"{status}: {message[:500]!r}" for status in statuses if status >= 500]
    if behind.read > door.read:
        wrong.append(f"the front door read {door.read} requests, what is behind it {behind.read}")
    return statuses, wrong
