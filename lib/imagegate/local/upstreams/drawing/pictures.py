"""Pictures that stand-ins promise: stored as the arguments to draw them from, and drawn when they are fetched."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from imagegate.local.upstreams.directives import Directives
from imagegate.local.upstreams.drawing.drawing import CONTENT_TYPES, Format, blank, draw
from imagegate.local.upstreams.drawing.editing import draw_edited
from imagegate.local.upstreams.drawing.padding import pad
from imagegate.local.upstreams.drawing.signing import sign
from imagegate.local.upstreams.faults import CALL_FAULTS, PAGE, broken_answer
from imagegate.local.upstreams.upstream import Upstream

DROP_BYTES = 1024
"""Size of the pieces of a slow picture."""

PRIVATE_URL = "http://169.254.169.254/latest/meta-data/"
"""The metadata service of a cloud machine: no client may follow a redirect there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSpec:
    """All it takes to draw a picture, and the fault its submission gave it."""

    prompt: str
    seed: int
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    steps: int
    format: Format
    directives: Directives
    fault: str | None = None
    inputs: tuple[bytes, ...] = ()
    """Pictures that show in it, as `editing.reduced` makes them."""
    mask: bytes | None = None
    """As `editing.transparency` makes it."""

    async def file(self, fault: str | None = None) -> bytes:
        """The encoded picture, drawn in a thread; `fault` (or else its own) says what is wrong with it."""
        return await asyncio.to_thread(self.draw, fault or self.fault)

    def draw(self, fault: str | None) -> bytes:
        """The encoded picture."""
        if fault == "not-image":
            return PAGE.encode()
        if fault == "black":
            file = blank(self.width, self.height, self.format)
        elif self.inputs:
            arguments = (self.prompt, self.seed, self.width, self.height, self.format)
            file = draw_edited(*arguments, self.inputs, self.mask)
        else:
            file = draw(self.prompt, self.seed, self.width, self.height, self.steps, self.format)
        file = pad(file, self.format, self.directives.at_least)
        if self.directives.signed:
            file = sign(file, CONTENT_TYPES[self.format])
        return file[: len(file) // 2] if fault == "truncated" else file


async def serve_picture(picture: PictureSpec, request: Request, upstream: Upstream) -> Response:
    """Answer a GET of the picture's URL."""
    fault_name = upstream.fault(picture.prompt, picture.directives, "fetch")
    if fault_name in CALL_FAULTS:
        return await broken_answer(fault_name, request, upstream.timing, fetch_error)
    fault = fault_name or picture.fault
    if fault == "expired-url":
        return fetch_error(404, "File not found.")
    if fault == "redirect-private":
        return RedirectResponse(PRIVATE_URL, 302)
    file = await picture.file(fault)
    media_type = "text/plain" if fault == "wrong-type" else CONTENT_TYPES[picture.format]
    if fault != "slow":
        return Response(file, media_type=media_type)
    headers = {"content-length": str(len(file))}
    return StreamingResponse(drip(file, upstream.timing.drip), headers=headers, media_type=media_type)


def fetch_error(status: int, text: str) -> Response:
    """An error answer of a file server."""
    return JSONResponse({"detail": text}, status)


async def drip(file: bytes, pause: float) -> AsyncIterator[bytes]:
    """The file in small pieces, `pause` seconds apart."""
    for at in range(0, len(file), DROP_BYTES):
        yield file[at : at + DROP_BYTES]
        await asyncio.sleep(pause)
