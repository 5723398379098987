"""A proxy on loopback that harms requests with set probabilities, for the fault campaign (faults.py).

It stands in front of one server, and does with each request one of what `Fate` lists. The n-th request of an action has
the same fate for the same seed. Answers are passed on as they come, so event streams stay streams.
"""

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

_LONGEST_HEAD = 1 << 20
_CHUNK = 1 << 16
_NOT_PASSED_ON = (b"connection", b"expect", b"keep-alive")


class Fate(StrEnum):
    """What happens to a request."""

    PASSED = "passed"
    REFUSED = "refused"
    """The connection ends before the request reaches the server."""
    LOST = "lost"
    """The server does it, and the connection ends without its answer."""
    DELAYED = "delayed"
    """It reaches the server seconds later, perhaps when the client has given up and asked again."""
    TRUNCATED = "truncated"
    """The connection ends in the middle of the answer."""
    DOUBLED = "doubled"
    """The server gets it twice."""
    BROKEN = "500"
    """Answered with an internal error; in every other case the server has done it."""
    THROTTLED = "throttled"
    """Answered with the server's refusal of too many requests."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came."""

    line: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def header(self, name: bytes) -> bytes:
        """The header's value; empty without one."""
        return next((value for key, value in self.headers if key.lower() == name), b"")

    def encoded(self) -> bytes:
        """It as the server gets it, on a connection of its own."""
        kept = [(name, value) for name, value in self.headers if name.lower() not in _NOT_PASSED_ON]
        lines = [self.line, *(name + b": " + value for name, value in [*kept, (b"Connection", b"close")])]
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body


Answers = Callable[[Request, Fate], bytes]
"""The whole answer of a request that is BROKEN or THROTTLED, as the server itself would give it."""


class FaultyProxy:
    """A context manager: it runs in a thread of its own."""

    def __init__(
        self,
        seed: int,
        shares: Mapping[Fate, float],
        action_of: Callable[[Request], str],
        answers: Answers,
        longest_delay: float,
    ) -> None:
        """`shares`: the probability of each fate; what is left of 1 is passed on. `longest_delay`: in seconds."""
        self.counts: Counter[tuple[str, Fate]] = Counter()
        """Requests by action and fate."""
        self.url = ""
        self._seed, self._shares, self._action_of = seed, shares, action_of
        self._answers, self._longest_delay = answers, longest_delay
        self._target = 0
        self._known = threading.Event()
        self._seen = Counter[str]()
        self._tasks: set[asyncio.Task[None] | None] = set()
        self._listens = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._listen()), daemon=True)

    def __enter__(self) -> Self:
        """Listen. Requests wait until `lead_to` names the server."""
        self._thread.start()
        self._listens.wait()
        return self

    def lead_to(self, port: int) -> None:
        """Pass requests on to the server at that port of 127.0.0.1."""
        self._target = port
        self._known.set()

    def __exit__(self, *_: object) -> None:
        """Take no more requests, and forget those under way."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    def fates(self) -> dict[str, int]:
        """How many requests there were, and how many had which fate."""
        fates = Counter[str]()
        for (_, fate), count in self.counts.items():
            fates[fate] += count
        return {"requests": sum(fates.values()), **{str(fate): count for fate, count in fates.items()}}

    async def _listen(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_LONGEST_HEAD) as server:
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            self._listens.set()
            await self._ended.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.add(asyncio.current_task())  # asyncio itself does not hold it
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                request = await _read(reader, writer)
                while not self._known.is_set():
                    await asyncio.sleep(0.05)
                action = self._action_of(request)
                fate, dice = self._draw(action)
                self.counts[action, fate] += 1
                await self._meet(fate, dice, request, writer)
                await writer.drain()
        finally:
            writer.close()
            self._tasks.discard(asyncio.current_task())

    def _draw(self, action: str) -> tuple[Fate, random.Random]:
        self._seen[action] += 1
        dice = random.Random(f"{self._seed} {action} {self._seen[action]}")
        fates, shares = list(self._shares), list(self._shares.values())
        return dice.choices([*fates, Fate.PASSED], [*shares, 1 - sum(shares)])[0], dice

    async def _meet(self, fate: Fate, dice: random.Random, request: Request, client: asyncio.StreamWriter) -> None:
        if fate is Fate.DELAYED:
            await asyncio.sleep(dice.uniform(0.1, self._longest_delay))
        if fate in (Fate.LOST, Fate.DOUBLED) or (fate is Fate.BROKEN and dice.random() < 0.5):
            await self._pass_on(request, None)
        if fate in (Fate.BROKEN, Fate.THROTTLED):
            client.write(self._answers(request, fate))
        elif fate not in (Fate.REFUSED, Fate.LOST):
            await self._pass_on(request, client, dice.random() if fate is Fate.TRUNCATED else 1)

    async def _pass_on(self, request: Request, client: asyncio.StreamWriter | None, share: float = 1) -> None:
        """Have the server do it. The client gets its answer; with a `share` below 1 only so much of its first part.

        The headers come whole: botocore takes a 200 without a length for an empty answer.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", self._target, limit=_LONGEST_HEAD)
        try:
            writer.write(request.encoded())
            head = await reader.readuntil(b"\r\n\r\n")
            if client:
                client.write(head)
            while part := await reader.read(_CHUNK):
                if client:
                    client.write(part[: int(share * len(part))])
                    await client.drain()
                if share < 1:
                    return
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request:
    head = await reader.readuntil(b"\r\n\r\n")
    line, *fields = head[:-4].split(b"\r\n")
    pairs = [field.partition(b":") for field in fields]
    request = Request(line, tuple((name, value.strip()) for name, _, value in pairs), b"")
    if request.header(b"expect"):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if request.header(b"transfer-encoding"):
        return replace(request, body=await _read_chunks(reader))
    return replace(request, body=await reader.readexactly(int(request.header(b"content-length") or 0)))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while True:
        size = await reader.readuntil(b"\r\n")
        chunk = await reader.readexactly(int(size.partition(b";")[0], 16) + 2)
        body += size + chunk
        if chunk == b"\r\n":
            return body
