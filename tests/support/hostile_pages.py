"""Requests that a web page can have a browser send to the servers on loopback, in random combinations.

Whatever a page adds, a request that carries one mark of it must be answered with 403 and reach nothing. Requests of
programs, which carry none, are among them and must pass.
"""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from imagegate.local.front_door import FrontDoor
from imagegate.local.origin_policy import OriginGuard, OriginPolicy
from imagegate.local.ports import listen
from imagegate.local.stack.server_thread import ServerThread
from support.siege import Siege

KIND = "web page"
NAMED = "https://app.example.com"
_SECONDS = 10.0

HOSTS = ("127.0.0.1:{port}", "localhost:{port}", "LOCALHOST", "[::1]:{port}", "127.0.0.2:1", "localhost")
FOREIGN_HOSTS = (
    "evil.example",
    "evil.example:{port}",
    "localhost.evil.example:{port}",
    "127.0.0.1.nip.io",
    "127.0.0.1.evil.example:{port}",
    "evil.localhost:{port}",
    "localhost.:{port}",
    "localhost@evil.example",
    "0.0.0.0:{port}",
    "[::]:{port}",
    "10.0.0.1",
    "localhost, evil.example",
    "127.0.0.1:{port}#evil.example",
    "2130706433:{port}",
    "",
)
FOREIGN_ORIGINS = (
    "https://evil.example",
    "null",
    "",
    "file://",
    "http://localhost:3000",
    "http://127.0.0.1:3000",
    "http://127.0.0.1",
    "https://127.0.0.1:{port}",
    "http://127.0.0.1:{port}.evil.example",
    "http://127.0.0.1:{port}/",
    "http://127.0.0.1:{port} https://evil.example",
    "https://app.example.com.evil.example",
    "https://app.example.com:8443",
    "http://app.example.com",
    "chrome-extension://aaaa",
    "moz-extension://aaaa",
)
FOREIGN_SITES = ("cross-site", "same-site", "Cross-Site", "none, cross-site", "?")
DESTINATIONS = ("", "empty", "document", "iframe", "script", "image", "object", "style")
KINDS = ("", "text/plain", "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b")
PATHS = (
    "/v1/operations",
    "/v1/images/generations",
    "/v1/images/06gzj55vfn0ajhf9kn2m-0",
    "/operations/06gzj55vfn0ajhf9kn2m:cancel",
    "/operations/06gzj55vfn0ajhf9kn2m%3acancel",
    "/docs",
)
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")


@dataclass
class Counted:
    """An ASGI application that counts its requests."""

    read: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for step in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{step}.complete"})
            return
        self.read += 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@dataclass
class Wish:
    """One request, and whether a page of another origin may have it sent."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    foreign: bool = False

    def is_harmless(self) -> bool:
        """Whether a front door lets it pass though a page sent it: a link that is followed, a picture that is shown."""
        reads = self.method in ("GET", "HEAD") and "Origin" not in self.headers
        destination = self.headers.get("Sec-Fetch-Dest")
        link = destination == "document" and "cancel" not in self.path
        return reads and (link or (destination == "image" and self.path.startswith("/v1/images/")))


def wishes(random: Random, count: int, port: int) -> Iterator[Wish]:
    """Requests of pages and of programs."""
    for _ in range(count):
        wish = Wish(random.choice(METHODS), random.choice(PATHS))
        wish.headers = {"Host": random.choice(HOSTS), "Content-Type": random.choice(KINDS)}
        if destination := random.choice(DESTINATIONS):
            wish.headers["Sec-Fetch-Dest"] = destination
        marks = random.choice(
            ((), (), ("host",), ("origin",), ("site",), ("origin", "site"), ("host", "origin", "site"))
        )
        if "host" in marks:
            wish.headers["Host"] = random.choice(FOREIGN_HOSTS)
        if "origin" in marks:
            wish.headers["Origin"] = random.choice(FOREIGN_ORIGINS)
        if "site" in marks:
            wish.headers["Sec-Fetch-Site"] = random.choice(FOREIGN_SITES)
        wish.foreign = "host" in marks or (bool(marks) and not wish.is_harmless())
        wish.headers = {name: value.format(port=port) for name, value in wish.headers.items()}
        yield wish


@contextmanager
def _served(app: Any) -> Iterator[int]:
    server = ServerThread(app, listen(0), "besieged")
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


def _status(port: int, wish: Wish) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        connection.putrequest(wish.method, wish.path, skip_host=True, skip_accept_encoding=True)
        for name, value in wish.headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


def invocation(siege: Siege, count: int, seed: int) -> None:
    """Send `count` requests to a front door, which names one origin, and as many to a server behind a guard."""
    behind, door = Counted(), FrontDoor(origins=frozenset({NAMED}))
    guarded = Counted()
    with _served(behind) as inner, _served(door) as entrance, _served(OriginGuard(guarded, OriginPolicy())) as stand_in:
        door.open(f"http://127.0.0.1:{inner}", "api")
        for wish in wishes(Random(seed), count, entrance):
            _judge(siege, wish, entrance, behind, wish.foreign)
        for wish in wishes(Random(seed + 1), count, stand_in):
            _judge(siege, wish, stand_in, guarded, wish.foreign or "Sec-Fetch-Site" in wish.headers)


def _judge(siege: Siege, wish: Wish, port: int, behind: Counted, foreign: bool) -> None:
    before = behind.read
    status = _status(port, wish)
    siege.tried[KIND] += 1
    siege.statuses[status] += 1
    if status == 400 and not wish.headers["Host"]:
        return  # the server itself has refused it
    if foreign and (status, behind.read) != (403, before):
        siege.complaints.append(f"{KIND}: {status}, {behind.read - before} passed on: {wish}")
    if not foreign and (status, behind.read) != (200, before + 1):
        siege.complaints.append(f"{KIND}: what is harmless was refused with {status}: {wish}")
