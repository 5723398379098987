"""What is connected to when a picture is fetched from where an upstream said: a vetted address, never a name."""

import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpcore
import httpx
import pytest

from imagegate.adapters import addresses, picture_targets
from imagegate.adapters.addresses import NotAllowed, vetted_addresses
from imagegate.adapters.http_upstream import HttpUpstream
from imagegate.domain.failure import FailureCode, UpstreamError
from support.bare_server import answering, certificate, says

PUBLIC, OTHER, BASE = "93.184.216.34", "93.184.216.35", "https://alpha.example.com"
URL = "https://pictures.example.com/p.png"
PNG = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\npng"


class Network:
    """What name resolution says, the next time something else, and which connections are then opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
        self.connected: list[tuple[str, int]] = []
        self.answers = list(answers)
        # Not `socket.getaddrinfo` itself: servers of other tests run in this process.
        names = SimpleNamespace(getaddrinfo=self.resolve, SOCK_STREAM=socket.SOCK_STREAM)
        monkeypatch.setattr(addresses, "socket", names)
        monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", self.connect)

    def resolve(self, host: str, port: int, *given: Any, **named: Any) -> list[Any]:
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (entry, port)) for entry in found]

    def connect(self, host: str, port: int, *given: Any, **named: Any) -> Any:
        self.connected.append((host, port))
        raise httpcore.ConnectError("connection refused")


def test_a_name_that_leads_elsewhere_a_moment_later_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(monkeypatch, [PUBLIC], ["127.0.0.1"])
    with pytest.raises(UpstreamError, match="no connection") as caught:
        HttpUpstream().download(URL, BASE)
    assert network.connected == [(PUBLIC, 443)]
    assert caught.value.failure.code is FailureCode.UPSTREAM_FAILED
    assert "pictures.example.com" in caught.value.failure.message


def test_every_vetted_address_is_tried_before_giving_up(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(monkeypatch, ["2606:2800:220:1::1", PUBLIC, OTHER, PUBLIC])
    with pytest.raises(UpstreamError):
        HttpUpstream().download(URL.replace(".com", ".com:8443"), BASE)
    assert network.connected == [(PUBLIC, 8443), (OTHER, 8443), ("2606:2800:220:1::1", 8443)]


def test_the_providers_own_host_is_asked_for_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(monkeypatch, ["10.0.0.1"])
    with pytest.raises(UpstreamError, match="no connection"):
        HttpUpstream().download(f"{BASE}/p.png", BASE)
    assert network.connected == [("alpha.example.com", 443)]


@pytest.mark.parametrize("named", ["pictures.example.com", "other.example.com"])
def test_tls_and_host_keep_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    server, client = certificate(tmp_path, named)
    asked_for: list[str | None] = []
    server.sni_callback = lambda stream, name, context: asked_for.append(name)  # type: ignore[assignment]
    monkeypatch.setattr(picture_targets, "resolve", lambda host, port: ["127.0.0.1"])
    allowed = vetted_addresses
    monkeypatch.setattr(
        picture_targets,
        "vetted_addresses",
        lambda host, port, seconds, found: allowed(host, port, 1, found, lambda address: True),
    )
    with answering(says(PNG), server) as (port, heard):
        http = HttpUpstream(httpx.HTTPTransport(verify=client))
        url = f"https://pictures.example.com:{port}/p.png"
        if named == "pictures.example.com":
            assert [http.download(url, BASE) for _ in range(2)] == [b"png"] * 2
        else:
            with pytest.raises(UpstreamError, match="its certificate is not trusted"):
                http.download(url, BASE)
    assert set(asked_for) == {"pictures.example.com"}
    assert len(heard) == (2 if named == "pictures.example.com" else 0)
    for request in heard:
        assert f"host: pictures.example.com:{port}".encode() in request.lower()
        assert b"connection: close" in request.lower(), "it must not be taken for one to another host at the address"


def test_all_addresses_of_a_host_are_vetted() -> None:
    with pytest.raises(NotAllowed):
        vetted_addresses("a", 1, 1, lambda host, port: [PUBLIC, "10.0.0.1"])
    with pytest.raises(OSError, match="no address"):
        vetted_addresses("a", 1, 1, lambda host, port: [])
