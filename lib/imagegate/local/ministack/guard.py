"""What reaches MiniStack: signed requests, and what the front door passes on. Everything else is refused here.

MiniStack has routes that need no signature (`/_ministack/reset` empties it, `/_ministack/sqs/messages` shows
its queues), and invites every web page (`Access-Control-Allow-Origin: *`).
"""

import hmac
import json
import re
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, quote

from ministack import app as ministack
from ministack.core.iam_evaluator import AuthError
from ministack.core.router import detect_service
from ministack.core.sigv4 import decode_header_value
from ministack.services.s3 import _parse_multipart_form as parse_form

from imagegate.local.front_door import DOOR_HEADER
from imagegate.local.ministack.credentials import is_presigned, signature_failure
from imagegate.local.origin_policy import OriginPolicy, Receive, Scope, Send, header_values

READY = "/_ministack/ready"

_DOOR_HEADER = DOOR_HEADER.encode()
_ENTRANCES = ("/_aws/execute-api/", "/_aws/lambda-url/")
_PICTURE_METHODS = ("GET", "HEAD", "OPTIONS")
_ALLOWS = b"access-control-"
_BUCKET_PATH = re.compile(r"/(?:[a-z0-9][a-z0-9.-]*/?)?")
_FORM_SIGNATURE = ("key", "policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature")
Headers = Mapping[str, str]
Reply = tuple[int, Headers, bytes]


class MiniStackGuard:
    """An ASGI application in front of MiniStack's."""

    def __init__(
        self,
        app: Any,
        door_token: str,
        picture_origins: frozenset[str] = frozenset(),
        upload_origins: Mapping[str, str] | None = None,
    ) -> None:
        """`picture_origins`: origins whose pages may read what they have a presigned URL of.

        `upload_origins`: origins whose pages may send a signed form, and what the bucket's rules call each of them.
        """
        self._app, self._door_token, self._picture_origins = app, door_token.encode(), picture_origins
        self._upload_origins = upload_origins or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._comes_from_door(scope):
            await self._app(_without_token(scope), receive, send)
        else:
            await self._answer_stranger(scope, receive, send)

    def _comes_from_door(self, scope: Scope) -> bool:
        rendered = [value.encode("latin-1") for value in header_values(scope, _DOOR_HEADER)]
        known = len(rendered) == 1 and hmac.compare_digest(rendered[0], self._door_token)
        return known and scope["path"].startswith(_ENTRANCES) and OriginPolicy().is_own_host(_host(scope))

    async def _answer_stranger(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = parse_qs(scope["query_string"].decode("utf-8", "replace"), keep_blank_values=True)
        picture = is_presigned(query) and scope["method"] in _PICTURE_METHODS
        upload = _is_for_bucket(scope, _joined_headers(scope), query)
        readers = self._picture_origins if picture else frozenset()
        allowed = frozenset(self._upload_origins) if upload else readers
        policy = OriginPolicy(origins=allowed, subdomains=True, idempotent=lambda _: picture)
        readable = bool(allowed.intersection(origin.lower() for origin in header_values(scope, b"origin")))
        send = _with_nosniff(send)
        answer = send if readable else _without_cors(send)
        if readable and upload:
            scope, answer = self._under_the_name_of_the_rules(scope, answer)
        if why := policy.refusal(scope):
            await _reply(send, (403, {"Content-Type": "application/json"}, json.dumps({"message": why}).encode()))
        elif scope["path"] == READY and scope["method"] == "GET":
            await self._app(scope, receive, answer)
        elif scope["method"] == "OPTIONS":
            await self._preflight(readable, scope, receive, answer)
        else:
            await self._check_signature(query, scope, receive, answer)

    def _under_the_name_of_the_rules(self, scope: Scope, send: Send) -> tuple[Scope, Send]:
        """The request with the origin that the bucket's rules name, and a `send` that answers the page's own.

        The front door has several names on this machine, of which the rules know one.
        """
        [origin] = header_values(scope, b"origin")
        known = self._upload_origins[origin.lower()].encode()
        headers = [(name, known if name.lower() == b"origin" else value) for name, value in scope["headers"]]

        async def sending(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = [(name, origin.encode() if value == known else value) for name, value in message["headers"]]
                message = {**message, "headers": headers}
            await send(message)

        return {**scope, "headers": headers}, sending

    async def _preflight(self, readable: bool, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the bucket's own rules answer the browser that is going to use what is signed."""
        if readable:
            await self._app(scope, receive, send)
        else:
            await _reply(send, (403, {}, b""))

    async def _check_signature(self, query: dict[str, list[str]], scope: Scope, receive: Receive, send: Send) -> None:
        headers = _joined_headers(scope)
        body, replay = await _read(receive)
        raw_path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
        failure = signature_failure(scope["method"], raw_path.decode("latin-1"), query, headers, body)
        if failure is None or (_is_for_bucket(scope, headers, query) and _is_signed_form(headers, body)):
            await self._app(scope, replay, send)
        else:
            await _reply(send, _refusal(failure, scope, headers, query))


def _is_for_bucket(scope: Scope, headers: Headers, query: dict[str, list[str]]) -> bool:
    """True for a POST to a bucket of S3 itself, as forms are sent, and for a page's question whether it may."""
    path = scope["path"]
    asks = scope["method"] == "OPTIONS" and headers.get("access-control-request-method") == "POST"
    on_bucket = (scope["method"] == "POST" or asks) and not query and _BUCKET_PATH.fullmatch(path) is not None
    return on_bucket and detect_service("POST", path, dict(headers), query) == "s3"


def _is_signed_form(headers: Headers, body: bytes) -> bool:
    """True for a form with S3's signature in it, which MiniStack checks; it takes others without one.

    The parts are read by MiniStack's own reader, so that both see the same.
    """
    content_type = headers.get("content-type", "")
    if "authorization" in headers or not content_type.startswith("multipart/form-data"):
        return False
    names = [name.lower() for name, *_ in parse_form(content_type, body) or []]
    return all(names.count(name) == 1 for name in _FORM_SIGNATURE)


def _without_token(scope: Scope) -> Scope:
    return {**scope, "headers": [(name, value) for name, value in scope["headers"] if name.lower() != _DOOR_HEADER]}


def _host(scope: Scope) -> str:
    return ", ".join(header_values(scope, b"host"))


def _joined_headers(scope: Scope) -> dict[str, str]:
    """Return the headers as Signature Version 4 reads them: repeated ones joined by a comma."""
    joined: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), decode_header_value(value)
        joined[key] = f"{joined[key]},{text}" if key in joined else text
    return joined


async def _read(receive: Receive) -> tuple[bytes, Receive]:
    """Return the body, and a `receive` that gives it once more."""
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    body = b"".join(message.get("body", b"") for message in messages)
    left = [messages[-1]] if messages[-1]["type"] == "http.disconnect" else [{"type": "http.request", "body": body}]

    async def replay() -> dict[str, Any]:
        return left.pop() if left else await receive()

    return body, replay


def _refusal(failure: AuthError, scope: Scope, headers: Headers, query: dict[str, list[str]]) -> Reply:
    """Return the failure in the shape of the service that was called, so that its clients can parse it."""
    service = detect_service(scope["method"], scope["path"], dict(headers), query)
    reply: Reply = ministack._credential_failure(service, "", str(uuid.uuid4()), failure, dict(headers))
    return reply


async def _reply(send: Send, reply: Reply) -> None:
    status, headers, body = reply
    raw = [(name.encode(), value.encode()) for name, value in headers.items() if name.lower() != "content-length"]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def _without_cors(send: Send) -> Send:
    """Return a `send` that leaves out what would let pages of other origins read the answer."""

    async def sending(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            kept = [(name, value) for name, value in message["headers"] if not name.lower().startswith(_ALLOWS)]
            message = {**message, "headers": kept}
        await send(message)

    return sending


def _with_nosniff(send: Send) -> Send:
    """Return a `send` that has browsers take an object for nothing but what its type says."""

    async def sending(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"x-content-type-options", b"nosniff")]}
        await send(message)

    return sending
