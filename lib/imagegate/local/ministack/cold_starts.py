"""Starts no more Lambda workers at once than there are processors, those that a client waits for first.

MiniStack 1.5.33 starts a process for each concurrent invocation. Thirty at once share two processors, none is ready
before the gateway's 30 s are over, and their work is thrown away. On AWS each would start on a machine of its own.

A worker that is killed while it starts is started once more, as on AWS, before its invocation counts as failed.
"""

import heapq
import itertools
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ministack.core import lambda_runtime

_REAPED_SECONDS = 1.0


class ColdStarts:
    """Slots in which workers start."""

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._waiting: list[tuple[bool, int]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()

    @contextmanager
    def slot(self, urgent: bool) -> Iterator[None]:
        """Hold a slot; those who are not urgent wait for all who are."""
        turn = (not urgent, next(self._numbers))
        with self._changed:
            heapq.heappush(self._waiting, turn)
            self._changed.wait_for(lambda: self._free and self._waiting[0] == turn)
            heapq.heappop(self._waiting)
            self._free -= 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()


def mend() -> None:
    """Have MiniStack start workers in slots from now on; call it once."""
    starts, caller = ColdStarts(len(os.sched_getaffinity(0))), threading.local()
    spawn, invoke = lambda_runtime.Worker._spawn, lambda_runtime.Worker.invoke

    def spawning(worker: Any) -> None:
        with starts.slot(getattr(caller, "waits", False)):
            try:
                spawn(worker)
            except (RuntimeError, BrokenPipeError):
                if not _was_killed(worker):
                    raise
                spawn(worker)

    def invoking(worker: Any, event: Any, request_id: str, **named: Any) -> Any:
        caller.waits = isinstance(event, dict) and "rawPath" in event
        return invoke(worker, event, request_id, **named)

    lambda_runtime.Worker._spawn, lambda_runtime.Worker.invoke = spawning, invoking


def _was_killed(worker: Any) -> bool:
    """Whether the worker's process has ended by a signal, rather than by an error of its own."""
    with suppress(subprocess.TimeoutExpired):
        return bool(worker._proc and worker._proc.wait(_REAPED_SECONDS) < 0)
    return False
