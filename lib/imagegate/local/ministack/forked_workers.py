"""Starts Lambda workers as forks of a process that has loaded the function (`fork_server`).

MiniStack starts an interpreter for each worker, which then loads botocore, FastAPI, pydantic and the function: nearly
all the processor time of a cold start, and thirty at once take half a minute on two processors. A fork has them.
"""

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime

from imagegate.local.ministack.forked_process import ForkedProcess, read_number

_SERVER = Path(__file__).with_name("fork_server.py")
_LAYERS = "_LAMBDA_LAYERS_DIRS"
_OF_ONE_WORKER = (_LAYERS, "LAMBDA_TASK_ROOT", "AWS_LAMBDA_LOG_STREAM_NAME")


@dataclass(frozen=True, kw_only=True)
class Function:
    """What a template loads: two workers with equal ones can be forks of one template."""

    module: str
    code: str
    """The digest of the function's zip."""
    layers: tuple[str, ...]
    """Folders with its layers' packages, the first to look in first; they outlive its workers."""
    env: tuple[tuple[str, str], ...]
    """Variables that are the same for all its workers."""

    @classmethod
    def of(cls, worker: Any, env: Mapping[str, str]) -> "Function":
        """The function of a MiniStack worker, with the worker's environment."""
        layers = [os.path.realpath(Path(folder, "python")) for folder in env.get(_LAYERS, "").split(os.pathsep)]
        return cls(
            module=worker.config["Handler"].rpartition(".")[0].replace("/", "."),
            code=hashlib.sha256(worker.code_zip).hexdigest(),
            layers=tuple(folder for folder in reversed(layers) if os.path.isdir(folder)),
            env=tuple(sorted((name, value) for name, value in env.items() if name not in _OF_ONE_WORKER)),
        )


class Forking:
    """A process that forks, and the way to ask it. Safe for threads."""

    def __init__(self, door: socket.socket) -> None:
        self._lock, self._door = threading.Lock(), door

    def fork(self, streams: Sequence[int], start: Mapping[str, Any]) -> tuple[int, int] | None:
        """Start a process with these standard streams that does what `start` says; None when this one has died.

        Returns:
            Its process id, and the pipe from which its exit status can be read once; it does not block.
        """
        (status, theirs_status), (theirs_settings, settings_pipe) = os.pipe(), os.pipe()
        with self._lock, suppress(OSError):
            socket.send_fds(self._door, [b"f"], [*streams, theirs_status, theirs_settings])
        os.close(theirs_status)
        os.close(theirs_settings)
        pid = read_number(status)
        # The pipe is broken when the process has ended, as its status tells.
        with suppress(BrokenPipeError), os.fdopen(settings_pipe, "w") as file:
            json.dump(start, file)
        if pid is None:
            os.close(status)
            return None
        os.set_blocking(status, False)
        return pid, status

    def close(self) -> None:
        """End the process; its forks go on until their streams end."""
        self._door.close()


class ForkServer:
    """The first process that forks, and a template for each function, started when they are needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._first: Forking | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._templates: dict[str, tuple[Function, Forking]] = {}

    def start(self) -> Forking:
        """Start the first process, which loads the packages meanwhile."""
        ours, theirs = socket.socketpair()
        with theirs:
            # -P: modules beside the script have names of the standard library's.
            command = [sys.executable, "-P", str(_SERVER), str(theirs.fileno())]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])  # noqa: S603
        self._first = Forking(ours)
        return self._first

    def close(self) -> None:
        """End all processes; the workers go on until their streams end."""
        with self._lock:
            for _, template in self._templates.values():
                template.close()
            self._templates.clear()
            self._end_first()

    def _end_first(self) -> None:
        if self._first and self._process:
            self._first.close()
            self._process.wait()
            self._first = None

    def fork_worker(
        self, function: Function | None, streams: Sequence[int], start: Mapping[str, Any]
    ) -> tuple[int, int]:
        """Start a worker, as `Forking.fork` does: from the function's template, or from the first process when there is
        no function or the template could not load it, so that the worker itself tells why.

        Raises:
            RuntimeError: the first process has died twice.
        """
        if function:
            if forked := self._template(function, start).fork(streams, start):
                return forked
            self._forget(function)
        with self._lock:
            return self._fork_first(streams, start)

    def _forget(self, function: Function) -> None:
        """Have the next worker of the function try a template again."""
        with self._lock:
            for name, (known, template) in list(self._templates.items()):
                if known == function:
                    template.close()
                    del self._templates[name]

    def _template(self, function: Function, start: Mapping[str, Any]) -> Forking:
        name = start["env"].get("AWS_LAMBDA_FUNCTION_NAME", "")
        with self._lock:
            if name in self._templates:
                known, template = self._templates[name]
                if known == function:
                    return template
                template.close()
            ours, theirs = socket.socketpair()
            path = [*function.layers, start["cwd"]]
            with theirs, open(os.devnull, "w") as nothing:
                streams = [theirs.fileno(), nothing.fileno(), nothing.fileno()]
                _, status = self._fork_first(streams, {**start, "module": function.module, "path": path})
            os.close(status)
            self._templates[name] = function, Forking(ours)
            return self._templates[name][1]

    def _fork_first(self, streams: Sequence[int], start: Mapping[str, Any]) -> tuple[int, int]:
        for _ in range(2):
            first = self._first or self.start()
            if forked := first.fork(streams, start):
                return forked
            self._end_first()
        raise RuntimeError("the process that starts Lambda workers has died")


class _Subprocess:
    """The module `subprocess` as MiniStack sees it, which starts Python workers as forks."""

    def __init__(self, server: ForkServer, spawning: threading.local) -> None:
        self._server, self._spawning = server, spawning

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)

    def Popen(self, command: list[str], **options: Any) -> Any:
        if command[0] != sys.executable:
            return subprocess.Popen(command, **options)  # noqa: S603
        start = {"script": command[1], "cwd": options["cwd"], "env": dict(options["env"])}
        function = Function.of(self._spawning.worker, start["env"])
        return ForkedProcess(lambda streams: self._server.fork_worker(function, streams, start))


def mend() -> None:
    """Have MiniStack start Python workers as forks from now on; call it once."""
    server, spawning = ForkServer(), threading.local()
    server.start()
    spawn = lambda_runtime.Worker._spawn

    def spawn_fork(worker: Any) -> None:
        spawning.worker = worker
        spawn(worker)

    lambda_runtime.Worker._spawn = spawn_fork
    lambda_runtime.subprocess = _Subprocess(server, spawning)
