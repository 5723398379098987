"""Starts Lambda workers as forks of one process that has loaded the packages which functions use (`fork_server`).

MiniStack starts an interpreter for each worker, which then loads botocore, FastAPI and pydantic: most of the processor
time of a cold start, and thirty at once take half a minute on two processors. A fork has them already.
"""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime

_SERVER = Path(__file__).with_name("fork_server.py")
_NUMBER = struct.Struct("i")
_POLL_SECONDS = 0.05


class ForkServer:
    """The process that forks, started at the first request, or again when it has died. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._door: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process, which loads the packages meanwhile."""
        self._door, theirs = socket.socketpair()
        with theirs:
            # -P: modules beside the script have names of the standard library's.
            command = [sys.executable, "-P", str(_SERVER), str(theirs.fileno())]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])  # noqa: S603

    def close(self) -> None:
        """End the process; its workers go on until their streams end."""
        if self._door and self._process:
            self._door.close()
            self._process.wait()
            self._door = self._process = None

    def fork(self, descriptors: list[int]) -> tuple[int, int]:
        """Start a worker with these descriptors.

        Returns:
            Its process id, and the pipe from which its exit status can be read once; it does not block.

        Raises:
            RuntimeError: the process that forks has died twice.
        """
        with self._lock:
            for _ in range(2):
                if self._door is None:
                    self.start()
                assert self._door
                status, theirs = os.pipe()
                with suppress(OSError):
                    socket.send_fds(self._door, [b"f"], [*descriptors[:3], theirs, *descriptors[3:]])
                os.close(theirs)
                if (pid := read_number(status)) is not None:
                    os.set_blocking(status, False)
                    return pid, status
                os.close(status)
                self.close()
        raise RuntimeError("the process that starts Lambda workers has died")


def read_number(pipe: int) -> int | None:
    """Read a number; None when the other end was closed instead.

    Raises:
        BlockingIOError: there is none yet, in a pipe that does not block.
    """
    content = os.read(pipe, _NUMBER.size)
    return int(_NUMBER.unpack(content)[0]) if content else None


class ForkedProcess:
    """A worker, with the part of `subprocess.Popen` that MiniStack uses. The fork server is its parent."""

    def __init__(self, server: ForkServer, script: str, cwd: str, env: Mapping[str, str]) -> None:
        self.returncode: int | None = None
        self._lock = threading.Lock()
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        ours_error, theirs_error = os.pipe()
        self.stdin = os.fdopen(ours_in, "w", encoding="utf-8", buffering=1)
        self.stdout = os.fdopen(ours_out, encoding="utf-8", errors="replace")
        self.stderr = os.fdopen(ours_error, encoding="utf-8", errors="replace")
        with tempfile.TemporaryFile() as told:
            told.write(json.dumps({"script": script, "cwd": cwd, "env": dict(env)}).encode())
            told.flush()
            try:
                self.pid, self._status = server.fork([theirs_in, theirs_out, theirs_error, told.fileno()])
            finally:
                for descriptor in (theirs_in, theirs_out, theirs_error):
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
        if status is None:  # the fork server died without a word; what it started is of no use
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            return -signal.SIGKILL
        return status


class _Subprocess:
    """The module `subprocess` as MiniStack sees it, which starts Python workers as forks."""

    def __init__(self, server: ForkServer) -> None:
        self._server = server

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)

    def Popen(self, command: list[str], **options: Any) -> Any:
        if command[0] != sys.executable:
            return subprocess.Popen(command, **options)  # noqa: S603
        return ForkedProcess(self._server, command[1], options["cwd"], options["env"])


def mend() -> None:
    """Have MiniStack start Python workers as forks from now on; call it once."""
    server = ForkServer()
    server.start()
    lambda_runtime.subprocess = _Subprocess(server)
