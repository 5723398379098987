"""Lays hostile requests on the `api` function, with everything behind it in memory, and judges the answers.

No answer may be a 5xx (but for the promise to go on waiting), break its dialect's shape, take long or repeat a key;
no log line may hold a prompt, a key or a traceback.
"""

import contextlib
import io
import json
import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from imagegate.domain.operation.operation import State
from imagegate.local.gateway_exchange import LAMBDA_LIMIT_BYTES
from support.fuzz_server import gateway
from support.gateway import Answered, Gateway
from support.hostile import REFUSED, Event, Hostile
from support.hostile_corpus import OPERATION_ID

LONGEST_SECONDS = 5.0
_FRESH_EVERY = 500
"""Requests after which the world behind the handler is replaced, so that it stays small."""
_ENVELOPE = 10_000
"""Bytes of headers and the like."""
_SHAPES = (
    {"error"},
    {"error", "code", "message", "details"},
    {"type", "title", "status", "detail", "code", "request_id"},
)


@dataclass
class Siege:
    """What has been tried, and what was wrong about it."""

    tried: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    slowest_seconds: float = 0.0

    def lay(self, made: Gateway, key: str, requests: Iterable[Hostile]) -> None:
        """Send every request, and note what is wrong with its answer or with what was logged meanwhile."""
        for at, request in enumerate(requests):
            event = aimed(request.event, list(made.store.documents)[at % len(State)])
            with captured() as log:
                began = time.monotonic()
                answer = answered(made, event)
                took = time.monotonic() - began
            self.tried[request.kind] += 1
            self.statuses[answer.status] += 1
            self.slowest_seconds = max(self.slowest_seconds, took)
            slow = [f"it took {took:.1f} s"] if took > LONGEST_SECONDS else []
            passed = ["it was let through"] if request.kind in REFUSED and answer.status < 400 else []
            for what in (*wrong_with(answer, key), *wrong_with_log(log.getvalue(), request.mark, key), *slow, *passed):
                self.complaints.append(f"{request.kind}: {what}: {str(request.event)[:600]}")


def lay_in_batches(siege: Siege, count: int, requests: Any) -> None:
    """Lay `requests(at, number, key)` in portions, each on a world of its own."""
    for at in range(0, count, _FRESH_EVERY):
        made, key = gateway()
        siege.lay(made, key, requests(at, min(_FRESH_EVERY, count - at), key))


def aimed(event: Event, operation_id: str) -> Event:
    """The event with an operation that is there in its path."""
    path = event["rawPath"].replace(OPERATION_ID, operation_id)
    return {**event, "rawPath": path}


def answered(made: Gateway, event: Event) -> Answered:
    """What the handler makes of the event. An exception of it is what Lambda makes of it: a 502."""
    try:
        return made.handle(event)
    except Exception as error:
        return Answered(502, {}, f"the function failed: {type(error).__name__}: {error}")


@contextlib.contextmanager
def captured() -> Iterator[io.StringIO]:
    """Everything that is logged or printed."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            yield out
    finally:
        root.setLevel(before)
        root.removeHandler(handler)


def wrong_with(answer: Answered, key: str) -> Iterator[str]:
    """What an answer must not be."""
    if answer.status >= 500 and '"operation_pending"' not in answer.text:
        yield f"status {answer.status}: {answer.text[:300]}"
        return
    everything = answer.text + str(answer.headers)
    for name in ("x-request-id", "x-content-type-options", "content-security-policy", "strict-transport-security"):
        if name not in answer.headers:
            yield f"no {name}"
    if key in everything or key.rpartition("_")[2] in everything:
        yield "the key is in the answer"
    if len(json.dumps(answer.text, ensure_ascii=False).encode()) + _ENVELOPE > LAMBDA_LIMIT_BYTES:
        yield "it is too large for Lambda"
    if any("\r" in value or "\n" in value for value in answer.headers.values()):
        yield f"a line ends in a header: {answer.headers}"
    if "Traceback" in everything:
        yield "a traceback is in the answer"
    if 400 <= answer.status < 500 and answer.text:
        yield from _wrong_shape(answer)


def _wrong_shape(answer: Answered) -> Iterator[str]:
    try:
        body = json.loads(answer.text)
    except ValueError:
        yield f"an error that is no JSON: {answer.text[:200]}"
        return
    if not any(shape <= set(body) for shape in _SHAPES):
        yield f"an error in the shape of no API: {answer.text[:200]}"


def wrong_with_log(log: str, mark: str, key: str) -> Iterator[str]:
    """What must not be logged."""
    for what, text in {"the prompt": mark, "the key": key.rpartition("_")[2], "a traceback": "Traceback"}.items():
        if text in log:
            yield f"{what} is in the log: {log[:300]}"
