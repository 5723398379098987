"""A gateway whose operations never end, to count how long a client waits before it gives up."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from imagegate.local.origin_policy import Receive, Scope, Send
from imagegate.local.ports import listen
from imagegate.local.stack.server_thread import ServerThread
from imagegate.providers import registry
from imagegate.web import long_polling
from support.gateway import Gateway

PAUSE = long_polling.RETRY_AFTER
"""Seconds after which a client that is told to repeat its request does so, on a deployment."""


@dataclass
class Endless:
    """The gateway, and what it was asked."""

    gateway: Gateway
    url: str = ""
    began: float = 0.0
    posts: int = 0
    redirects: int = 0
    statuses: list[int] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """How long the client would have waited on a deployment: its requests were held in fake time."""
        return self.gateway.clock.now() - self.began + PAUSE * (self.posts - 1)


@contextmanager
def endless_gateway(monkeypatch: pytest.MonkeyPatch, redirects: bool = True) -> Iterator[Endless]:
    """One that answers at once what a deployment answers after its hold, and asks for pauses of a second."""
    monkeypatch.setattr(long_polling, "RETRY_AFTER", 1)
    endless = Endless(Gateway(routes=registry.routes(), redirects=redirects, hold_seconds=25 if redirects else 840))
    endless.began = endless.gateway.clock.now()
    server = ServerThread(_counting(endless), listen(0), "endless gateway")
    try:
        server.start()
        endless.url = server.url
        yield endless
    finally:
        server.stop()


def _counting(endless: Endless) -> Any:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def noted(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                endless.statuses.append(message["status"])
            await send(message)

        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        hop = scope["path"].endswith("/wait")
        endless.redirects += hop
        endless.posts += not hop
        await endless.gateway.app(scope, receive, noted)

    return app


async def _live(receive: Receive, send: Send) -> None:
    for done in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{done}.complete"})
