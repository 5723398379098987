"""`imagegate mcp`: a gateway's MCP endpoint for desktop clients, which start a program and speak to it over stdio."""

import base64
import json
import secrets
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from imagegate.cli.client.connection import ProfileName, Url
from imagegate.cli.client.exits import CommandError
from imagegate.cli.client.session import gateway
from imagegate.cli.sentences import command, hint, printable

if TYPE_CHECKING:
    import httpx

    from imagegate.cli.client.gateway import GatewayClient

_AT_ONCE = 16
"""Requests under way; the others wait."""
_PARSE_ERROR, _INVALID, _INTERNAL = -32700, -32600, -32603
_VERSION = "io.modelcontextprotocol/protocolVersion"
_NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}


def mcp(url: Url = "", profile: ProfileName = "") -> None:
    """Give a gateway's tools to an MCP client.

    The client starts this command and speaks with it on standard input and output.
    """
    with gateway(url, profile) as client:
        if sys.stdin.isatty():
            hint(f"Waiting for an MCP client on standard input, for {client.connection.url}. Ctrl-C ends it.")
        StdioServer(client, _write).run(sys.stdin.buffer)


class StdioServer:
    """Passes each message on to the gateway, and its answer back. It keeps nothing but the version of a handshake."""

    def __init__(self, client: "GatewayClient", write: Callable[[bytes], None]) -> None:
        self._client, self._write = client, write
        self._version: str | None = None
        self._cancelled = set[Any]()
        self._writing = threading.Lock()

    def run(self, lines: Iterable[bytes]) -> None:
        """Answer every message, several at once, until there are no more lines."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for line in lines:
                if line.strip():
                    self._take(line, pool)

    def _take(self, line: bytes, pool: ThreadPoolExecutor) -> None:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            self._say(_error(None, _PARSE_ERROR, "The line is not JSON."))
            return
        if isinstance(message, dict) and "id" not in message:
            self._notice(message)
        elif isinstance(message, dict | list):
            pool.submit(self._answer, message)
        else:
            self._say(_error(None, _INVALID, "A message is a JSON object."))

    def _notice(self, message: Mapping[str, Any]) -> None:
        """Take a notification. Only this one means anything to a server that keeps no state."""
        params = message.get("params")
        if message.get("method") == "notifications/cancelled" and isinstance(params, dict):
            self._cancelled.add(str(params.get("requestId")))

    def _answer(self, message: Any) -> None:
        identity = message.get("id") if isinstance(message, dict) else None
        try:
            response = self._client.forward("/mcp", json.dumps(message).encode(), self._headers(message))
            answer = self._read(response, identity)
        except CommandError as error:
            answer = _error(identity, _INTERNAL, str(error))
        except UnicodeEncodeError:
            answer = _error(identity, _INVALID, "A name in the message is no text.")
        except Exception as error:  # a client waits for an answer, and what a thread raises is seen nowhere
            answer = _error(identity, _INTERNAL, f"The answer could not be passed on: {error!r}")
        result = answer.get("result") if isinstance(answer, dict) else None
        if isinstance(message, dict) and message.get("method") == "initialize" and isinstance(result, dict):
            self._version = result.get("protocolVersion")
        if answer and str(identity) not in self._cancelled:
            self._say(answer)
        self._cancelled.discard(str(identity))

    def _headers(self, message: Any) -> dict[str, str]:
        """What the protocol wants over HTTP. The key makes a repetition after a broken connection safe."""
        headers = {
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            "idempotency-key": secrets.token_hex(16),
        }
        params = message.get("params") if isinstance(message, dict) else None
        params = params if isinstance(params, dict) else {}
        meta = params.get("_meta")
        version = meta.get(_VERSION) if isinstance(meta, dict) else None
        if not version:
            return {**headers, "mcp-protocol-version": self._version} if self._version else headers
        headers |= {"mcp-protocol-version": _encode(version), "mcp-method": _encode(message.get("method"))}
        name = params.get(_NAMED.get(str(message.get("method")), ""))
        return headers if name is None else {**headers, "mcp-name": _encode(name)}

    def _read(self, response: "httpx.Response", identity: Any) -> Any:
        """The gateway's answer as an answer to this message."""
        if response.status_code == 202:
            return {}
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if isinstance(answer, list):
            return answer
        if not (isinstance(answer, dict) and "jsonrpc" in answer):
            where = self._client.connection.url
            status = response.status_code
            text = f"{where} has no MCP endpoint: it answered HTTP {status}. Check the gateway's URL."
            if status >= 500:
                text = f"{where} is not able to answer: HTTP {status}. Try again."
            return _error(identity, _INTERNAL, text)
        if response.status_code == 401:
            advice = f"Set IMAGEGATE_API_KEY, or run '{command()} login {self._client.connection.url}'."
            return _error(identity, response.status_code, f"{answer['error']['message']} {advice}")
        return answer if identity is None else {**answer, "id": identity}

    def _say(self, answer: Any) -> None:
        with self._writing:
            self._write(json.dumps(answer, separators=(",", ":")).encode() + b"\n")


def _encode(value: Any) -> str:
    """A value as a header has it: in base64 where it is no plain ASCII."""
    text = str(value)
    if text.isascii() and text.isprintable() and text == text.strip() and not text.startswith("=?base64?"):
        return text
    return f"=?base64?{base64.b64encode(text.encode()).decode()}?="


def _error(identity: Any, code: int, message: str) -> dict[str, Any]:
    known = {} if identity is None else {"id": identity}
    return {"jsonrpc": "2.0", **known, "error": {"code": code, "message": printable(message)}}


def _write(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
