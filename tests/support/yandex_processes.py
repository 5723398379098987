"""The processes of the vendor's world, on .venvs/yandex: the bridge, its SDK, and protobuf."""

import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venvs" / "yandex" / "bin" / "python"
SCRIPTS = ROOT / "tests" / "clients" / "yandex"
PATIENCE = 60.0
"""Seconds a process may take to start, to stop, or to answer a line."""
_LOOPBACK = "127.0.0.1,localhost"
_IMAGEGATE = "from imagegate.cli.main import app; app(prog_name='imagegate')"


def python() -> str:
    """The interpreter that has them."""
    if not PYTHON.exists():
        pytest.fail(f"{PYTHON} is missing; run tests/clients/setup.sh yandex", pytrace=False)
    return str(PYTHON)


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without anything of Yandex's, and loopback spared by proxies."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("YC_", "GRPC_"))}
    return mine | {"NO_PROXY": _LOOPBACK, "no_proxy": _LOOPBACK} | variables


@dataclass
class Bridge:
    """A running `imagegate bridge yandex`."""

    process: subprocess.Popen[str]
    address: str = ""
    roots: str = ""
    """The file of trusted certificates; empty without TLS."""
    printed: str = ""

    def follow(self) -> None:
        """Read what it prints, to the end."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.printed += line

    def stop(self, signum: int = signal.SIGINT) -> int:
        """Its exit status after Ctrl-C."""
        self.process.send_signal(signum)
        return self.process.wait(PATIENCE)

    @property
    def variables(self) -> dict[str, str]:
        """What a program has to have in its environment to use it."""
        return {"YC_API_ENDPOINT": self.address, "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": self.roots}


@contextmanager
def bridge(*options: str, **variables: str) -> Iterator[Bridge]:
    """Run the command with these options on a free port."""
    command = [python(), "-P", "-c", _IMAGEGATE, "bridge", "yandex", "--port", "0", *options]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(PYTHONPATH=str(ROOT / "lib"), PYTHONUNBUFFERED="1", **variables),
    )
    running = Bridge(process)
    reader = threading.Thread(target=running.follow, daemon=True)
    try:
        announced(running)
        reader.start()
        yield running
    finally:
        if process.poll() is None:
            running.stop()
        if reader.ident:
            reader.join(PATIENCE)
        assert process.stdout
        process.stdout.close()


def announced(running: Bridge) -> None:
    """Read on until it says where it is; fails when it says something else."""
    assert running.process.stdout
    for line in running.process.stdout:
        running.printed += line
        if "Ctrl-C" in line:
            break
    found = re.search(r"gRPC at (\S+),", running.printed)
    if not found:
        pytest.fail(f"the bridge did not start:\n{running.printed}", pytrace=False)
    roots = re.search(r"ROOTS_FILE_PATH=(\S+)", running.printed)
    running.address, running.roots = found[1], roots[1] if roots else ""


def sdk(at: Bridge, key: str = "x", patience: float = PATIENCE, **sent: Any) -> dict[str, Any]:
    """What the vendor's SDK makes of it, in a process of its own: `clients/yandex/generate.py`."""
    variables = environment(YC_FOLDER_ID="b1gexample", YC_API_KEY=key, **at.variables)
    command = [python(), "-I", str(SCRIPTS / "generate.py"), json.dumps(sent)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience, env=variables)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


class Protobuf:
    """Asks `clients/yandex/protobuf.py`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def generation(self, **sent: Any) -> dict[str, Any]:
        """Its answer to one line."""
        assert self._process.stdin
        assert self._process.stdout
        watchdog = threading.Timer(PATIENCE, self._process.kill)
        watchdog.start()
        try:
            self._process.stdin.write(json.dumps(sent) + "\n")
            self._process.stdin.flush()
            return dict(json.loads(self._process.stdout.readline()))
        finally:
            watchdog.cancel()

    def call(self, method: str, request: Any = None, timeout: float = 20.0, **metadata: str) -> dict[str, Any]:
        """A gRPC call."""
        named = {name.replace("_", "-"): value for name, value in metadata.items()}
        return self.generation(call=method, request=request or {}, metadata=named, timeout=timeout)


@contextmanager
def protobuf(at: Bridge | None = None) -> Iterator[Protobuf]:
    """Run it, with a channel to a bridge or without."""
    where = [at.address, at.roots] if at else []
    command = [python(), "-I", str(SCRIPTS / "protobuf.py"), *where]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    ) as process:
        yield Protobuf(process)
        assert process.stdin
        process.stdin.close()
