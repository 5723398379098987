"""Calls of the stand-ins whose submission answers with the picture, with the faults of their prompts."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from imagegate.local.upstreams.drawing.pictures import PictureSpec
from imagegate.local.upstreams.faults import AFTER_ACCEPTING, BEFORE_ACCEPTING, ErrorBody, broken_answer
from imagegate.local.upstreams.upstream import Upstream

Refusals = Mapping[str, Callable[[], Response]]
"""Fault to a protocol's own answer."""


class HeldCalls:
    """The calls of one stand-in, each held until its picture is due."""

    def __init__(self, upstream: Upstream, error_body: ErrorBody, refusals: Refusals, late: Refusals) -> None:
        """`refusals` come at once and nothing is accepted; `late` ones come in place of the picture."""
        self._upstream = upstream
        self._error_body = error_body
        self._refusals = refusals
        self._late = late

    async def serve(
        self, request: Request, picture: PictureSpec, answer: Callable[[PictureSpec], Awaitable[Response]]
    ) -> Response:
        """Accept and answer with the picture, unless a fault applies."""
        fault = self._upstream.fault(picture.prompt, picture.directives, "submit")
        if fault in BEFORE_ACCEPTING:
            return await broken_answer(fault, request, self._upstream.timing, self._error_body)
        if refusal := self._refusals.get(fault or ""):
            return refusal()
        self._upstream.record(picture.prompt, picture.seed, request)
        if fault != "accepted-then-hang":
            await asyncio.sleep(self._upstream.delay(picture.directives))
        if fault in AFTER_ACCEPTING:
            return await broken_answer(fault, request, self._upstream.timing, self._error_body)
        failure = self._late.get(fault or "")
        return failure() if failure else await answer(replace(picture, fault=fault))
