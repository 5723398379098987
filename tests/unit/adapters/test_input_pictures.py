"""Pictures at addresses that callers give: fetched from public hosts over https, within bounds, or refused."""

import socket
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from imagegate.adapters import addresses, input_pictures
from imagegate.adapters.http_upstream import HttpUpstream
from imagegate.adapters.input_pictures import InputPictures
from imagegate.domain.errors import InvalidRequest

PUBLIC = "93.184.216.34"


def internet(monkeypatch: pytest.MonkeyPatch, answers: dict[str, httpx.Response]) -> InputPictures:
    """Hosts whose names begin with `private` are on a private network; the others answer by path."""

    def resolve(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        address = "10.0.0.1" if host.startswith("private") else PUBLIC
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.host == PUBLIC, "the connection goes to the checked address"
        assert "authorization" not in request.headers
        return answers[request.url.path]

    # Not `socket.getaddrinfo` itself: servers of other tests run in this process.
    monkeypatch.setattr(addresses, "socket", SimpleNamespace(getaddrinfo=resolve, SOCK_STREAM=socket.SOCK_STREAM))
    return InputPictures(HttpUpstream(httpx.MockTransport(answer)))


def to(location: str) -> httpx.Response:
    return httpx.Response(302, headers={"location": location})


def test_pictures_come_in_their_order_also_through_redirects(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"/a": httpx.Response(200, content=b"a"), "/b": to("https://other.example.com/c")}
    fetch = internet(monkeypatch, answers | {"/c": httpx.Response(200, content=b"c")})
    assert fetch(["https://x.example.com/b", "https://x.example.com/a"]) == [b"c", b"a"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://x.example.com/a", "no https address"),
        ("https://private.example.com/a", "private network"),
        ("https://x.example.com/away", "private network"),
        ("https://x.example.com/plain", "no https address"),
        ("https://x.example.com/none", "HTTP 404"),
        ("https://x.example.com/loop", "HTTP 302"),
        ("https://", "no https address"),
    ],
)
def test_what_must_not_be_fetched_is_refused(monkeypatch: pytest.MonkeyPatch, url: str, said: str) -> None:
    answers = {
        "/away": to("https://private.example.com/a"),
        "/plain": to("http://x.example.com/a"),
        "/loop": to("/loop"),
        "/none": httpx.Response(404),
    }
    with pytest.raises(InvalidRequest, match=said) as caught:
        internet(monkeypatch, answers)([url])
    assert caught.value.message.startswith("A picture could not be fetched: ")
    assert caught.value.remedy


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "169.254.169.254", "10.0.0.1", "localhost", "0x7f.1"])
def test_no_address_off_the_internet_is_connected_to(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", None)
    with pytest.raises(InvalidRequest, match="could not be fetched"):
        InputPictures()([f"https://{host}/latest/meta-data"])


def test_all_pictures_together_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_pictures, "LARGEST", 10)
    fetch = internet(monkeypatch, {"/a": httpx.Response(200, content=b"x" * 6)})
    assert fetch(["https://x.example.com/a"]) == [b"x" * 6]
    with pytest.raises(InvalidRequest, match="more than 4 bytes"):
        fetch(["https://x.example.com/a"] * 2)
    monkeypatch.setattr(input_pictures, "SECONDS", 0.0)
    with pytest.raises(InvalidRequest, match="within 0 s"):
        fetch(["https://x.example.com/a"])
