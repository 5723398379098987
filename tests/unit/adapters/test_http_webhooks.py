"""The one way to a webhook, against real servers that misbehave."""

import socket
import struct
import time
from pathlib import Path
from typing import Any

import httpcore
import pytest

from imagegate.adapters.http_webhooks import HttpWebhooks
from imagegate.adapters.webhook_targets import WebhookTargets
from imagegate.domain.errors import Unreachable, WebhookRefused
from support.bare_server import Answer, answering, certificate, says

LOCAL = WebhookTargets(loopback=True)
HEADERS = {"webhook-id": "one"}


def test_it_posts_json_and_tells_what_was_answered() -> None:
    with answering(says(b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nno")) as (port, heard):
        answer = HttpWebhooks(LOCAL).send(f"http://127.0.0.1:{port}/a?b=c#d", HEADERS, b'{"a":1}')
    assert (answer.status, answer.retry_after) == (429, "7")
    [request] = heard
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /a?b=c HTTP/1.1\r\n")
    assert f"host: 127.0.0.1:{port}".encode() in head.lower()
    assert b"content-type: application/json" in head
    assert b"webhook-id: one" in head
    assert body == b'{"a":1}'


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_an_answer_and_not_followed(status: int) -> None:
    with answering(says(b"")) as (other, heard_there):
        move = f"HTTP/1.1 {status} Moved\r\nLocation: http://127.0.0.1:{other}/\r\nContent-Length: 0\r\n\r\n"
        with answering(says(move.encode())) as (port, heard):
            assert HttpWebhooks(LOCAL).send(f"http://127.0.0.1:{port}/", HEADERS, b"{}").status == status
    assert (len(heard), heard_there) == (1, [])


def test_an_endless_answer_is_not_read() -> None:
    sent = []

    def endless(stream: socket.socket) -> None:
        stream.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(10_000):
            stream.sendall(b"x" * 65_536)
            sent.append(1)

    with answering(endless) as (port, _):
        assert HttpWebhooks(LOCAL).send(f"http://127.0.0.1:{port}/", HEADERS, b"{}").status == 200
    assert len(sent) < 10_000


def drip(stream: socket.socket) -> None:
    """One byte of a header at a time: no single read is slow."""
    stream.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        stream.sendall(b"x")
        time.sleep(0.02)


def dead_air(stream: socket.socket) -> None:
    stream.recv(1)


@pytest.mark.parametrize("answer", [drip, dead_air])
def test_nothing_takes_longer_than_it_may(answer: Answer) -> None:
    with answering(answer) as (port, _):
        began = time.monotonic()
        with pytest.raises(Unreachable, match="No answer in time"):
            HttpWebhooks(LOCAL, seconds=0.3).send(f"http://127.0.0.1:{port}/", HEADERS, b"{}")
        assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "answer", [says(b""), says(b"HTTP/1.1 2"), says(b"no HTTP at all\r\n\r\n"), says(b"x" * 300_000)]
)
def test_what_is_no_answer(answer: Answer) -> None:
    with answering(answer) as (port, _), pytest.raises(Unreachable):
        HttpWebhooks(LOCAL).send(f"http://127.0.0.1:{port}/", HEADERS, b"{}")


def test_a_port_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Unreachable, match="No connection"):
        HttpWebhooks(LOCAL).send(f"http://127.0.0.1:{port}/", HEADERS, b"{}")


def test_a_host_without_an_address() -> None:
    def unresolvable(host: str, port: int) -> list[str]:
        raise OSError

    with pytest.raises(Unreachable, match="has no address"):
        HttpWebhooks(WebhookTargets(unresolvable)).send("https://hooks.example.com/", HEADERS, b"{}")


def test_a_name_that_changes_its_address_after_it_was_checked_reaches_nothing() -> None:
    """DNS rebinding between the request that names the webhook and its delivery."""
    answers = [["93.184.216.34"], ["127.0.0.1"]]
    targets = WebhookTargets(lambda host, port: answers.pop(0))
    with answering(says(b"HTTP/1.1 200 OK\r\n\r\n")) as (port, heard):
        url = f"https://hooks.example.com:{port}/"
        targets.check(url)
        with pytest.raises(WebhookRefused):
            HttpWebhooks(targets).send(url, HEADERS, b"{}")
    assert heard == []


def test_the_connection_goes_to_the_vetted_address_and_no_name_is_resolved_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DNS rebinding between vetting and connecting."""
    answers, reached = [["93.184.216.34"], ["127.0.0.1"]], []

    def connect(self: object, host: str, port: int, *rest: Any) -> Any:
        reached.append((host, port))
        raise httpcore.ConnectError("not from a test")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    with pytest.raises(Unreachable):
        HttpWebhooks(WebhookTargets(lambda host, port: answers.pop(0))).send("https://hooks.example.com/", {}, b"{}")
    assert reached == [("93.184.216.34", 443)]


def test_ipv4_is_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    reached = []

    def connect(self: object, host: str, port: int, *rest: Any) -> Any:
        reached.append(host)
        raise httpcore.ConnectError("not from a test")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    targets = WebhookTargets(lambda host, port: ["2606:2800:220:1:248:1893:25c8:1946", "93.184.216.34"])
    with pytest.raises(Unreachable):
        HttpWebhooks(targets).send("https://hooks.example.com/", {}, b"{}")
    assert reached == ["93.184.216.34"]


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(says(b"")) as (proxy, heard_there):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
        with answering(says(b"HTTP/1.1 204 No\r\n\r\n")) as (port, _):
            assert HttpWebhooks(LOCAL).send(f"http://127.0.0.1:{port}/", HEADERS, b"{}").status == 204
    assert heard_there == []


def test_the_pinned_connection_speaks_tls_with_the_name_of_the_host(tmp_path: Path) -> None:
    server, client = certificate(tmp_path, "localhost")
    asked_for = []
    server.sni_callback = lambda stream, name, context: asked_for.append(name)  # type: ignore[assignment]
    with answering(says(b"HTTP/1.1 204 No\r\n\r\n"), server) as (port, heard):
        targets = WebhookTargets(lambda host, port: ["127.0.0.1"], loopback=True)
        answer = HttpWebhooks(targets, client).send(f"https://localhost:{port}/", HEADERS, b"{}")
    assert answer.status == 204
    assert asked_for == ["localhost"]
    assert f"host: localhost:{port}".encode() in heard[0].lower()


def test_a_certificate_for_another_host_is_refused(tmp_path: Path) -> None:
    server, client = certificate(tmp_path, "hooks.example.com", "127.0.0.1")
    with answering(says(b"HTTP/1.1 204 No\r\n\r\n"), server) as (port, heard):
        targets = WebhookTargets(lambda host, port: ["127.0.0.1"], loopback=True)
        with pytest.raises(Unreachable, match="certificate"):
            HttpWebhooks(targets, client).send(f"https://localhost:{port}/", HEADERS, b"{}")
    assert heard == []


def reset(stream: socket.socket) -> None:
    """Break the connection instead of closing it."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def then(text: bytes, what: Answer) -> Answer:
    def both(stream: socket.socket) -> None:
        stream.sendall(text)
        what(stream)

    return both


def test_a_connection_that_breaks_before_the_answer() -> None:
    with answering(reset) as (port, _), pytest.raises(Unreachable, match=r"^The connection broke before there was an"):
        HttpWebhooks(LOCAL).send(f"http://127.0.0.1:{port}/", HEADERS, b"{}")


@pytest.mark.parametrize("ending", [says(b""), reset, dead_air])
def test_once_the_status_is_there_nothing_more_is_needed(ending: Answer) -> None:
    """Told that it failed, we would send again what the receiver has taken."""
    cut_short = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"
    with answering(then(cut_short, ending)) as (port, heard):
        answer = HttpWebhooks(LOCAL, seconds=0.3).send(f"http://127.0.0.1:{port}/", HEADERS, b"{}")
    assert answer.status == 200
    assert b"user-agent: imagegate" in heard[0].lower()


def test_no_connection_is_made_when_the_time_is_over() -> None:
    with answering(says(b"")) as (port, heard), pytest.raises(Unreachable, match=r"^No answer in time"):
        HttpWebhooks(LOCAL, seconds=0.0).send(f"http://127.0.0.1:{port}/", HEADERS, b"{}")
    assert heard == []


def test_a_host_that_does_not_answer_the_knock_takes_a_part_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = []

    def connect(self: object, host: str, port: int, timeout: float, *rest: Any) -> Any:
        allowed.append(timeout)
        raise httpcore.ConnectTimeout("no answer")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    for seconds in (15.0, 2.0):
        with pytest.raises(Unreachable, match=r"^No answer in time"):
            HttpWebhooks(LOCAL, seconds=seconds).send("http://127.0.0.1:9/", HEADERS, b"{}")
    assert allowed == [5.0, pytest.approx(2.0, abs=1)]
