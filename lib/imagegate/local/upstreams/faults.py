"""The answers to calls that a fault applies to, for every protocol."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from imagegate.local.upstreams.upstream import Timing

ErrorBody = Callable[[int, str], Response]
"""Makes a protocol's own error answer from an HTTP status and a text."""

STATUSES = {"http-401": 401, "http-429": 429, "http-429-retry-after": 429, "http-500": 500, "http-503": 503}
TEXTS = {
    401: "The stand-in rejects this key on request.",
    429: "Too many requests to the stand-in.",
    500: "The stand-in failed on request.",
    503: "The stand-in is unavailable on request.",
}
RETRY_AFTER = "2"

PAGE = """<!DOCTYPE html>
<html><head><title>stand-in</title></head><body><h1>This page is not what you asked for</h1></body></html>
"""


class Torn(Exception):
    """Raised by the body of a Stream to have the connection closed before the body's end."""


class Stream(StreamingResponse):
    """A streamed answer that can be torn, and says whether its client stayed to the end."""

    def __init__(
        self, body: AsyncIterator[bytes], media_type: str, abandoned: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(body, media_type=media_type)
        self.abandoned = abandoned
        self.ended = False

    async def stream_response(self, send: Send) -> None:
        """Send the body; when it is torn return without its end, which makes the server close the connection."""
        with contextlib.suppress(Torn):
            await super().stream_response(send)
        self.ended = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the end or until the client goes; in that case `abandoned` is called."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            if not self.ended:
                self.abandoned()


async def half_an_answer() -> AsyncIterator[bytes]:
    """The beginning of some JSON."""
    yield b'{"'
    raise Torn


async def hold(request: Request, timing: Timing) -> Response:
    """Keep the call open until the client goes or the time is up."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timing.hang):
            while not await request.is_disconnected():
                await asyncio.sleep(0.05)
    return Response("The stand-in held this call for as long as it may.", 504)


async def drop(request: Request, timing: Timing) -> Response:
    """Close the connection in the middle of the answer."""
    return Stream(half_an_answer(), "application/json")


async def html(request: Request, timing: Timing) -> Response:
    """A web page that claims success."""
    return HTMLResponse(PAGE)


async def html_502(request: Request, timing: Timing) -> Response:
    """A gateway's error page."""
    return HTMLResponse(PAGE, 502)


ODD_ANSWERS: dict[str, Callable[[Request, Timing], Awaitable[Response]]] = {
    "hang": hold,
    "accepted-then-hang": hold,
    "drop": drop,
    "html": html,
    "html-502": html_502,
}

CALL_FAULTS = frozenset(STATUSES) | frozenset(ODD_ANSWERS)
"""The faults that `broken_answer` knows; others belong to the job or to its picture."""

AFTER_ACCEPTING = frozenset({"accepted-then-hang", "drop"})
"""At a submission, these come when it is accepted and counted, ..."""

BEFORE_ACCEPTING = CALL_FAULTS - AFTER_ACCEPTING
"""... and these instead of that."""


async def broken_answer(fault: str, request: Request, timing: Timing, error_body: ErrorBody) -> Response:
    """The answer to a call that one of CALL_FAULTS applies to."""
    if fault in ODD_ANSWERS:
        return await ODD_ANSWERS[fault](request, timing)
    answer = error_body(STATUSES[fault], TEXTS[STATUSES[fault]])
    if fault == "http-429-retry-after":
        answer.headers["retry-after"] = RETRY_AFTER
    return answer
