"""Serves an ASGI app on loopback for as long as a `with` block lasts; for tests and short-lived tools."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

START_STOP_SECONDS = 10.0
"""Seconds a server may take to start or to stop."""


@contextmanager
def serving(app: ASGIApp, port: int = 0, certificate: Path | None = None) -> Iterator[str]:
    """Run the app in a thread on 127.0.0.1 (port 0: a free one) and give its base URL, without a final slash.

    `certificate`: a PEM file with certificate and private key, for https.
    """
    # asyncio switches Nagle's algorithm off only where a socket names TCP; with it, every answer takes 40 ms more.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        # Streams that heartbeat for ever must not hold up the end of a test.
        config = uvicorn.Config(
            app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1, ssl_certfile=certificate
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        wait_until_started(server, thread)
        try:
            yield f"http{'s' if certificate else ''}://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(START_STOP_SECONDS)


def wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    """Return when the server answers; raise when it died or takes too long."""
    deadline = time.monotonic() + START_STOP_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the server on loopback did not start")
        time.sleep(0.005)
