"""Self-hosted servers that speak OpenAI's Images API, as LocalAI and vLLM do; they draw stripes."""

import base64
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Literal

from PIL import Image


@dataclass
class OwnServer:
    """What it is like, and what it was sent."""

    urls: bool = False
    """It answers with an address on itself, as LocalAI does; otherwise with base64, as vLLM does."""
    odd: Literal["", "task", "events"] = ""
    """It answers with a task that is done at the second poll, or with a stream of events."""
    key: str = ""
    """The bearer token that it asks for."""
    base_url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    pictures: int = 0
    polls: int = 0
    pictures_at: str = ""
    """The host with its port that its addresses of pictures name; its own if empty."""
    redirects_to: str = ""
    """Where it sends those who order a picture."""


@contextmanager
def own_server(urls: bool = False, key: str = "") -> Iterator[OwnServer]:
    """A server on a free port."""
    server = OwnServer(urls, key=key)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if server.key and self.headers.get("authorization") != f"Bearer {server.key}":
                return self.answer(401, {"error": {"message": "Invalid key"}})
            if server.redirects_to:
                self.send_response(307)
                self.send_header("location", f"{server.redirects_to}/images/generations")
                self.send_header("content-length", "0")
                return self.end_headers()
            server.bodies.append(json.loads(body))
            if not server.urls and server.bodies[-1].get("response_format", "b64_json") != "b64_json":
                return self.answer(
                    400, {"error": {"message": "Only response_format b64_json is supported", "code": 400}}
                )
            host = server.pictures_at or self.headers["host"]
            link = {"url": f"http://{host}/generated-images/{len(server.bodies)}.png"}
            datum = link if server.urls else {"b64_json": base64.b64encode(stripes()).decode()}
            if server.odd == "task":
                return self.answer(200, {"id": "task-1", "object": "image.generation.task", "status": "pending"})
            if server.odd == "events":
                event = json.dumps({"type": "image_generation.completed", **datum})
                return self.send(200, "text/event-stream", f"data: {event}\n\ndata: [DONE]\n\n".encode())
            return self.answer(200, {"created": 1, "data": [datum]})

        def do_GET(self) -> None:
            if self.path.startswith("/generated-images/"):
                server.pictures += 1
                return self.send(200, "image/png", stripes())
            if self.path == "/v1/tasks/task-1":
                server.polls += 1
                results = [f"http://{self.headers['host']}/generated-images/task.png"]
                return self.answer(
                    200, {"status": "completed", "results": results} if server.polls > 1 else {"status": "pending"}
                )
            return self.answer(200, {"object": "list", "data": [{"id": "sdxl", "object": "model"}]})

        def answer(self, status: int, document: Any) -> None:
            self.send(status, "application/json", json.dumps(document).encode())

        def send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *text: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.base_url = f"http://127.0.0.1:{listening.server_port}/v1"
    Thread(target=listening.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()


def stripes() -> bytes:
    """A PNG that is not blank."""
    image = Image.linear_gradient("L").convert("RGB")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
