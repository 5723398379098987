"""A gRPC call as this bridge answers it: what of it goes on over HTTP, its deadline, its end."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import grpc
import httpx

from imagegate.bridge.failures import DEADLINE_EXCEEDED, INVALID_ARGUMENT, UNAVAILABLE, CallFailed, failed

Say = Callable[[str], None]
Headers = dict[str, str]
Work = Callable[[Headers], Awaitable[tuple[Any, Mapping[str, str]]]]
"""Takes the caller's headers; returns the answer and the headers that came with it."""

_PASSED_ON = frozenset({"authorization", "idempotency-key", "user-agent"})
_METADATA_BYTES = 4000
"""Clients take 8 KB by default, a message (failures.py) included."""
_ENTRY_BYTES = 32
"""What HTTP/2 counts for an entry beyond its name and value."""
_STATUSES = {code.value[0]: code for code in grpc.StatusCode}


async def answered(name: str, context: Any, patience: float, say: Say, work: Work) -> Any:
    """The answer of `work` within the caller's deadline and `patience` (seconds), or the call's abortion."""
    began = time.monotonic()
    try:
        answer, headers = await _in_time(context, patience, work)
        context.set_trailing_metadata(tuple(_metadata(headers)))
        say(f"{name} OK {time.monotonic() - began:.2f} s")
        return answer
    except CallFailed as failure:
        code = _STATUSES[failure.status.code]
        say(f"{name} {code.name} {time.monotonic() - began:.2f} s")
        context.set_trailing_metadata((*_metadata(failure.headers), *_details(failure)))
        await context.abort(code, failure.status.message)


async def _in_time(context: Any, patience: float, work: Work) -> tuple[Any, Mapping[str, str]]:
    remaining = context.time_remaining()
    limit = patience if remaining is None else min(patience, remaining)
    try:
        async with asyncio.timeout(limit):
            return await work(_headers(context))
    except TimeoutError:
        raise failed(DEADLINE_EXCEEDED, f"No answer within {limit:.0f} s.") from None
    except httpx.InvalidURL as error:
        raise failed(INVALID_ARGUMENT, f"That is no id ({error}).") from None
    except httpx.HTTPError as error:
        at = error.request.url.copy_with(path="/", query=None)
        raise failed(UNAVAILABLE, f"{at} cannot be reached ({type(error).__name__}: {error}).") from error


def _headers(context: Any) -> Headers:
    sent = context.invocation_metadata() or ()
    return {name: value for name, value in sent if name in _PASSED_ON or (name.startswith("x-") and _is_text(value))}


def _metadata(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The headers that say something about the call, as many as there is room for: an answer must not fail on them."""
    left = _METADATA_BYTES
    for name, value in sorted(headers.items(), key=lambda item: len(item[1])):
        left -= len(name) + len(value) + _ENTRY_BYTES
        if left >= 0 and _tells(name.lower()) and _is_text(value):
            yield name.lower(), value


def _tells(name: str) -> bool:
    return name == "retry-after" or (name.startswith("x-") and not name.startswith("x-amz"))


def _is_text(value: str | bytes) -> bool:
    """What both HTTP and gRPC can carry."""
    return isinstance(value, str) and value.isascii() and value.isprintable()


def _details(failure: CallFailed) -> tuple[tuple[str, bytes], ...]:
    """What gRPC's rich error model reads, when there is more than code and message."""
    return (("grpc-status-details-bin", failure.status.SerializeToString()),) if failure.status.details else ()
