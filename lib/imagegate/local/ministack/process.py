"""Starts, watches and stops MiniStack as a child process."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from imagegate.local.ports import PortTaken, listen, port_of
from imagegate.local.state_folder import StateFolder

REGION = "us-east-1"
"""The region the embedded stack pretends to be in."""

_STOP_SECONDS = 8.0
_POLL_SECONDS = 0.02
_UNREADABLE_STATE = 3


class MiniStackError(Exception):
    """MiniStack did not start; the message says why, and what a user can do."""


@dataclass(kw_only=True)
class MiniStackProcess:
    """One MiniStack child process on 127.0.0.1, with its state in `folder`.

    Its port is taken before it starts, so that no other program can answer in its place.
    """

    folder: StateFolder
    listener: socket.socket | None
    """Listens on the process's port; closed here once the process has it, or at the stop."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Additional variables of the process, which the Lambda workers inherit."""
    picture_origins: frozenset[str] = frozenset()
    """Origins whose pages may read pictures, from their presigned URLs."""
    upload_origins: Mapping[str, str] = field(default_factory=dict)
    """Origins whose pages may send signed forms, in lower case, and what the bucket's rules call each of them."""
    port: int = field(init=False)
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        assert self.listener
        self.port = port_of(self.listener)

    @property
    def endpoint(self) -> str:
        """The URL for `endpoint_url` of AWS clients."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id; None before the start and after the stop."""
        return self._child.pid if self._child else None

    def start(self, deadline_seconds: float = 60.0) -> None:
        """Start the process and return when it answers.

        Raises:
            MiniStackError: it ended instead, or did not answer in time.
        """
        shutil.rmtree(self.folder.workers, ignore_errors=True)  # what a killed one left
        self.folder.workers.mkdir(mode=0o700, parents=True)
        self._child = self._spawn()
        try:
            self._wait_until_ready(time.monotonic() + deadline_seconds)
        except BaseException:
            self.stop()
            raise

    def resume(self) -> None:
        """Go on with the workflow executions that the last stop or death interrupted."""
        if self._child and self._child.stdin:
            with contextlib.suppress(BrokenPipeError):  # dead again; the next start finds them still
                self._child.stdin.write(b"resume\n")
                self._child.stdin.flush()

    def died(self) -> int | None:
        """The exit status when the process has ended by itself (negative: the signal), else None."""
        return self._child.poll() if self._child else None

    def stop(self) -> None:
        """Ask the process to save its state and end; kill it when it does not within seconds."""
        self._release_port()
        if self._child is None:
            return
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(_STOP_SECONDS)
        self._kill_group(self._child)
        self._child = None

    def _spawn(self) -> subprocess.Popen[bytes]:
        # Its standard input stays open as long as this process lives, and tells it when that ends. A session
        # of its own keeps the terminal's Ctrl-C away: we stop it when everything before it has stopped.
        listener = self._take_port()
        with self.folder.open_log() as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "imagegate.local.ministack.main"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self._variables(listener),
                pass_fds=[listener.fileno()],
                start_new_session=True,
                umask=0o077,
            )
        self._release_port()
        return child

    def _take_port(self) -> socket.socket:
        """The port's socket; that of a second process is a new one."""
        try:
            self.listener = self.listener or listen(self.port)
        except PortTaken as taken:
            raise MiniStackError(f"{taken} by another program meanwhile") from None
        return self.listener

    def _release_port(self) -> None:
        if self.listener:
            self.listener.close()
        self.listener = None

    def _variables(self, listener: socket.socket) -> dict[str, str]:
        # AWS_* of the user (a profile, an endpoint) must not reach the emulated account's functions.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        loopback = "127.0.0.1,localhost"
        return inherited | {
            "AUTH": "true",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_REGION": REGION,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.folder.state),
            "IMAGEGATE_LISTENER": str(listener.fileno()),
            "IMAGEGATE_SNAPSHOT": str(self.folder.snapshot),
            "IMAGEGATE_FUNCTIONS_LOG": str(self.folder.functions_log),
            "IMAGEGATE_ROOT_KEY": str(self.folder.root_key),
            "IMAGEGATE_PICTURE_ORIGINS": ",".join(sorted(self.picture_origins)),
            "IMAGEGATE_UPLOAD_ORIGINS": json.dumps(dict(self.upload_origins)),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.folder.objects),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "TMPDIR": str(self.folder.workers),
            "NO_PROXY": loopback,
            "no_proxy": loopback,
            **self.environment,
        }

    def _wait_until_ready(self, deadline: float) -> None:
        with httpx.Client(trust_env=False, timeout=5) as client:
            while not self._answers(client):
                if (status := self.died()) is not None:
                    raise MiniStackError(self._why(status))
                if time.monotonic() > deadline:
                    raise MiniStackError(f"MiniStack did not answer in time; its log is {self.folder.log}")
                time.sleep(_POLL_SECONDS)

    def _answers(self, client: httpx.Client) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return client.get(f"{self.endpoint}/_ministack/ready").is_success
        return False

    def _why(self, status: int) -> str:
        if status == _UNREADABLE_STATE:
            return (
                f"the saved state in {self.folder.state} cannot be read (the reason is at the end of "
                f"{self.folder.log}). Move {self.folder.root} away to begin with an empty one."
            )
        return f"MiniStack ended with status {status} at its start; the reason is in {self.folder.log}"

    def _kill_group(self, child: subprocess.Popen[bytes]) -> None:
        # The group holds the process and its Lambda workers, all ours; most often nothing is left of it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        if child.stdin:
            child.stdin.close()
