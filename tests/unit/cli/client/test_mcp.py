"""`imagegate mcp`: messages on standard input, answers on standard output, and a gateway between."""

import base64
import json
import queue
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from imagegate.cli.client.connection import Connection
from imagegate.cli.client.gateway import GatewayClient
from imagegate.cli.client.mcp import StdioServer
from support.cli_gateway import CliGateway

LATEST = "2026-07-28"
META = {"io.modelcontextprotocol/protocolVersion": LATEST, "io.modelcontextprotocol/clientCapabilities": {}}


class Desktop:
    """A client that has started the command."""

    def __init__(self, url: str, key: str = "") -> None:
        self.lines: queue.Queue[bytes | None] = queue.Queue()
        self.answers: queue.Queue[Any] = queue.Queue()
        self._client = GatewayClient(Connection(url=url, key=key), sleep=lambda seconds: None)
        server = StdioServer(self._client, lambda line: self.answers.put(json.loads(line)))
        self._thread = threading.Thread(target=server.run, args=(iter(self.lines.get, None),))
        self._thread.start()

    def write(self, message: Any) -> None:
        self.lines.put(message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n")

    def ask(self, method: str, params: Any = None, identity: Any = 1) -> Any:
        message = {"jsonrpc": "2.0", "id": identity, "method": method}
        self.write(message if params is None else {**message, "params": params})
        return self.answers.get(timeout=30)

    def close(self) -> list[Any]:
        """End standard input; the answers that were not read."""
        self.lines.put(None)
        self._thread.join(30)
        assert not self._thread.is_alive()
        self._client.__exit__()
        return [self.answers.get() for _ in range(self.answers.qsize())]


@pytest.fixture
def desktop(closed: CliGateway) -> Iterator[Desktop]:
    made = Desktop(closed.url, closed.made.key()[1])
    yield made
    made.close()


def test_a_handshake_and_a_picture(desktop: Desktop) -> None:
    asked = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "d", "version": "1"}}
    found = desktop.ask("initialize", asked, "first")
    assert (found["id"], found["result"]["protocolVersion"]) == ("first", "2025-06-18")
    desktop.write({"jsonrpc": "2.0", "method": "notifications/initialized"})
    made = desktop.ask("tools/call", {"name": "generate_image", "arguments": {"prompt": "a fox"}})["result"]
    assert made["structuredContent"]["state"] == "succeeded", "the version of the handshake has structured content"
    assert desktop.ask("prompts/list")["error"]["code"] == -32601


def test_a_client_of_the_latest_version_needs_no_handshake(desktop: Desktop) -> None:
    found = desktop.ask("server/discover", {"_meta": META})
    assert found["result"]["supportedVersions"] == [LATEST]
    listed = desktop.ask("tools/call", {"_meta": META, "name": "list_models", "arguments": {}}, 2)
    assert (listed["id"], listed["result"]["resultType"]) == (2, "complete")
    unknown = desktop.ask("resources/read", {"_meta": META, "uri": "imagegate://images/ü"}, 3)
    assert (unknown["id"], unknown["error"]["code"]) == (3, -32602)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"nonsense\n", -32700),
        (b"[" * 100_000 + b"\n", -32700),
        (b"5\n", -32600),
        (b"\xff\n", -32700),
        (b'{"id": 1, "method": "tools/call", "params": {"name": "\\ud800"}}\n', -32600),
    ],
)
def test_a_line_that_is_no_message_is_answered_and_the_next_one_too(desktop: Desktop, line: bytes, code: int) -> None:
    desktop.write(line)
    assert desktop.answers.get(timeout=30)["error"]["code"] == code
    desktop.write(b"\n")
    assert desktop.ask("ping")["result"] == {}


def test_answers_come_as_they_are_ready_and_none_after_its_request_was_cancelled() -> None:
    held = threading.Event()
    desktop = Desktop("http://127.0.0.1:9")

    def slowly(path: str, body: bytes, headers: Any) -> httpx.Response:
        message = json.loads(body)
        if message["method"] == "slow":
            held.wait(30)
        return httpx.Response(200, json={"jsonrpc": "2.0", "id": message["id"], "result": {}})

    desktop._client.forward = slowly  # type: ignore[method-assign]
    desktop.write({"jsonrpc": "2.0", "id": 1, "method": "slow"})
    desktop.write({"jsonrpc": "2.0", "id": 2, "method": "slow"})
    assert desktop.ask("ping", identity=3)["id"] == 3
    desktop.write({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})
    assert desktop.ask("ping", identity=4)["id"] == 4
    held.set()
    assert [answer["id"] for answer in desktop.close()] == [2]


def test_without_a_key_the_client_is_told_how_to_log_in(closed: CliGateway) -> None:
    desktop = Desktop(closed.url)
    error = desktop.ask("tools/list", identity=8)
    assert (error["id"], error["error"]["code"]) == (8, 401)
    assert f"login {closed.url}" in error["error"]["message"]
    assert desktop.close() == []


def test_where_no_gateway_answers_each_request_is_told_so() -> None:
    desktop = Desktop("http://127.0.0.1:9")
    error = desktop.ask("initialize", {}, 5)
    assert (error["id"], error["error"]["code"]) == (5, -32603)
    assert "No gateway answers at http://127.0.0.1:9" in error["error"]["message"]
    desktop.close()


def test_a_server_that_is_no_gateway_is_named() -> None:
    desktop = Desktop("http://127.0.0.1:9")
    pages = {"page": httpx.Response(404, text="<html>"), "json": httpx.Response(503, json={"message": "Unavailable"})}
    desktop._client.forward = lambda path, body, headers: pages[json.loads(body)["method"]]  # type: ignore[method-assign]
    for method, advice in (("page", "HTTP 404. Check the gateway's URL."), ("json", "HTTP 503. Try again.")):
        assert desktop.ask(method)["error"]["message"].endswith(advice)
    desktop.close()


def test_an_answer_that_nobody_foresaw_leaves_no_request_waiting() -> None:
    desktop = Desktop("http://127.0.0.1:9")
    odd = {"jsonrpc": "2.0", "id": 5}  # without the error that its status announces
    desktop._client.forward = lambda path, body, headers: httpx.Response(401, json=odd)  # type: ignore[method-assign]
    error = desktop.ask("tools/list", identity=5)
    assert (error["id"], error["error"]["code"]) == (5, -32603)
    desktop.close()


def test_what_is_repeated_after_a_lost_answer_is_one_order(closed: CliGateway) -> None:
    """The gateway gets the same Idempotency-Key again."""
    desktop, lost = Desktop(closed.url, closed.made.key()[1]), []
    before, send = len(closed.made.store.documents), desktop._client._http.send

    def lossy(request: httpx.Request, **options: Any) -> httpx.Response:
        answer = send(request, **options)
        if not lost:
            lost.append(answer)
            raise httpx.ReadError("lost")
        return answer

    desktop._client._http.send = lossy  # type: ignore[method-assign]
    call = {"name": "generate_image", "arguments": {"prompt": "a fox"}}
    assert desktop.ask("tools/call", call)["result"]["content"]
    assert (len(lost), len(closed.made.store.documents) - before) == (1, 1)
    desktop.close()


def test_names_that_are_no_ascii_are_encoded_in_the_header(desktop: Desktop) -> None:
    seen = list[dict[str, str]]()
    forward = desktop._client.forward

    def noted(path: str, body: bytes, headers: Any) -> httpx.Response:
        seen.append(dict(headers))
        return forward(path, body, headers)

    desktop._client.forward = noted  # type: ignore[method-assign]
    desktop.ask("tools/call", {"_meta": META, "name": "fuchs-ü", "arguments": {}})
    encoded = base64.b64encode("fuchs-ü".encode()).decode()
    assert (seen[0]["mcp-method"], seen[0]["mcp-name"]) == ("tools/call", f"=?base64?{encoded}?=")
