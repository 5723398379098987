"""The processes whose forks are Lambda workers: they have loaded what the workers need.

The first one loads the third-party packages of functions. Its forks are templates, one for each function, which load
the function's module as its worker would; a template's forks are the workers. So a function is initialised once,
which is what AWS SnapStart does too, and a further worker takes a few milliseconds.

`forked_workers` starts the first one by its path, so that nothing of our own package is loaded in it: templates load
that from the layer that was deployed, as on AWS.

A request is one byte with five file descriptors: the standard streams of the new process (a template's standard input
is the socket of its own requests), the pipe on which its parent tells its id and later its exit status, and the pipe
from which it reads what it runs.
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
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

_FORMATS = ("Avif", "Bmp", "Gif", "Jpeg", "Png", "Ppm", "WebP")
PRELOADED = (
    *("boto3", "botocore.handlers", "botocore.paginate", "fastapi", "httpx", "mangum", "PIL.Image"),
    *(f"PIL.{name}ImagePlugin" for name in _FORMATS),
)
"""Modules that functions load at their start or in their first call."""

_NUMBER = struct.Struct("i")
_DESCRIPTORS = 5


def main() -> None:
    """Load the packages; then, in this process and in every template, fork until the other side is gone."""
    for name in PRELOADED:
        importlib.import_module(name)
    door: socket.socket | None = socket.socket(fileno=int(sys.argv[1]))
    while door:
        gc.collect()
        gc.freeze()  # so that a fork's collections do not copy what it shares
        settings_pipe = serve(door)
        door = None if settings_pipe is None else run(settings_pipe)


def serve(door: socket.socket) -> int | None:
    """Fork for each request until the other side is gone, and what was forked has ended.

    Returns:
        In the forked process, the pipe from which it reads what it runs; None in the one that forks.
    """
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    statuses: dict[int, int] = {}
    sources = [door.fileno(), woken]
    while door.fileno() in sources or statuses:
        ready, _, _ = select.select(sources, [], [])
        if woken in ready:
            os.read(woken, 4096)
            _tell_ended(statuses)
        if door.fileno() in ready:
            content, descriptors, _, _ = socket.recv_fds(door, 1, _DESCRIPTORS)
            if not content:
                sources.remove(door.fileno())
                continue
            pid = os.fork()
            if not pid:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                return _take_over(descriptors, [door.detach(), woken, waker, *statuses.values()])
            *streams, status, settings_pipe = descriptors
            for descriptor in (*streams, settings_pipe):
                os.close(descriptor)
            statuses[pid] = status
            _tell(status, pid)
    return None


def _tell_ended(statuses: dict[int, int]) -> None:
    """Tell the exit status of every child that has ended."""
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


def _take_over(descriptors: list[int], of_the_parent: list[int]) -> int:
    """Make the first three the standard streams of this process; returns the last, which says what to run."""
    for descriptor in of_the_parent:
        os.close(descriptor)
    *streams, status, settings_pipe = descriptors
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.close(status)
    return settings_pipe


def run(settings_pipe: int) -> socket.socket | None:
    """Do what the pipe says.

    Returns:
        In a template, the socket of its requests; None when a worker's script has ended.
    """
    with os.fdopen(settings_pipe) as file:
        start = json.load(file)
    os.environ.clear()
    os.environ.update(start["env"])
    os.chdir(start["cwd"])
    if "module" in start:
        return _load(start)
    _run_script(start["script"])
    return None


def _load(start: Mapping[str, Any]) -> socket.socket:
    """Load a function's module from its folders, which stay when a worker's own are removed."""
    sys.path[:0] = start["path"]
    importlib.import_module(start["module"])
    return socket.socket(fileno=os.dup(0))


def _run_script(script: str) -> None:
    """Run it as the interpreter would in a process of its own."""
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
    sys.argv = [script]
    sys.path.insert(0, os.path.dirname(script))
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main()
