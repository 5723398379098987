"""One exchange between API Gateway and a function: the request to MiniStack, and its answer, within AWS's limits."""

import json
import secrets
import time
from dataclasses import dataclass

import httpx

from imagegate.local.origin_policy import Receive, Scope

Headers = list[tuple[bytes, bytes]]

REQUEST_LIMIT_BYTES = 10 * 1024 * 1024
"""API Gateway's limit for a request body."""
UPLOAD_LIMIT_BYTES = 34 * 1024 * 1024
"""What S3 is sent at most: an upload with its form."""
LAMBDA_LIMIT_BYTES = 6_291_556
"""Lambda's limit for the JSON of a request, and of a response."""


_CONNECTION_HEADERS = {
    b"connection",
    b"content-length",
    b"expect",
    b"host",
    b"keep-alive",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
}
_OWN_HEADERS = ((b"content-type", b"application/json"), (b"x-content-type-options", b"nosniff"))
_TEXT_TYPES = ("application/json", "application/xml", "application/javascript")


@dataclass(frozen=True)
class GatewayResponse:
    """A complete HTTP answer."""

    status: int
    headers: Headers
    body: bytes


class Refusal(Exception):
    """API Gateway itself answers, with `status` and `{"message": …}`; `headers` besides where it is not on AWS."""

    def __init__(self, status: int, message: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers

    def answer(self) -> GatewayResponse:
        """The answer as API Gateway writes it."""
        body = json.dumps({"message": self.message}, separators=(",", ":")).encode()
        return GatewayResponse(self.status, [*_OWN_HEADERS, *self.headers], body)


class ClientGone(Exception):
    """The client closed the connection before it had sent its request."""


async def read_body(receive: Receive, limit: int = REQUEST_LIMIT_BYTES) -> bytes:
    """Return the request's body; one that is too long is read to its end, so that the client sees the answer.

    Raises:
        Refusal: it is longer than `limit`.
    """
    body, size, more = bytearray(), 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size <= limit:
            body += chunk
        more = message.get("more_body", False)
    if size > limit:
        raise Refusal(413, "Request Entity Too Large")
    return bytes(body)


def build_request(endpoint: str, prefix: str, scope: Scope, body: bytes) -> httpx.Request:
    """Return the request to MiniStack: path and query as they came, byte for byte.

    Raises:
        Refusal: it does not fit into a Lambda invocation.
    """
    headers = [(name, value) for name, value in scope["headers"] if name not in _CONNECTION_HEADERS]
    if _is_text(_value(headers, b"content-type")) and not _is_utf8(body):
        headers = [(name, value) for name, value in headers if name != b"content-type"]
    if _json_size(body, _value(headers, b"content-type")) + _size(headers) > LAMBDA_LIMIT_BYTES:
        raise Refusal(413, "Request Entity Too Large")
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    target = prefix.encode() + path + (b"?" + query if query else b"")
    return httpx.Request(
        scope["method"],
        endpoint,
        headers=_forwarded(headers, scope),
        content=body,
        extensions={"target": target},  # httpx would normalise a path given as URL
    )


def _forwarded(headers: Headers, scope: Scope) -> Headers:
    """Return the headers with what API Gateway adds about the client."""
    (client, _), (_, port) = scope["client"], scope["server"]
    known = _value(headers, b"x-forwarded-for")
    added = {
        b"x-forwarded-for": (f"{known}, {client}" if known else client).encode("latin-1"),
        b"x-forwarded-host": _value(scope["headers"], b"host").encode("latin-1"),
        b"x-forwarded-port": str(port).encode(),
        b"x-forwarded-proto": scope["scheme"].encode(),
        b"x-amzn-trace-id": (_value(headers, b"x-amzn-trace-id") or _trace_id()).encode("latin-1"),
    }
    return [(name, value) for name, value in headers if name not in added] + list(added.items())


def _trace_id() -> str:
    return f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}"


async def exchange(client: httpx.AsyncClient, request: httpx.Request, broken: int) -> GatewayResponse:
    """Send the request and return the answer, its body still compressed when it came so.

    Raises:
        Refusal: the function failed, or its answer is larger than Lambda allows.
    """
    response = await client.send(request, stream=True)
    try:
        body = b"".join([chunk async for chunk in response.aiter_raw()])
    finally:
        await response.aclose()
    headers = [(name.lower(), value) for name, value in response.headers.raw]
    size = _json_size(body, response.headers.get("content-type", ""))
    if size > LAMBDA_LIMIT_BYTES or _is_function_error(response.status_code, body):
        raise Refusal(broken, "Internal Server Error")
    dropped = _CONNECTION_HEADERS - ({b"content-length"} if request.method == "HEAD" else set())
    return GatewayResponse(response.status_code, [(n, v) for n, v in headers if n not in dropped], body)


def _is_function_error(status: int, body: bytes) -> bool:
    """Whether this is MiniStack's report of an exception or timeout in the function."""
    if status != 502:
        return False
    try:
        report = json.loads(body)
    except ValueError:
        return False
    return isinstance(report, dict) and "errorMessage" in report and "statusCode" not in report


def _json_size(body: bytes, content_type: str) -> int:
    """Return the bytes that `body` takes in Lambda's JSON: escaped text, or base64 for other types."""
    if _is_text(content_type):
        return len(body) + body.count(b'"') + body.count(b"\\") + body.count(b"\n")
    return (len(body) + 2) // 3 * 4


def _is_text(content_type: str) -> bool:
    """Whether a body of this type goes to the function as text."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind in _TEXT_TYPES


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _size(headers: Headers) -> int:
    return sum(len(name) + len(value) + 6 for name, value in headers)


def _value(headers: Headers, name: bytes) -> str:
    """Return the values of a header joined with commas, "" when it is missing."""
    return ", ".join(value.decode("latin-1") for key, value in headers if key == name)
