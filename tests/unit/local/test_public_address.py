"""A front door behind a proxy: its answers name the public URL, and what is signed reaches the bucket."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from imagegate.local.front_door import FrontDoor
from imagegate.local.gateway_exchange import GatewayResponse
from imagegate.local.origin_policy import WRONG_HOST
from imagegate.local.public_address import PublicAddress

PUBLIC = PublicAddress("https://images.example.com", "http://127.0.0.1:1338", "pictures")


def scope(method: str, path: str, query: bytes = b"", host: bytes = b"images.example.com", **headers: bytes) -> Any:
    named = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "scheme": "http",
        "headers": [(b"host", host), *named],
    }


def test_every_url_of_the_bucket_is_at_the_public_address() -> None:
    there = b"http://127.0.0.1:1338/pictures/images/a.png?X-Amz-Signature=1"
    answer = GatewayResponse(302, [(b"location", there)], b'{"url":"' + there + b'","other":"http://127.0.0.1:1338/b"}')
    here = b"https://images.example.com/pictures/images/a.png?X-Amz-Signature=1"
    rewritten = PUBLIC.rewrite(answer)
    assert rewritten.headers == [(b"location", here)]
    assert rewritten.body == b'{"url":"' + here + b'","other":"http://127.0.0.1:1338/b"}'


@pytest.mark.parametrize(
    ("method", "path", "query", "served"),
    [
        ("GET", "/pictures/images/a.png", b"X-Amz-Algorithm=x&X-Amz-Signature=1", True),
        ("HEAD", "/pictures/images/a.png", b"X-Amz-Signature=1", True),
        ("POST", "/pictures", b"", True),
        ("GET", "/pictures/images/a.png", b"", False),
        ("PUT", "/pictures/images/a.png", b"X-Amz-Signature=1", False),
        ("DELETE", "/pictures/images/a.png", b"X-Amz-Signature=1", False),
        ("GET", "/picturesque/a.png", b"X-Amz-Signature=1", False),
        ("GET", "/v1/models", b"X-Amz-Signature=1", False),
        ("GET", "/_ministack/reset", b"X-Amz-Signature=1", False),
    ],
)
def test_only_what_is_signed_for_the_bucket_goes_there(method: str, path: str, query: bytes, served: bool) -> None:
    assert PUBLIC.serves(scope(method, path, query)) is served


def test_nothing_is_served_before_the_bucket_is_known() -> None:
    assert not replace(PUBLIC, bucket="").serves(scope("GET", "//a", b"X-Amz-Signature=1"))


def test_the_bucket_sees_its_own_host_and_no_credentials() -> None:
    seen: list[httpx.Request] = []

    def bucket(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(206, headers={"content-type": "image/png", "content-range": "bytes 0-1/9"}, content=b"ab")

    async def fetch() -> GatewayResponse:
        async with httpx.AsyncClient(transport=httpx.MockTransport(bucket)) as client:
            asked = scope("GET", "/pictures/a", b"X-Amz-Signature=1", range=b"bytes=0-1", authorization=b"Bearer x")
            return await PUBLIC.fetch(client, asked, b"")

    answer = asyncio.run(fetch())
    assert (answer.status, answer.body) == (206, b"ab")
    assert dict(answer.headers)[b"content-range"] == b"bytes 0-1/9"
    [request] = seen
    assert request.headers["host"] == "127.0.0.1:1338"
    assert request.headers["range"] == "bytes=0-1"
    assert "authorization" not in request.headers
    assert request.extensions["target"] == b"/pictures/a?X-Amz-Signature=1"


@pytest.mark.parametrize(
    ("public", "host", "origin", "refused"),
    [
        (PUBLIC, b"images.example.com", b"https://images.example.com", False),
        (PUBLIC, b"IMAGES.example.com:443", b"", False),
        (PUBLIC, b"127.0.0.1:1337", b"", False),
        (PUBLIC, b"evil.example.com", b"", True),
        (PUBLIC, b"images.example.com", b"https://evil.example.com", True),
        (None, b"images.example.com", b"", True),
    ],
)
def test_the_public_name_is_the_only_further_host(
    public: PublicAddress | None, host: bytes, origin: bytes, refused: bool
) -> None:
    headers = {"origin": origin} if origin else {}
    door = FrontDoor(public=public)
    why = door._policy.refusal(scope("GET", "/v1/models", host=host, **headers))
    assert bool(why) is refused
    assert why != WRONG_HOST or host != b"images.example.com" or public is None
