"""Compressed request bodies: gzip and deflate are decoded within bounds, any other encoding is refused."""

import zlib

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imagegate.domain.errors import InvalidRequest, RequestError, TooLarge, UnsupportedEncoding
from imagegate.web.errors import render_refusal
from imagegate.web.http import LARGEST_WITH_PICTURES, to_response

_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""zlib's window, by the encoding's name: 31 is gzip's header around the largest window."""
_IDENTITY = ("", "identity")


class ContentEncoding:
    """ASGI middleware within Access, so that only callers with a key can have anything decoded."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body decoded, or refuse it in its dialect."""
        encoding = Headers(scope=scope).get("content-encoding", "").strip().lower() if scope["type"] == "http" else ""
        if encoding in _IDENTITY:
            await self._app(scope, receive, send)
            return
        try:
            body = _decode(await _read(receive), encoding)
        except RequestError as error:
            await to_response(render_refusal(scope, error))(scope, receive, send)
            return

        async def receive_decoded() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        headers = [(name, value) for name, value in scope["headers"] if name != b"content-encoding"]
        await self._app({**scope, "headers": headers}, receive_decoded, send)


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


def _decode(body: bytes, encoding: str) -> bytes:
    """Decode the body. Raises UnsupportedEncoding, TooLarge, or InvalidRequest for one that is not so encoded."""
    if encoding not in _WINDOWS:
        raise UnsupportedEncoding(
            f"The Content-Encoding '{encoding[:50]}' is not supported.",
            param="Content-Encoding",
            remedy="Send the body as it is, or with gzip.",
        )
    decoder = zlib.decompressobj(_WINDOWS[encoding])
    try:
        decoded = decoder.decompress(body, LARGEST_WITH_PICTURES + 1)
    except zlib.error:
        decoded = b""
    if len(decoded) > LARGEST_WITH_PICTURES:
        raise TooLarge(f"The body has more than {LARGEST_WITH_PICTURES} bytes when it is decoded.")
    if not decoder.eof or decoder.unused_data:
        raise InvalidRequest(f"The body is not encoded with {encoding}, as Content-Encoding says.")
    return decoded
