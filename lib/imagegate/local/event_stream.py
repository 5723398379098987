"""Streams at the local addresses: partial pictures are sent as they come, and comments keep the connection alive.

On AWS an answer is sent when it is complete, so a stream's events come at its end, after redirects (ADR 39). Here the
front door follows the redirects itself. What is answered within the first seconds has its own status and headers, so
a refused request looks as it does on AWS; later the status is sent, and a failure is an event.
"""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx

from imagegate.dialects.registry import dialect_at
from imagegate.local.gateway_exchange import GatewayResponse, Headers, Refusal
from imagegate.local.origin_policy import Receive, Scope, Send, header_values

COMMENT_SECONDS = 10.0
"""Between two comments, and until the first, which is below every usual limit for a silent connection."""
_EVENTS = b"text/event-stream"
_COMMENT = b": keep-alive\n\n"
_STREAMING_APIS = ("openai", "openai_responses", "openai_chat")
"""The folders of the dialects whose requests may ask for a stream."""
_IN_FORM = re.compile(rb'name="stream"\r\n\r\n(true|True|1)\r\n')
_WAITING = (503, 504)
_AT_ONCE = 1.0
"""Seconds within which an answer was not held, so that the next request has to pause."""
_OF_A_REDIRECT = (b"location", b"content-type", b"retry-after", b"x-should-retry")
_LOST = (500, 502, 503)
"""What the door says of a function that is late or failed. A hop is asked for again, as a client would repeat it."""
_MOST_LOST = 3
_ABOUT_BODY = (b"content-type", b"content-length", b"content-encoding", b"transfer-encoding")


def asks_for_events(scope: Scope, body: bytes) -> bool:
    """True for a request whose answer is a stream of events. One with `Prefer` says how long to hold it."""
    query: bytes = scope["query_string"]
    if scope["method"] != "POST" or b'"stream"' not in body or header_values(scope, b"prefer"):
        return False
    if dialect_at(scope["path"], query).folder not in _STREAMING_APIS:
        return False
    if _IN_FORM.search(body):
        return True
    try:
        document = json.loads(body)
    except ValueError:
        return False
    return isinstance(document, dict) and document.get("stream") is True


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectFollower:
    """Follows the redirects of a wait in place of the client."""

    prefix: str
    """MiniStack's path to the function."""
    endpoint: str
    """MiniStack's URL, where answers too large for Lambda are."""
    forward: Callable[[httpx.Request], Awaitable[GatewayResponse]]
    """Sends a request to the function."""
    fetch: Callable[[str], Awaitable[GatewayResponse]]
    """Gets a signed URL of the bucket."""
    send_events: Callable[[bytes], Awaitable[None]]
    """Sends events that come before the answer: those of partial pictures."""

    async def send(self, request: httpx.Request) -> GatewayResponse:
        """The answer once the operation has ended."""
        # What is sent after a comment cannot be compressed: the headers have been sent.
        request.headers["accept-encoding"] = "identity"
        lost = partials = 0
        while True:
            request.headers["prefer"] = f"partials={partials}"
            sent_at = time.monotonic()
            try:
                answer = await self.forward(request)
            except Refusal as refusal:
                if request.method == "POST" or refusal.status not in _LOST or lost == _MOST_LOST:
                    raise
                lost += 1
                await asyncio.sleep(_AT_ONCE)
                continue
            lost = 0
            location = _location(answer)
            if location.startswith(f"{self.endpoint}/"):
                fetched = await self.fetch(location)
                kept = [(name, value) for name, value in answer.headers if name not in _OF_A_REDIRECT]
                return replace(fetched, headers=[*kept, *fetched.headers])
            if not location.startswith("/") or location.startswith("//"):
                return answer
            if _is_events(answer):
                await self.send_events(answer.body)
                partials += 1
            if answer.status in _WAITING and time.monotonic() - sent_at < _AT_ONCE:
                await asyncio.sleep(_retry_after(answer))
            request = self._to(location, request)

    def _to(self, location: str, request: httpx.Request) -> httpx.Request:
        headers = [(name, value) for name, value in request.headers.raw if name.lower() not in _ABOUT_BODY]
        target = f"{self.prefix}{location}".encode()
        return httpx.Request("GET", self.endpoint, headers=headers, extensions={"target": target})


@dataclass(slots=True, kw_only=True)
class EventStream:
    """One request for a stream."""

    scope: Scope
    receive: Receive
    """ASGI's, from which the body has been read."""
    send: Send
    interval: float
    """Seconds between two comments, and until the first."""
    _started: bool = False

    async def keep_alive(self, answering: Awaitable[GatewayResponse]) -> GatewayResponse | None:
        """The answer if it came before anything was sent; otherwise send it as the stream's events and return None.

        A client that leaves ends the waiting, not the operation.
        """
        answer, gone = asyncio.ensure_future(answering), asyncio.ensure_future(self._until_it_leaves())
        try:
            while not answer.done():
                await asyncio.wait({answer, gone}, timeout=self.interval, return_when=asyncio.FIRST_COMPLETED)
                if gone.done():
                    return None
                if not answer.done():
                    await self.send_events(_COMMENT)
            if not self._started:
                return answer.result()
            await self._send_body(_events_of(answer.result()), more=False)
            return None
        finally:
            for task in (answer, gone):
                task.cancel()
            await asyncio.gather(answer, gone, return_exceptions=True)

    async def send_events(self, events: bytes) -> None:
        """Send events, or a comment, before the answer."""
        if not self._started:
            self._started = True
            await self._send_start()
        await self._send_body(events, more=True)

    async def _until_it_leaves(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def _send_start(self) -> None:
        headers: Headers = [(b"content-type", _EVENTS), (b"cache-control", b"no-store")]
        for origin in header_values(self.scope, b"origin"):  # the door's policy has accepted it
            headers += [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")]
        await self.send({"type": "http.response.start", "status": 200, "headers": headers})

    async def _send_body(self, body: bytes, *, more: bool) -> None:
        await self.send({"type": "http.response.body", "body": body, "more_body": more})


def _events_of(answer: GatewayResponse) -> bytes:
    """The answer's events; an error as the event that OpenAI's packages and the AI SDK raise an error for."""
    if _is_events(answer):
        return answer.body
    try:
        document = json.loads(answer.body)
    except ValueError:
        document = {}
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        reason = document.get("message") if isinstance(document, dict) else None
        message = reason if isinstance(reason, str) else f"The gateway answered {answer.status}."
        error = {"message": message, "type": "server_error", "param": None, "code": None}
        document = {"error": error}
    event: dict[str, Any] = {**error, **document, "type": "error", "sequence_number": 0}
    return f"event: error\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


def _is_events(answer: GatewayResponse) -> bool:
    return dict(answer.headers).get(b"content-type", b"").startswith(_EVENTS)


def _location(answer: GatewayResponse) -> str:
    """Where the answer says to go on waiting; empty when it is final."""
    if answer.status != 303 and answer.status not in _WAITING:
        return ""
    return dict(answer.headers).get(b"location", b"").decode("latin-1")


def _retry_after(answer: GatewayResponse) -> float:
    text = dict(answer.headers).get(b"retry-after", b"").decode("latin-1")
    return float(text) if text.isdigit() else 1.0
