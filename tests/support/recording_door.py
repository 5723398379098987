"""A front door of a client's own, which notes what the client sent and what it was answered."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from imagegate.local.front_door import FrontDoor
from imagegate.local.origin_policy import Receive, Scope, Send
from imagegate.local.ports import listen
from imagegate.local.stack.server_thread import ServerThread
from imagegate.local.stack.stack import Stack


@dataclass(frozen=True, slots=True)
class Call:
    """One request and the status it was answered with."""

    method: str
    path: str
    status: int

    @property
    def is_hop(self) -> bool:
        """Whether it followed a redirect to the wait route."""
        return self.path.endswith("/wait")


@dataclass
class RecordingDoor:
    """The embedded stack's front door, with API Gateway's limits, and a list of what went through it."""

    url: str
    calls: list[Call] = field(default_factory=list)

    @property
    def hops(self) -> list[Call]:
        """The calls of the wait route."""
        return [call for call in self.calls if call.is_hop]

    @property
    def posts(self) -> int:
        """How many times a picture was asked for."""
        return sum(call.method == "POST" and not call.is_hop for call in self.calls)


@contextmanager
def recording_door(stack: Stack) -> Iterator[RecordingDoor]:
    """Another front door of a running stack, on a port of its own."""
    door = FrontDoor()
    stack.open_door(door)
    record = RecordingDoor("")

    async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
        async def noted(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                record.calls.append(Call(scope["method"], scope["path"], message["status"]))
            await send(message)

        await door(scope, receive, noted)

    server = ServerThread(recorded, listen(0), "recording door")
    try:
        server.start()
        record.url = server.url
        yield record
    finally:
        server.stop()
