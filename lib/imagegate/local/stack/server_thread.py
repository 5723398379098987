"""Runs an ASGI application in a thread of this process."""

import socket
import threading
import time
from typing import Any

import uvicorn

from imagegate.local.ports import HOST, port_of

_START_SECONDS = 10.0
_GRACE_SECONDS = 1
_STOP_SECONDS = 5.0


class ServerThread:
    """One uvicorn server on 127.0.0.1."""

    def __init__(self, app: Any, listener: socket.socket, name: str) -> None:
        """`listener` has the server's port; `stop` closes it."""
        self._listener = listener
        self.port = port_of(listener)
        config = uvicorn.Config(
            app,
            lifespan="on",
            ws="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def url(self) -> str:
        """The server's base URL, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Start the thread and return when the server accepts connections."""
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError(f"the server {self._thread.name} did not start")
            time.sleep(0.005)

    def stop(self) -> None:
        """Stop accepting, give requests under way a moment, and return when the thread has ended."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(_STOP_SECONDS)
        self._listener.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._listener])
