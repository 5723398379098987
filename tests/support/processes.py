"""Servers that run in processes of their own, and are waited for."""

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

PATIENCE = 60.0
"""Seconds that a server may take to listen on a busy machine."""


@contextmanager
def listening(
    command: Sequence[str], port: int, log: Path, environment: Mapping[str, str], cwd: Path
) -> Iterator[None]:
    """A process that runs, and listens on `port`; its output goes to `log`. Raises AssertionError with that output."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=cwd, env=dict(environment), stdout=output, stderr=output, stdin=subprocess.DEVNULL
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not _accepts(port):
            assert process.poll() is None, f"{command[0]} ended:\n{log.read_text()}"
            assert time.monotonic() < deadline, f"{command[0]} does not listen:\n{log.read_text()}"
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port that no other program is given while a server of a test uses it."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def _accepts(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
