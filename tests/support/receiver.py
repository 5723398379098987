"""A real HTTP server that takes webhooks as their receivers do: with the package `standardwebhooks`."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


@dataclass(frozen=True)
class Received:
    """One POST whose signature was verified."""

    webhook_id: str
    size: int
    signatures: int
    body: dict[str, Any]


@dataclass
class Receiver:
    """Verifies what it gets, and answers as told: the first statuses in turn, then `then`."""

    secret: str
    statuses: list[int] = field(default_factory=list)
    then: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Why a POST was not taken for genuine."""
    url: str = ""

    def take(self, headers: dict[str, str], body: bytes) -> int:
        try:
            document = Webhook(self.secret).verify(body, headers)
        except Exception as error:
            self.refused.append(repr(error))
            return 400
        signatures = len(headers["webhook-signature"].split())
        self.received.append(Received(headers["webhook-id"], len(body), signatures, document))
        return self.statuses.pop(0) if self.statuses else self.then

    def types(self) -> Sequence[str]:
        """What was announced, in the order in which it came."""
        return [delivery.body["type"] for delivery in self.received]


@contextmanager
def receiving(receiver: Receiver) -> Iterator[Receiver]:
    """The receiver, serving on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(receiver.take(headers, body))
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook?token=t"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
