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

With `comment_seconds` a stream of events is sent as it comes, which neither does on AWS (event_stream.py).

As API Gateway does, it appends the client's address to `x-forwarded-for`, and sets `x-forwarded-proto`,
`x-forwarded-port` and, when missing, `x-amzn-trace-id`. Unlike it, it sets `x-forwarded-host` to the Host the
client used: on AWS `host` itself is the API's domain, here it is MiniStack's address.

A body that is declared to be text and is not UTF-8 goes on without its type, and so in base64: MiniStack would replace
what it cannot read before the function sees it, and the function could not refuse it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import httpx

from imagegate.local.event_stream import EventStream, RedirectFollower, asks_for_events
from imagegate.local.gateway_exchange import (
    REQUEST_LIMIT_BYTES,
    UPLOAD_LIMIT_BYTES,
    ClientGone,
    GatewayResponse,
    Refusal,
    build_request,
    exchange,
    read_body,
)
from imagegate.local.origin_policy import FOREIGN_PAGE, OriginPolicy, Receive, Scope, Send, header_values
from imagegate.local.public_address import PublicAddress

INTEGRATION_TIMEOUT_SECONDS = 30.0
"""How long API Gateway waits for a function."""
FUNCTION_SECONDS = 900.0
"""How long a function may take, and so a request at its URL."""
DOOR_HEADER = "x-imagegate-door"
"""The header in which MiniStack's guard asks for a token, so that the API has no other entrance."""

_REMEDY = "'imagegate serve --cors-origin ORIGIN' lets those of one origin do it."


@dataclass(frozen=True, kw_only=True)
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


HTTP_API = Entrance(
    path="/_aws/execute-api/{}/$default",
    seconds=INTEGRATION_TIMEOUT_SECONDS,
    late=(503, "Service Unavailable"),
    broken=500,
)
FUNCTION_URL = Entrance(
    path="/_aws/lambda-url/{}", seconds=FUNCTION_SECONDS, late=(502, "Internal Server Error"), broken=502
)


@dataclass(kw_only=True)
class FrontDoor:
    """ASGI application in front of one HTTP API (or function URL) of one MiniStack."""

    time_scale: float = 1.0
    """Divides the integration timeout (for tests)."""
    entrance: Entrance = HTTP_API
    origins: frozenset[str] = frozenset()
    """Origins whose pages may call; `origin_policy` refuses those of others, and Host headers of other machines."""
    shortage: Callable[[], str | None] = lambda: None
    """What to do about the disk while nothing can be stored; `None` while there is room."""
    public: PublicAddress | None = None
    """Where a proxy makes it reachable; None without one."""
    comment_seconds: float | None = None
    """How often a comment keeps a stream alive; None answers a stream as AWS does."""
    _endpoint: str = field(default="", repr=False)
    _api_id: str = field(default="", repr=False)
    _token: str = field(default="", repr=False)
    _client: httpx.AsyncClient = field(init=False, repr=False)

    def __post_init__(self) -> None:
        own = {self.public.url.lower()} if self.public else set()
        hosts = frozenset({self.public.host} if self.public else ())
        self._policy = OriginPolicy(origins=self.origins | own, hosts=hosts, idempotent=self._any_page_may_get)

    def open(self, endpoint: str, api_id: str, token: str = "", bucket: str = "") -> None:
        """Lead to the HTTP API (or function URL) `api_id` of the MiniStack at `endpoint`, which wants `token`.

        `bucket`: that of the pictures, for a door with a public address.
        """
        self._endpoint, self._api_id, self._token = endpoint, api_id, token
        if self.public:
            self.public = replace(self.public, endpoint=endpoint, bucket=bucket)

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
        to_bucket = bool(self.public and self.public.serves(scope))
        try:
            body = await read_body(receive, UPLOAD_LIMIT_BYTES if to_bucket else REQUEST_LIMIT_BYTES)
        except ClientGone:
            return
        except Refusal as refusal:
            await _send_whole(refusal.answer(), scope, send)
            return
        interval = self.comment_seconds if not to_bucket and asks_for_events(scope, body) else None
        if interval is None:
            await _send_whole(await self._exchange(scope, body, to_bucket), scope, send)
            return
        stream = EventStream(scope=scope, receive=receive, send=send, interval=interval)
        if answer := await stream.keep_alive(self._exchange(scope, body, to_bucket, stream)):
            await _send_whole(answer, scope, send)

    async def _exchange(
        self, scope: Scope, body: bytes, to_bucket: bool, stream: EventStream | None = None
    ) -> GatewayResponse:
        try:
            if why := self._policy.refusal(scope):
                raise Refusal(403, f"{why} {_REMEDY}" if why == FOREIGN_PAGE else why)
            if scope["method"] == "POST" and (full := self.shortage()):
                raise Refusal(503, full, (b"retry-after", b"30"))
            if self.public and to_bucket:
                answer = await self.public.fetch(self._client, scope, body)
            else:
                prefix = self.entrance.path.format(self._api_id)
                request = build_request(self._endpoint, prefix, scope, body)
                request.headers[DOOR_HEADER] = self._token
                forward = self._follower(prefix, stream).send if stream else self._forward
                answer = await forward(request)
        except Refusal as refusal:
            return refusal.answer()
        return self.public.rewrite(answer) if self.public else answer

    def _follower(self, prefix: str, stream: EventStream) -> RedirectFollower:
        return RedirectFollower(
            prefix=prefix,
            endpoint=self._endpoint,
            forward=self._forward,
            fetch=self._fetch,
            send_events=stream.send_events,
        )

    async def _fetch(self, url: str) -> GatewayResponse:
        """The object at a signed URL: an answer that is too large for Lambda."""
        try:
            answer = await self._client.get(url, timeout=INTEGRATION_TIMEOUT_SECONDS)
        except httpx.HTTPError as error:
            raise _no_answer(error) from error
        kind = answer.headers.get("content-type", "")
        return GatewayResponse(answer.status_code, [(b"content-type", kind.encode("latin-1"))], answer.content)

    async def _forward(self, request: httpx.Request) -> GatewayResponse:
        try:
            async with asyncio.timeout(self.entrance.seconds / self.time_scale):
                return await exchange(self._client, request, self.entrance.broken)
        except TimeoutError:
            raise Refusal(*self.entrance.late) from None
        except httpx.HTTPError as error:
            raise _no_answer(error) from error

    def _any_page_may_get(self, scope: Scope) -> bool:
        return _is_shown_only(scope) or bool(self.public and self.public.serves(scope))


def _no_answer(error: httpx.HTTPError) -> Refusal:
    message = f"The embedded stack does not answer ({type(error).__name__}); it may be restarting."
    return Refusal(503, message, (b"retry-after", b"5"))


async def _send_whole(answer: GatewayResponse, scope: Scope, send: Send) -> None:
    length = [] if scope["method"] == "HEAD" else [(b"content-length", str(len(answer.body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers + length})
    await send({"type": "http.response.body", "body": answer.body})


def _is_shown_only(scope: Scope) -> bool:
    """Whether any page may have the browser GET this: follow a link, or show a picture whose address it knows.

    The person who follows a link sees the answer; the page that had it does not. Paths with a colon may change an
    operation.
    """
    destinations = header_values(scope, b"sec-fetch-dest")
    if destinations == ["document"]:
        return ":" not in scope["path"]
    return destinations == ["image"] and scope["path"].startswith("/v1/images/")
