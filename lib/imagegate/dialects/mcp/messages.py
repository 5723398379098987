"""Messages of JSON-RPC 2.0, and the protocol's versions (docs/protocols/mcp.md)."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from imagegate.dialects.parsing import parse_document
from imagegate.dialects.response import ApiResponse
from imagegate.domain.errors import InvalidRequest

PARSE_ERROR, INVALID_MESSAGE, UNKNOWN_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602
RESOURCE_NOT_FOUND = -32002
"""Of versions before 2026-07-28, which has INVALID_PARAMS in its place."""
HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022

LATEST = "2026-07-28"
"""Each of its requests says its version and its client's capabilities."""
WITH_HANDSHAKE = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
"""Versions whose clients say so once, in `initialize`; the newest first."""
UNSAID = "2025-03-26"
"""The version of a request that names none."""
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
SERVER_KEY = "io.modelcontextprotocol/serverInfo"
_NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""Methods whose requests repeat a parameter in the header `Mcp-Name`."""
_ENCODED, _END = "=?base64?", "?="
_MOST_MESSAGES = 20
_WORK = ("tools/call", "resources/read")
"""Methods whose answers may be large, or that start something: one request of HTTP has one of them."""


class RpcError(Exception):
    """An error of the protocol. `status`: of HTTP, in every version; `None` where the version decides."""

    def __init__(self, code: int, message: str, *, data: Any = None, status: int | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data, self.status = code, message, data, status


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcMessage:
    """A request or a notification."""

    id: str | int | None
    """`None` for a notification, which is not answered."""
    method: str
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def meta(self) -> Mapping[str, Any]:
        """What the protocol itself says in the parameters."""
        found = self.params.get("_meta")
        return found if isinstance(found, dict) else {}


def parse_body(body: bytes, largest: int) -> tuple[list[dict[str, Any]], bool]:
    """The messages of a body, unchecked, and whether they came as a batch.

    Raises RpcError, and TooLarge for more than `largest` bytes.
    """
    is_batch = body.lstrip()[:1] == b"["
    try:
        document = parse_document(b'{"batch":' + body + b"}" if is_batch else body, largest)
    except InvalidRequest as error:
        raise RpcError(PARSE_ERROR, error.message, status=400) from None
    batch = document["batch"] if is_batch else [document]
    if not 0 < len(batch) <= _MOST_MESSAGES or not all(isinstance(each, dict) for each in batch):
        raise RpcError(INVALID_MESSAGE, f"A batch has 1 to {_MOST_MESSAGES} JSON objects.", status=400)
    if is_batch and sum(each.get("method") in _WORK for each in batch) > 1:
        raise RpcError(INVALID_MESSAGE, f"A batch has one of {' and '.join(_WORK)}: send the others alone.", status=400)
    return batch, is_batch


def parse_message(document: Mapping[str, Any]) -> RpcMessage | None:
    """Check a message; `None` for a response, to which there is nothing to say. Raises RpcError."""
    identity, method, params = document.get("id"), document.get("method"), document.get("params", {})
    if document.get("jsonrpc") != "2.0":
        raise RpcError(INVALID_MESSAGE, "A message has `jsonrpc`: '2.0'.", status=400)
    if method is None and ("result" in document or "error" in document):
        return None
    if not isinstance(method, str) or not method:
        raise RpcError(INVALID_MESSAGE, "A message has a `method`, which is a text.", status=400)
    if "id" in document and not is_id(identity):
        raise RpcError(INVALID_MESSAGE, "The `id` of a request is a text or a whole number.", status=400)
    if not isinstance(params, dict):
        raise RpcError(INVALID_PARAMS, "`params` is an object.", status=400)
    return RpcMessage(id=identity, method=method, params=params)


def is_id(value: Any) -> bool:
    """True for what can be the id of a request."""
    return isinstance(value, str | int) and not isinstance(value, bool)


def version_of(message: RpcMessage, headers: Mapping[str, str]) -> str:
    """The version that a request is in. Raises RpcError where it is not supported, or headers and body differ."""
    header, version_in_body = headers.get("mcp-protocol-version"), message.meta.get(VERSION_KEY)
    if version_in_body is None and (header is None or header in WITH_HANDSHAKE or message.method == "initialize"):
        return header if header in WITH_HANDSHAKE else UNSAID
    version = version_in_body if version_in_body is not None else header
    if message.id is None:
        _require_supported(version)
        return LATEST
    if header is None or (version_in_body is not None and header != version_in_body):
        raise _mismatch("MCP-Protocol-Version", header, version_in_body)
    _require_supported(version)
    if version_in_body is None or not isinstance(message.meta.get(CAPABILITIES_KEY), dict):
        missing = VERSION_KEY if version_in_body is None else CAPABILITIES_KEY
        raise RpcError(INVALID_PARAMS, f"`params._meta` has no valid '{missing}'.", status=400)
    _check_headers(message, headers)
    return LATEST


def _require_supported(version: Any) -> None:
    if version != LATEST:
        # Only those without a handshake, as `server/discover` lists them: others begin with `initialize`.
        data = {"supported": [LATEST], "requested": version}
        raise RpcError(UNSUPPORTED_VERSION, "Unsupported protocol version", data=data, status=400)


def _check_headers(message: RpcMessage, headers: Mapping[str, str]) -> None:
    """Raises RpcError where the headers by which proxies route a request differ from it."""
    if (method := headers.get("mcp-method")) != message.method:
        raise _mismatch("Mcp-Method", method, message.method)
    if parameter := _NAMED.get(message.method):
        name, value = headers.get("mcp-name"), message.params.get(parameter)
        if name is None or _decode(name) != value:
            raise _mismatch("Mcp-Name", name, value)


def _decode(value: str) -> str | None:
    """A header's value, which is in base64 where it is no ASCII; `None` where it is damaged."""
    if not (value.startswith(_ENCODED) and value.endswith(_END)):
        return value
    try:
        return base64.b64decode(value[len(_ENCODED) : -len(_END)], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _mismatch(header: str, value: str | None, expected: Any) -> RpcError:
    problem = "is missing" if value is None else f"is {value[:100]!r}, and the body says {str(expected)[:100]!r}"
    return RpcError(HEADER_MISMATCH, f"The header {header} {problem}.", status=400)


def render_result(message: RpcMessage, result: Mapping[str, Any], version: str) -> dict[str, Any]:
    """The response to a request."""
    kind = {"resultType": "complete"} if version == LATEST else {}
    return {"jsonrpc": "2.0", "id": message.id, "result": {**kind, **result}}


def render_error(identity: Any, error: RpcError) -> dict[str, Any]:
    """The response that says what is wrong; without an id where the request has no valid one."""
    known = {"id": identity} if is_id(identity) else {}
    data = {} if error.data is None else {"data": error.data}
    return {"jsonrpc": "2.0", **known, "error": {"code": error.code, "message": error.message, **data}}


def to_answer(response: Mapping[str, Any], error: RpcError | None, version: str) -> ApiResponse:
    """The response over HTTP: until 2026-07-28, what is wrong with a valid request is said with 200."""
    status = 200
    if error:
        by_version = (404 if error.code == UNKNOWN_METHOD else 400) if version == LATEST else 200
        status = error.status or by_version
    return ApiResponse(status, response)
