"""A MiniStack that answers as it is told, and what serves it on loopback."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from imagegate.local.ports import listen
from imagegate.local.stack.server_thread import ServerThread


@dataclass
class Answer:
    """What the scripted function answers, once it may."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    may: threading.Event | None = None
    cookies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """A request."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class ScriptedMiniStack:
    """Gives the scripted answers, one after another and then empty ones, and remembers what it was asked."""

    answers: list[Answer] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)
    """Set when the door has closed a connection before the answer."""

    @property
    def last(self) -> Asked:
        """The newest request."""
        return self.asked[-1]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for step in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{step}.complete"})
            return
        query = scope["query_string"].decode()
        target = scope["raw_path"].decode() + (f"?{query}" if query else "")
        sent = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.asked.append(Asked(scope["method"], target, sent, await _read(receive)))
        answer = self.answers.pop(0) if self.answers else Answer()
        if answer.may and not await self._waits(answer.may, receive):
            return
        pairs = [*answer.headers.items(), *(("set-cookie", cookie) for cookie in answer.cookies)]
        headers = [(name.encode(), value.encode()) for name, value in pairs]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _waits(self, may: threading.Event, receive: Any) -> bool:
        """True once it may answer, false when the connection was closed before."""
        gone = asyncio.ensure_future(receive())
        while not may.is_set():
            if gone.done():
                self.left.set()
                return False
            await asyncio.wait({gone}, timeout=0.01)
        gone.cancel()
        return True


async def _read(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


@contextmanager
def served(app: Any) -> Iterator[ServerThread]:
    """The application on a free port."""
    server = ServerThread(app, listen(0), type(app).__name__)
    server.start()
    try:
        yield server
    finally:
        server.stop()
