"""`imagegate` on a pseudo-terminal: a process of its own, forked from a server that has loaded the command."""

import fcntl
import multiprocessing
import os
import pty
import re
import select
import struct
import termios
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROWS, COLUMNS = 24, 80
PATIENCE = 60.0
CTRL_C = "\x03"
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["imagegate.cli.main", "httpx", "rich.live", "PIL.Image"])


class Terminal:
    """A running command, and what its terminal has shown."""

    def __init__(self, arguments: tuple[str, ...], environment: Mapping[str, str], folder: Path) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._shown, self._ended = bytearray(), threading.Event()
        work = (os.ttyname(slave), arguments, dict(environment), str(folder))
        self._process = _CONTEXT.Process(target=_run, args=work)
        self._process.start()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self._slave = slave

    @property
    def raw(self) -> str:
        """What was written, escape sequences and all."""
        return self._shown.decode(errors="replace")

    @property
    def text(self) -> str:
        """The same without escape sequences of colours and movements."""
        return _ESCAPES.sub("", self.raw).replace("\r", "")

    def expect(self, text: str) -> None:
        """Wait until the terminal has shown a text."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.text:
            assert self._process.is_alive() or text in self._after_the_end(), f"it ended: {self.text}"
            assert time.monotonic() < deadline, f"not shown within {PATIENCE} s: {text!r} in {self.text!r}"
            time.sleep(0.01)

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    def wait(self) -> int:
        """The exit status, and everything shown."""
        self._process.join(PATIENCE)
        assert self._process.exitcode is not None, f"it runs still: {self.text}"
        self._after_the_end()
        return self._process.exitcode

    def close(self) -> None:
        """End it."""
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._process.close()
        self._stop_reading()
        for descriptor in (self._slave, self._master):
            os.close(descriptor)

    def _after_the_end(self) -> str:
        self._stop_reading()
        return self.text

    def _stop_reading(self) -> None:
        self._ended.set()
        self._reader.join()

    def _read(self) -> None:
        while True:
            ended = self._ended.is_set()
            readable, _, _ = select.select([self._master], [], [], 0 if ended else 0.02)
            if readable:
                self._shown += os.read(self._master, 65_536)
            elif ended:
                return


@contextmanager
def terminal(*arguments: str, folder: Path, **environment: str) -> Iterator[Terminal]:
    """`imagegate` with these arguments, in a folder, with this environment and little else."""
    basis = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    running = Terminal(arguments, basis | environment, folder)
    try:
        yield running
    finally:
        running.close()


def _run(device: str, arguments: tuple[str, ...], environment: dict[str, str], folder: str) -> None:
    """In the new process: make the device its terminal, and run the command."""
    import signal
    import sys

    os.setsid()
    opened = os.open(device, os.O_RDWR)  # the first terminal that a session opens controls it
    for descriptor in (0, 1, 2):
        os.dup2(opened, descriptor)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["imagegate", *arguments]
    from imagegate.cli.main import app

    app()
