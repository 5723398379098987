"""What the front door refuses of web pages, and what it lets through; nothing refused reaches what is behind it."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from imagegate.local.front_door import DOOR_HEADER, FrontDoor

HERE = "127.0.0.1:1337"
APP = "https://app.example.com"
BODY = json.dumps({"model": "flux", "prompt": "x"}).encode()
NAVIGATION = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
IMAGE = {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}


class Behind(httpx.AsyncBaseTransport):
    """Answers 200 and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return httpx.Response(200, stream=httpx.ByteStream(b"{}"))


def generation(
    method: str, path: str, headers: dict[str, str], body: bytes = b"", origins: frozenset[str] = frozenset()
) -> tuple[int, str, list[httpx.Request]]:
    """Status, text and what was forwarded."""
    door, behind = FrontDoor(origins=origins), Behind()
    door.open("http://127.0.0.1:1", "api", "the token")
    sent: list[dict[str, Any]] = []
    raw = [(name.encode(), value.encode()) for name, value in {"host": HERE, **headers}.items()]
    scope = {"type": "http", "scheme": "http", "method": method, "path": path, "query_string": b"", "headers": raw}
    scope |= {"client": ("127.0.0.1", 2), "server": ("127.0.0.1", 1337)}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def run() -> None:
        async with httpx.AsyncClient(transport=behind) as door._client:
            await door(scope, receive, send)

    asyncio.run(run())
    return sent[0]["status"], sent[1]["body"].decode(), behind.asked


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded", ""])
def test_a_page_of_another_origin_reaches_nothing_whatever_its_body_is_called(kind: str) -> None:
    for origin in ("https://evil.example", "null", "http://localhost:3000"):
        headers = {"origin": origin, "content-type": kind, "sec-fetch-site": "cross-site"}
        status, text, forwarded = generation("POST", "/v1/images/generations", headers, BODY)
        assert (status, forwarded) == (403, [])
        assert "--cors-origin" in json.loads(text)["message"]
    status, _, forwarded = generation("POST", "/v1/images/generations", {"content-type": kind}, BODY)
    assert (status, len(forwarded)) == (200, 1), "a program may call it as it likes"


def test_a_name_that_was_made_to_lead_here_reaches_nothing() -> None:
    for path in ("/v1/operations", "/docs", "/v1/images/06gzj55vfn0ajhf9kn2m-0"):
        status, _, forwarded = generation("GET", path, {"host": "evil.example:1337", **NAVIGATION})
        assert (status, forwarded) == (403, [])


def test_a_page_whose_origin_is_named_passes_and_its_neighbour_does_not() -> None:
    origins = frozenset({APP})
    status, _, forwarded = generation("POST", "/v1/operations", {"origin": APP}, BODY, origins)
    assert (status, forwarded[0].headers["origin"]) == (200, APP)
    assert generation("OPTIONS", "/v1/operations", {"origin": APP}, b"", origins)[0] == 200
    assert generation("POST", "/v1/operations", {"origin": f"{APP}:8443"}, BODY, origins)[0] == 403
    assert generation("GET", "/v1/operations", {"sec-fetch-site": "cross-site"}, b"", origins)[0] == 403


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/docs", NAVIGATION, 200),
        ("GET", "/v1/operations", NAVIGATION, 200),
        ("HEAD", "/v1/images/06gzj55vfn0ajhf9kn2m-0", NAVIGATION, 200),
        ("GET", "/v1/images/06gzj55vfn0ajhf9kn2m-0", IMAGE, 200),
        ("GET", "/operations/06gzj55vfn0ajhf9kn2m:cancel", NAVIGATION, 403),
        ("GET", "/operations/06gzj55vfn0ajhf9kn2m:cancel", IMAGE, 403),
        ("GET", "/v1/operations", IMAGE, 403),
        ("GET", "/v1/operations", {**NAVIGATION, "sec-fetch-dest": "iframe"}, 403),
        ("GET", "/v1/operations", {**IMAGE, "sec-fetch-dest": "script"}, 403),
        ("GET", "/v1/images/06gzj55vfn0ajhf9kn2m-0", {**IMAGE, "sec-fetch-dest": "empty"}, 403),
        ("POST", "/v1/operations", NAVIGATION, 403),
        ("DELETE", "/v1/operations/06gzj55vfn0ajhf9kn2m", NAVIGATION, 403),
    ],
)
def test_a_link_may_be_followed_and_a_picture_shown(
    method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answered, _, forwarded = generation(method, path, headers)
    assert (answered, len(forwarded)) == (status, status == 200)


def test_what_is_behind_gets_the_doors_token_and_no_other() -> None:
    _, _, [forwarded] = generation("GET", "/", {DOOR_HEADER: "forged"})
    assert forwarded.headers.get_list(DOOR_HEADER) == ["the token"]
