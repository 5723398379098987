"""The local stand-in for API Gateway's public side: a reverse proxy that keeps API Gateway's limits.

It forwards every request to MiniStack's HTTP API and passes the answer on as it is. MiniStack addresses an API
by host (`<id>.execute-api.localhost`) or by path (`/_aws/execute-api/<id>/<stage>/…`). The path form is used,
because with the host form MiniStack's own routes (`/health`, `/oauth2/…`, S3's, …) shadow the API's.

Limits, as for an HTTP API (payload format 2.0) on AWS:

- 30 s for the integration, then 503 `{"message":"Service Unavailable"}` (docs/protocols/aws.md#limits-of-the-api);
- request over 10 MB: 413; message text from memory;
- request or response over Lambda's 6 MB (measured as the JSON that Lambda gets or gives, with
  base64 where API Gateway would use it): 413, and 500 `{"message":"Internal Server Error"}`; the statuses,
  and the exact size of 6,291,556 bytes, are from memory;
- a function that fails is 500 `{"message":"Internal Server Error"}` (from memory), where MiniStack answers
  502 with the error's text.

The long-hold address has a door of its own, with the limits of a Lambda function URL: 15 minutes, then and after a
failure of the function 502, and Lambda's 6 MB for a request (statuses from memory).

As API Gateway does, it appends the client's address to `x-forwarded-for`, and sets `x-forwarded-proto`,
`x-forwarded-port` and, when missing, `x-amzn-trace-id`. Unlike it, it sets `x-forwarded-host` to the Host the
client used: on AWS `host` itself is the API's domain, here it is MiniStack's address.

A body that is declared to be text and is not UTF-8 goes on without its type, and so in base64: MiniStack would replace
what it cannot read before the function sees it, and the function could not refuse it.
"""

import asyncio
import json
import secrets
import time
from dataclasses import dataclass, field

import httpx

from imagegate.local.origin_policy import FOREIGN_PAGE, OriginPolicy, Receive, Scope, Send, header_values

Headers = list[tuple[bytes, bytes]]

INTEGRATION_TIMEOUT_SECONDS = 30.0
"""How long API Gateway waits for a function."""
FUNCTION_SECONDS = 900.0
"""How long a function may take, and so a request at its URL."""
REQUEST_LIMIT_BYTES = 10 * 1024 * 1024
"""API Gateway's limit for a request body."""
LAMBDA_LIMIT_BYTES = 6_291_556
"""Lambda's limit for the JSON of a request, and of a response."""

DOOR_HEADER = "x-imagegate-door"
"""The header in which MiniStack's guard asks for a token, so that the API has no other entrance."""

_REMEDY = "'imagegate serve --cors-origin ORIGIN' lets those of one origin do it."
_OF_THE_CONNECTION = {
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
class Entrance:
    """What stands between a client and a function on AWS."""

    path: str
    """MiniStack's path to it, by its id."""
    seconds: float
    """How long it waits for the function."""
    late: tuple[int, str]
    """What it answers when the function takes longer."""
    broken: int
    """The status of a function that fails, or answers too much."""


HTTP_API = Entrance("/_aws/execute-api/{}/$default", INTEGRATION_TIMEOUT_SECONDS, (503, "Service Unavailable"), 500)
FUNCTION_URL = Entrance("/_aws/lambda-url/{}", FUNCTION_SECONDS, (502, "Internal Server Error"), 502)


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


class _ClientGone(Exception):
    """The client closed the connection before it had sent its request."""


@dataclass
class FrontDoor:
    """ASGI application in front of one HTTP API (or function URL) of one MiniStack."""

    time_scale: float = 1.0
    """Divides the integration timeout (for tests)."""
    entrance: Entrance = HTTP_API
    origins: frozenset[str] = frozenset()
    """Origins whose pages may call; `origin_policy` refuses those of others, and Host headers of other machines."""
    _endpoint: str = field(default="", repr=False)
    _api_id: str = field(default="", repr=False)
    _token: str = field(default="", repr=False)
    _client: httpx.AsyncClient = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._policy = OriginPolicy(self.origins, idempotent=_is_harmless)

    def open(self, endpoint: str, api_id: str, token: str = "") -> None:
        """Lead to the HTTP API (or function URL) `api_id` of the MiniStack at `endpoint`, which wants `token`."""
        self._endpoint, self._api_id, self._token = endpoint, api_id, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (or, as ASGI's lifespan, open and close the connections to MiniStack)."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
        # The time limit is `_forward`'s, over the whole exchange.
        client = httpx.AsyncClient(timeout=None, trust_env=False, limits=limits)  # noqa: S113  # nosec B113
        async with client as self._client:
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await _read(receive)
            if why := self._policy.refusal(scope):
                raise Refusal(403, f"{why} {_REMEDY}" if why == FOREIGN_PAGE else why)
            request = _request(self._endpoint, self.entrance.path.format(self._api_id), scope, body)
            request.headers[DOOR_HEADER] = self._token
            answer = await self._forward(request)
        except Refusal as refusal:
            answer = refusal.answer()
        except _ClientGone:
            return
        length = [] if scope["method"] == "HEAD" else [(b"content-length", str(len(answer.body)).encode())]
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers + length})
        await send({"type": "http.response.body", "body": answer.body})

    async def _forward(self, request: httpx.Request) -> GatewayResponse:
        try:
            async with asyncio.timeout(self.entrance.seconds / self.time_scale):
                return await _exchange(self._client, request, self.entrance.broken)
        except TimeoutError:
            raise Refusal(*self.entrance.late) from None
        except httpx.HTTPError as error:
            raise Refusal(
                503,
                f"The embedded stack does not answer ({type(error).__name__}); it may be restarting.",
                (b"retry-after", b"5"),
            ) from error


async def _read(receive: Receive) -> bytes:
    """Return the request's body; one that is too long is read to its end, so that the client sees the answer.

    Raises:
        Refusal: it is longer than API Gateway takes.
    """
    body, size, more = bytearray(), 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _ClientGone
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size <= REQUEST_LIMIT_BYTES:
            body += chunk
        more = message.get("more_body", False)
    if size > REQUEST_LIMIT_BYTES:
        raise Refusal(413, "Request Entity Too Large")
    return bytes(body)


def _request(endpoint: str, prefix: str, scope: Scope, body: bytes) -> httpx.Request:
    """Return the request to MiniStack: path and query as they came, byte for byte.

    Raises:
        Refusal: it does not fit into a Lambda invocation.
    """
    headers = [(name, value) for name, value in scope["headers"] if name not in _OF_THE_CONNECTION]
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


async def _exchange(client: httpx.AsyncClient, request: httpx.Request, broken: int) -> GatewayResponse:
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
    kept = _OF_THE_CONNECTION - ({b"content-length"} if request.method == "HEAD" else set())
    return GatewayResponse(response.status_code, [(n, v) for n, v in headers if n not in kept], body)


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


def _is_harmless(scope: Scope) -> bool:
    """Whether any page may have the browser GET this: follow a link, or show a picture whose address it knows.

    Whoever follows a link sees the answer, not the page that had it. Paths with a colon may change an operation.
    """
    destinations = header_values(scope, b"sec-fetch-dest")
    if destinations == ["document"]:
        return ":" not in scope["path"]
    return destinations == ["image"] and scope["path"].startswith("/v1/images/")


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
