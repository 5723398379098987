"""A server in imagegate's place, and a text model's, that answers as it is told and keeps what it got."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from imagegate.local.upstreams.serving import serving

PATIENCE = 20.0
HANG = 0
"""The status of an answer that never comes."""


@dataclass(frozen=True, slots=True)
class Got:
    """A request."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class ScriptedRest:
    """Answers every request with the next of `answers`, and the last of them for ever."""

    url: str = ""
    answers: list[tuple[int, Any, dict[str, str]]] = field(default_factory=list)
    got: list[Got] = field(default_factory=list)

    def will(self, status: int, body: Any = None, **headers: str) -> None:
        """From now on answer this."""
        self.answers[:] = [(status, body, {name.replace("_", "-"): value for name, value in headers.items()})]
        self.got.clear()

    def reached(self) -> None:
        """Return when a request has come."""
        deadline = time.monotonic() + PATIENCE
        while not self.got:
            assert time.monotonic() < deadline, "no request came"
            time.sleep(0.01)

    async def answer(self, request: Request) -> Response:
        """The next answer."""
        sent = await request.body()
        target = request.scope["raw_path"].decode()
        self.got.append(Got(request.method, target, dict(request.headers), json.loads(sent) if sent else None))
        status, body, headers = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if status == HANG:
            await asyncio.sleep(60)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Response(content, status, headers)


@contextmanager
def scripted_rest() -> Iterator[ScriptedRest]:
    """Serve one."""
    scripted = ScriptedRest()
    app = Starlette(routes=[Route("/{path:path}", scripted.answer, methods=["GET", "POST"])])
    with serving(app) as url:
        scripted.url = url
        yield scripted
