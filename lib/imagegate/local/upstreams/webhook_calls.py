"""The calls by which a stand-in says that a job has ended, as fal and Replicate do."""

import asyncio
import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit

from imagegate.local.upstreams.jobs import Job

TRIES = 3
PAUSE = 1.0
"""Seconds before a call that failed is repeated."""
PATIENCE = 15.0
"""Seconds for an answer."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class WebhookCalls:
    """Calls one address for each job that has one; only on this machine, because tests reach no other."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def schedule(self, url: Any, job: Job, body: Callable[[], Any]) -> None:
        """Call `url` with `body`, as it then is, when the job has ended; nothing for a job that never does."""
        if isinstance(url, str) and urlsplit(url).hostname in LOOPBACK and job.fault != "endless":
            task = asyncio.create_task(_call(url, job, body))
            self._tasks.add(task)  # the loop itself keeps weak references only
            task.add_done_callback(self._tasks.discard)


async def _call(url: str, job: Job, body: Callable[[], Any]) -> None:
    await asyncio.sleep(max(job.due - time.monotonic(), 0.0))
    for _ in range(TRIES):
        if await asyncio.to_thread(_post, url, json.dumps(body()).encode()):
            return
        await asyncio.sleep(PAUSE)


def _post(url: str, body: bytes) -> bool:
    """Whether the answer is a success."""
    request = urllib.request.Request(url, body, {"content-type": "application/json"})  # noqa: S310 - loopback only
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE):  # noqa: S310  # nosec B310
            return True
    except (URLError, OSError):
        return False
