"""A process that another one forked for this one."""

import os
import signal
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

_NUMBER = struct.Struct("i")
_POLL_SECONDS = 0.05


def read_number(pipe: int) -> int | None:
    """Read a number; None when the other end was closed instead.

    Raises:
        BlockingIOError: there is none yet, in a pipe that does not block.
    """
    content = os.read(pipe, _NUMBER.size)
    return int(_NUMBER.unpack(content)[0]) if content else None


class ForkedProcess:
    """A worker, with the part of `subprocess.Popen` that MiniStack uses. The process that forked it is its parent."""

    def __init__(self, fork: Callable[[Sequence[int]], tuple[int, int]]) -> None:
        """Start it. `fork` takes its standard streams, and returns its id and the pipe that will have its status."""
        self.returncode: int | None = None
        self._lock = threading.Lock()
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        ours_error, theirs_error = os.pipe()
        self.stdin = os.fdopen(ours_in, "w", encoding="utf-8", buffering=1)
        self.stdout = os.fdopen(ours_out, encoding="utf-8", errors="replace")
        self.stderr = os.fdopen(ours_error, encoding="utf-8", errors="replace")
        theirs = (theirs_in, theirs_out, theirs_error)
        try:
            self.pid, self._status = fork(theirs)
        finally:
            for descriptor in theirs:
                os.close(descriptor)

    def poll(self) -> int | None:
        """The exit status when the process has ended, negative when by a signal; else None."""
        with self._lock:
            if self.returncode is None:
                with suppress(BlockingIOError):
                    self.returncode = self._collect()
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status once the process has ended.

        Raises:
            subprocess.TimeoutExpired: it has not within so many seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            if deadline is not None and time.monotonic() >= deadline:
                raise subprocess.TimeoutExpired(f"Lambda worker {self.pid}", timeout or 0)
            time.sleep(_POLL_SECONDS)
        return status

    def send_signal(self, signum: int) -> None:
        """Send a signal to the process, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signum)

    def terminate(self) -> None:
        """Ask the process to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process."""
        self.send_signal(signal.SIGKILL)

    def _collect(self) -> int:
        status = read_number(self._status)
        os.close(self._status)
        if status is None:  # its parent died without a word, and the worker is of no use
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            return -signal.SIGKILL
        return status
