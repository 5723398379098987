"""The process whose forks are Lambda workers: it has loaded the third-party packages that functions use.

`forked_workers` starts it by its path, so that nothing of our own package is loaded in it: each worker loads that from
the layer that was deployed, as on AWS.

A request is one byte with five file descriptors: the worker's standard streams, the pipe on which this process tells
its id and later its exit status, and the file that says what it runs.
"""

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import struct
import sys
from contextlib import suppress

PRELOADED = ("boto3", "fastapi", "httpx", "mangum", "PIL.Image", "botocore.handlers")
"""Modules that functions load at their start or in their first call."""

_NUMBER = struct.Struct("i")
_DESCRIPTORS = 5


def main() -> None:
    """Load the packages, then fork workers until the other side is gone."""
    for name in PRELOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # so that a worker's collections do not copy what it shares
    told = serve(socket.socket(fileno=int(sys.argv[1])))
    if told is not None:
        run_worker(told)


def serve(door: socket.socket) -> int | None:
    """Fork a worker for each request until the other side is gone.

    Returns:
        In a worker, the descriptor of the file that says what it runs; None in the fork server.
    """
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    statuses: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([door.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _tell_ended(statuses)
        if door.fileno() in ready:
            content, descriptors, _, _ = socket.recv_fds(door, 1, _DESCRIPTORS)
            if not content:
                return None
            pid = os.fork()
            if not pid:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                return _become_worker(descriptors, [door.detach(), woken, waker, *statuses.values()])
            *streams, status, told = descriptors
            for descriptor in (*streams, told):
                os.close(descriptor)
            statuses[pid] = status
            _tell(status, pid)


def _tell_ended(statuses: dict[int, int]) -> None:
    """Tell the exit status of every worker that has ended."""
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            descriptor = statuses.pop(pid)
            _tell(descriptor, os.waitstatus_to_exitcode(status))
            os.close(descriptor)


def _tell(descriptor: int, number: int) -> None:
    with suppress(BrokenPipeError):  # MiniStack does not wait for it
        os.write(descriptor, _NUMBER.pack(number))


def _become_worker(descriptors: list[int], of_the_server: list[int]) -> int:
    for descriptor in of_the_server:
        os.close(descriptor)
    *streams, status, told = descriptors
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.close(status)
    return told


def run_worker(told: int) -> None:
    """Run the script that the file names, as the interpreter would in a process of its own."""
    with os.fdopen(told, "rb") as file:
        file.seek(0)
        start = json.load(file)
    os.environ.clear()
    os.environ.update(start["env"])
    os.chdir(start["cwd"])
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
    sys.argv = [start["script"]]
    sys.path.insert(0, os.path.dirname(start["script"]))
    runpy.run_path(start["script"], run_name="__main__")


if __name__ == "__main__":
    main()
