"""YandexART's gRPC on loopback, over any imagegate: what `imagegate bridge yandex` runs."""

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass

import grpc
import httpx

from imagegate.bridge.calls import Say
from imagegate.bridge.certificate import Certificate
from imagegate.bridge.gateway import Gateway
from imagegate.bridge.services import add_services
from imagegate.bridge.text import TextSource, text_model
from imagegate.domain.errors import MisconfiguredError

HOST = "127.0.0.1"
_GRACE = 2.0
"""Seconds that calls under way get when it stops."""
_OPTIONS = (("grpc.so_reuseport", 0),)  # otherwise two bridges would share a port
_DIRECT = {f"all://{host}": None for host in (HOST, "localhost")}
_CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """What to bridge, and where."""

    base_url: str
    """imagegate's."""
    port: int
    """0 for any free one."""
    certificate: Certificate | None
    """None: without TLS."""
    text: TextSource | None = None

    async def serve(self, say: Say, ready: Callable[[str], None]) -> None:
        """Serve until SIGINT or SIGTERM; `ready` is told the address.

        Raises:
            MisconfiguredError: another process has the port, or it is not for this user.
        """
        # The deadlines of calls bound the waiting (calls.py); loopback is never behind a proxy.
        timeout = httpx.Timeout(None, connect=_CONNECT_SECONDS)
        async with httpx.AsyncClient(timeout=timeout, mounts=_DIRECT) as http:
            server = grpc.aio.server(options=_OPTIONS)
            address = f"{HOST}:{self._listen(server)}"
            add_services(server, address, Gateway(http, self.base_url), text_model(http, self.text), say)
            interrupted = _interruption()
            await server.start()
            try:
                ready(address)
                await interrupted.wait()
            finally:
                await server.stop(_GRACE)

    def _listen(self, server: grpc.aio.Server) -> int:
        address = f"{HOST}:{self.port}"
        try:
            if self.certificate is None:
                return int(server.add_insecure_port(address))
            credentials = grpc.ssl_server_credentials([(self.certificate.pem, self.certificate.pem)])
            return int(server.add_secure_port(address, credentials))
        except RuntimeError as error:
            raise MisconfiguredError(f"{address} is taken, or not for this user. Give another --port.") from error


def _interruption() -> asyncio.Event:
    """The event that a signal to end sets. It is ready before the bridge says that Ctrl-C ends it."""
    interrupted = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(signum, interrupted.set)
    return interrupted
