"""The one address at which a gateway behind a proxy is reached: pictures come through it too.

Presigned URLs name MiniStack's own port, which only this machine reaches. With a public URL the front door replaces
that part of them in every answer, and passes what arrives for the bucket to MiniStack, which checks the signature.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from imagegate.local.gateway_exchange import GatewayResponse, Headers
from imagegate.local.origin_policy import Scope

ORIGIN = re.compile(r"https?://(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:\d{1,5})?", re.IGNORECASE)
"""Scheme, host and port, without a path."""
_METHODS = ("GET", "HEAD", "POST")
_SECONDS = 60.0
_PASSED = {b"range", b"if-none-match", b"if-modified-since", b"content-type", b"origin", b"accept"}
_DROPPED = {b"connection", b"content-length", b"keep-alive", b"transfer-encoding"}


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """A public URL without a final slash, and the bucket at MiniStack's endpoint."""

    url: str
    endpoint: str = ""
    bucket: str = ""

    @property
    def host(self) -> str:
        """The name that the proxy may send as Host, without a port, in lower case."""
        return (urlsplit(self.url).hostname or "").lower()

    def serves(self, scope: Scope) -> bool:
        """True for a signed request to the bucket."""
        path: str = scope["path"]
        to_bucket = bool(self.bucket) and (path == f"/{self.bucket}" or path.startswith(f"/{self.bucket}/"))
        signed = b"X-Amz-Signature=" in scope["query_string"] or scope["method"] == "POST"
        return to_bucket and signed and scope["method"] in _METHODS

    async def fetch(self, client: httpx.AsyncClient, scope: Scope, body: bytes) -> GatewayResponse:
        """MiniStack's answer. The Host is its own, because the signature covers it."""
        target: bytes = scope.get("raw_path") or scope["path"].encode()
        target += b"?" + scope["query_string"] if scope["query_string"] else b""
        headers = [(name, value) for name, value in scope["headers"] if name in _PASSED]
        request = httpx.Request(
            scope["method"],
            self.endpoint,
            headers=headers,
            content=body,
            extensions={"target": target, "timeout": httpx.Timeout(_SECONDS).as_dict()},
        )
        answer = await client.send(request)
        kept = [(name.lower(), value) for name, value in answer.headers.raw if name.lower() not in _DROPPED]
        if scope["method"] == "HEAD" and (length := answer.headers.get("content-length")):
            kept.append((b"content-length", length.encode()))
        return GatewayResponse(answer.status_code, kept, answer.content)

    def rewrite(self, answer: GatewayResponse) -> GatewayResponse:
        """The answer with the bucket's URLs at the public address."""
        old, new = f"{self.endpoint}/{self.bucket}".encode(), f"{self.url}/{self.bucket}".encode()
        headers: Headers = [(name, value.replace(old, new)) for name, value in answer.headers]
        return GatewayResponse(answer.status, headers, answer.body.replace(old, new))
