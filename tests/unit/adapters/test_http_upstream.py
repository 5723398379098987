"""The one way to an upstream, against a real server that misbehaves."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from imagegate.adapters import http_upstream, picture_targets
from imagegate.adapters.addresses import is_public
from imagegate.adapters.http_upstream import HttpUpstream
from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.order import InputBody
from imagegate.local.upstreams.serving import serving
from imagegate.ports.upstreams import HttpRequest, Reach

seen: list[dict[str, str]] = []
released = threading.Event()


async def echo(request: Request) -> Response:
    seen.append(dict(request.headers))
    return PlainTextResponse(await request.body(), 418, {"x-said": "yes"})


async def huge(request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 65_536

    return StreamingResponse(parts())


async def drip(request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        while not released.is_set():
            yield b"x"
            await asyncio.sleep(0.02)

    return StreamingResponse(parts())


async def hang(request: Request) -> Response:
    await request.body()
    while not released.is_set():
        await asyncio.sleep(0.02)
    return PlainTextResponse("late")


async def broken(request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"event: heartbeat\r\ndata: null\r\n\r\n"
        raise OSError("gone")

    return StreamingResponse(parts(), media_type="text/event-stream")


async def events(request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        for chunk in (b"event: heart", b"beat\ndata: null\n\n", b"event: complete\r\ndata: [1,\r\ndata: 2]\r\n\r\n"):
            yield chunk

    return StreamingResponse(parts(), media_type="text/event-stream")


async def endless(request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        while not released.is_set():
            yield b"event: heartbeat\ndata: null\n\n"
            await asyncio.sleep(0.02)

    return StreamingResponse(parts(), media_type="text/event-stream")


async def silent(request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b": hello\n\n"
        while not released.is_set():
            await asyncio.sleep(0.02)

    return StreamingResponse(parts(), media_type="text/event-stream")


async def dribble(request: Request) -> Response:
    """What `drop` is, again and again, never an event; ends by itself for the sake of a test that fails."""

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(500):
            if released.is_set():
                return
            yield request.query_params["drop"].encode()
            await asyncio.sleep(0.02)

    return StreamingResponse(parts(), media_type="text/event-stream")


async def large(request: Request) -> Response:
    """As many bytes as `size` says in lines that end or do not, then as much again."""
    size, end = int(request.query_params["size"]), request.query_params["end"].encode()

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(2):
            yield b"data: "
            for _ in range(size // 10_000):
                yield b"x" * 10_000
            yield end

    return StreamingResponse(parts(), media_type="text/event-stream; charset=utf-16")


async def away(request: Request) -> Response:
    return RedirectResponse(request.query_params.get("to", str(request.url)), 302)


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    pages = {"echo": echo, "huge": huge, "drip": drip, "hang": hang, "broken": broken, "events": events}
    pages |= {"endless": endless, "away": away, "silent": silent, "dribble": dribble, "large": large}
    routes = [Route(f"/{name}", page, methods=["GET", "POST"]) for name, page in pages.items()]
    with serving(Starlette(routes=routes)) as url:
        yield url
        released.set()


@pytest.fixture
def http() -> Iterator[HttpUpstream]:
    one = HttpUpstream()
    yield one
    one._client.close()


def answering(answer: httpx.Response | Exception) -> HttpUpstream:
    """An adapter whose every request ends like that."""

    def handle(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return HttpUpstream(httpx.MockTransport(handle))


def code_of(error: pytest.ExceptionInfo[UpstreamError]) -> FailureCode:
    return error.value.failure.code


def test_any_status_is_an_answer(base: str, http: HttpUpstream) -> None:
    answer = http.send(
        HttpRequest(method="POST", url=f"{base}/echo", headers={"authorization": "Bearer s3cret"}, json={"a": 1})
    )
    assert (answer.status, answer.body, answer.headers["x-said"]) == (418, b'{"a":1}', "yes")
    assert seen[-1]["authorization"] == "Bearer s3cret"


@pytest.mark.parametrize("status", [400, 401, 500])
@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("authorization", "Bearer sk-marked-0123456789"),
        ("authorization", "Key sk-marked-0123456789"),
        ("x-key", "sk-marked-0123456789"),
        ("Api-Key", "sk-marked-0123456789"),
        ("x-goog-api-key", "sk-marked-0123456789"),
        ("X-Amz-Security-Token", "sk-marked-0123456789"),
    ],
)
def test_a_refusal_does_not_repeat_the_credential(status: int, header: str, value: str) -> None:
    message = {"error": {"message": "Incorrect API key provided: sk-marked-0123456789."}}
    upstream = HttpUpstream(httpx.MockTransport(lambda request: httpx.Response(status, json=message)))
    headers = {header: value, "idempotency-key": "API key provided"}
    answer = upstream.send(HttpRequest(method="POST", url="https://upstream.invalid/v1", headers=headers))
    assert b"marked" not in answer.body
    assert b"Incorrect API key provided: [redacted]." in answer.body


def test_redirects_of_calls_are_not_followed(base: str, http: HttpUpstream) -> None:
    assert http.send(HttpRequest(method="POST", url=f"{base}/away?to={base}/echo")).status == 302


@pytest.mark.parametrize(("method", "code"), [("POST", FailureCode.AMBIGUOUS), ("GET", FailureCode.UPSTREAM_TIMEOUT)])
def test_no_answer_in_time(base: str, http: HttpUpstream, method: str, code: FailureCode) -> None:
    with pytest.raises(UpstreamError) as caught:
        http.send(HttpRequest(method=method, url=f"{base}/hang", timeout=0.2))
    assert code_of(caught) is code


def test_files_go_out_as_a_form(base: str, http: HttpUpstream) -> None:
    files = [("image[]", InputBody(b"one", "image/png")), ("image[]", InputBody(b"two", "image/webp"))]
    answer = http.send(HttpRequest(method="POST", url=f"{base}/echo", form={"prompt": "кот"}, files=files))
    assert seen[-1]["content-type"].startswith("multipart/form-data")
    assert answer.body.count(b'name="image[]"') == 2
    assert "кот".encode() in answer.body


def test_fields_go_out_as_the_upstream_takes_forms(base: str, http: HttpUpstream) -> None:
    answer = http.send(HttpRequest(method="POST", url=f"{base}/echo", form={"scope": "a b"}))
    assert seen[-1]["content-type"] == "application/x-www-form-urlencoded"
    assert answer.body == b"scope=a+b"
    answer = http.send(HttpRequest(method="POST", url=f"{base}/echo", form={"prompt": "кот"}, multipart=True))
    assert seen[-1]["content-type"].startswith("multipart/form-data")
    assert b'name="prompt"\r\n\r\n' + "кот".encode() in answer.body
    assert b"filename" not in answer.body
    files = [("image", InputBody(b"one", "image/png"))]
    answer = http.send(
        HttpRequest(method="POST", url=f"{base}/echo", form={"prompt": "кот"}, files=files, multipart=True)
    )
    assert answer.body.count(b"filename") == 1


def test_nobody_there_cost_nothing(http: HttpUpstream) -> None:
    with pytest.raises(UpstreamError) as caught:
        http.send(HttpRequest(method="POST", url="http://127.0.0.1:1/x"))
    assert code_of(caught) is FailureCode.CAPACITY


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_answer_that_is_not_compressed_as_it_says(method: str) -> None:
    answer = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"plain"))
    with pytest.raises(UpstreamError) as caught:
        answering(answer).send(HttpRequest(method=method, url="https://upstream.invalid/v1"))
    assert code_of(caught) is FailureCode.BAD_PAYLOAD


def test_too_much_is_cut_off(base: str, http: HttpUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_upstream, "LARGEST_ANSWER", 1_000_000)
    with pytest.raises(UpstreamError) as caught:
        http.send(HttpRequest(method="GET", url=f"{base}/huge"))
    assert code_of(caught) is FailureCode.BAD_PAYLOAD


@pytest.mark.parametrize(
    ("method", "idempotent", "code"),
    [
        ("GET", False, FailureCode.UPSTREAM_TIMEOUT),
        ("POST", True, FailureCode.UPSTREAM_TIMEOUT),
        ("POST", False, FailureCode.AMBIGUOUS),
    ],
)
def test_a_steady_drip_does_not_last_for_ever(
    base: str, http: HttpUpstream, method: str, idempotent: bool, code: FailureCode
) -> None:
    with pytest.raises(UpstreamError) as caught:
        http.send(HttpRequest(method=method, url=f"{base}/drip", total_timeout=0.3, idempotent=idempotent))
    assert code_of(caught) is code


def test_events_of_an_answer_are_told_and_may_be_left_out(base: str, http: HttpUpstream) -> None:
    told = list[bytes]()

    def take(event: bytes) -> bool:
        told.append(event)
        return b"heartbeat" not in event

    answer = http.send(HttpRequest(method="POST", url=f"{base}/events", on_event=take))
    assert [b"heartbeat" in event for event in told] == [True, False]
    assert answer.body == told[1]
    assert http.send(HttpRequest(method="POST", url=f"{base}/events")).body == b"".join(told)


def test_an_answer_that_is_no_stream_is_read_as_ever(base: str, http: HttpUpstream) -> None:
    def take(event: bytes) -> bool:
        raise AssertionError(event)

    assert http.send(HttpRequest(method="POST", url=f"{base}/echo", json={"a": 1}, on_event=take)).body == b'{"a":1}'


@pytest.mark.parametrize("page", ["endless", "broken"])
def test_a_stream_that_does_not_end_well_is_ambiguous(base: str, http: HttpUpstream, page: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        http.send(HttpRequest(method="POST", url=f"{base}/{page}", total_timeout=0.3, on_event=lambda event: False))
    assert code_of(caught) is FailureCode.AMBIGUOUS


def test_events_are_put_together_across_chunks(base: str, http: HttpUpstream) -> None:
    got = list(http.stream(HttpRequest(method="GET", url=f"{base}/events"), time.time() + 10))
    assert [(entry.event, entry.data) for entry in got] == [("heartbeat", "null"), ("complete", "[1,\n2]")]


def test_a_stream_is_let_go_at_its_time(base: str, http: HttpUpstream) -> None:
    got = list(http.stream(HttpRequest(method="GET", url=f"{base}/endless"), time.time() + 1))
    assert {entry.event for entry in got} == {"heartbeat"}


def test_a_silent_stream_is_let_go_at_its_time_too(base: str, http: HttpUpstream) -> None:
    began = time.monotonic()
    assert list(http.stream(HttpRequest(method="GET", url=f"{base}/silent"), time.time() + 0.3)) == []
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("drop", [":%0A%0A", "x"])
def test_a_dripping_stream_is_let_go_at_its_time_too(base: str, http: HttpUpstream, drop: str) -> None:
    began = time.monotonic()
    assert list(http.stream(HttpRequest(method="GET", url=f"{base}/dribble?drop={drop}"), time.time() + 0.3)) == []
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("end", ["", "%0Adata: x%0A"])
def test_an_event_without_end_is_cut_off(base: str, http: HttpUpstream, end: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        list(http.stream(HttpRequest(method="GET", url=f"{base}/large?size=600000&end={end}"), time.time() + 10))
    assert code_of(caught) is FailureCode.BAD_PAYLOAD


def test_large_events_are_heard_and_read_as_utf_8(base: str, http: HttpUpstream) -> None:
    got = list(http.stream(HttpRequest(method="GET", url=f"{base}/large?size=600000&end=%0A%0A"), time.time() + 10))
    assert [event.data for event in got] == ["x" * 600_000] * 2


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (httpx.ConnectError("refused"), FailureCode.CAPACITY),
        (httpx.ConnectTimeout("lost"), FailureCode.CAPACITY),
        (httpx.Response(429), FailureCode.RATE_LIMITED),
        (httpx.Response(500), FailureCode.CAPACITY),
        (httpx.Response(503), FailureCode.CAPACITY),
        (httpx.Response(404), FailureCode.EXPIRED),
        (httpx.Response(410), FailureCode.EXPIRED),
        (httpx.Response(302), FailureCode.UPSTREAM_FAILED),
        (httpx.Response(401), FailureCode.UPSTREAM_FAILED),
        (httpx.Response(200, text="<html>"), FailureCode.UPSTREAM_FAILED),
        (httpx.ReadTimeout("silent"), FailureCode.UPSTREAM_TIMEOUT),
    ],
    ids=repr,
)
def test_a_stream_that_was_surely_never_opened_is_told_from_others(
    answer: httpx.Response | Exception, code: FailureCode
) -> None:
    with pytest.raises(UpstreamError) as caught:
        list(answering(answer).stream(HttpRequest(method="GET", url="https://upstream.invalid/e"), time.time() + 10))
    assert code_of(caught) is code


def test_a_broken_stream(base: str, http: HttpUpstream) -> None:
    with pytest.raises(UpstreamError) as caught:
        list(http.stream(HttpRequest(method="GET", url=f"{base}/broken"), time.time() + 10))
    assert code_of(caught) is FailureCode.UPSTREAM_FAILED


def test_a_stream_that_is_none(base: str, http: HttpUpstream) -> None:
    with pytest.raises(UpstreamError) as caught:
        list(http.stream(HttpRequest(method="GET", url=f"{base}/echo"), time.time() + 10))
    assert code_of(caught) is FailureCode.UPSTREAM_FAILED


def test_pictures_come_from_the_providers_own_host_even_when_it_is_private(base: str, http: HttpUpstream) -> None:
    with pytest.raises(UpstreamError, match="HTTP 418"):
        http.download(f"{base}/echo", trusted_base=base)
    assert "authorization" not in seen[-1]


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://169.254.169.254/latest/meta-data",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "ftp://example.invalid/x",
        "file:///etc/passwd",
        "https:///x",
        "",
    ],
)
def test_private_addresses_are_refused_directly_and_after_a_redirect(base: str, http: HttpUpstream, url: str) -> None:
    for address in (url, f"{base}/away?to={url}"):
        with pytest.raises(UpstreamError) as caught:
            http.download(address, trusted_base=base)
        assert code_of(caught) in (FailureCode.BAD_PAYLOAD, FailureCode.UPSTREAM_FAILED)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (httpx.ConnectError("refused"), FailureCode.UPSTREAM_FAILED),
        (httpx.ConnectTimeout("lost"), FailureCode.UPSTREAM_FAILED),
        (httpx.PoolTimeout("busy"), FailureCode.UPSTREAM_FAILED),
        (httpx.ReadTimeout("silent"), FailureCode.UPSTREAM_TIMEOUT),
        (httpx.Response(429), FailureCode.UPSTREAM_FAILED),
        (httpx.Response(503), FailureCode.UPSTREAM_FAILED),
        (httpx.Response(403), FailureCode.EXPIRED),
        (httpx.Response(404), FailureCode.EXPIRED),
        (httpx.Response(410), FailureCode.EXPIRED),
    ],
    ids=repr,
)
def test_a_picture_that_is_made_is_never_called_throttled(
    answer: httpx.Response | Exception, code: FailureCode
) -> None:
    with pytest.raises(UpstreamError) as caught:
        answering(answer).download("https://up.invalid/a.png", "https://up.invalid/v1")
    assert code_of(caught) is code
    assert not caught.value.failure.certainly_free


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.invalid:99999/x",
        "https://cdn.invalid:abc/x",
        "https://[x/y",
        "https://a..b/x",
        f"https://{'a' * 64}.invalid/x",
        "https://cdn.invalid\x00/x",
        f"https://cdn.invalid/{'x' * 70_000}",
    ],
    ids=lambda url: url[:30],
)
def test_addresses_that_are_none_directly_and_after_a_redirect(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_targets, "resolve", lambda host, port: ["8.8.8.8"])
    upstream = answering(httpx.Response(302, headers={"location": url}))
    with pytest.raises(UpstreamError) as caught:
        upstream.download(url, "https://up.invalid")
    assert code_of(caught) is FailureCode.BAD_PAYLOAD
    with pytest.raises(UpstreamError) as caught:
        upstream.download("https://up.invalid/x", "https://up.invalid")
    assert code_of(caught) in (FailureCode.BAD_PAYLOAD, FailureCode.UPSTREAM_FAILED)


def test_half_a_character_in_an_address_is_no_address() -> None:
    with pytest.raises(UpstreamError) as caught:
        answering(httpx.Response(200)).download("https://up.invalid/\ud83d", "https://up.invalid")
    assert code_of(caught) is FailureCode.BAD_PAYLOAD


def test_the_signature_of_an_address_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    answering(httpx.Response(200)).download("https://up.invalid/a.png?sig=SECRET", "https://up.invalid")
    assert "SECRET" not in caplog.text


def test_redirects_end(base: str, http: HttpUpstream) -> None:
    with pytest.raises(UpstreamError, match="HTTP 302"):
        http.download(f"{base}/away", trusted_base=base)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "192.0.0.8", "192.88.99.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1",
        "fc00::1", "ff02::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
        "2001:db8::1", "3fff::1", "100::1", "5f00::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(address)


PUBLIC, PRIVATE, ALPHA = "93.184.216.34", "10.0.0.1", "https://alpha.example.com"
PICTURE_URL = "https://cdn.example.com/p.png"


def scripted(*answers: httpx.Response) -> tuple[HttpUpstream, list[httpx.Request]]:
    """The real client on a network that gives these answers, one after the other."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return answers[len(sent) - 1]

    return HttpUpstream(httpx.MockTransport(answer)), sent


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    def resolve(host: str, port: int) -> list[str]:
        if not addresses:
            raise OSError("no such host")
        return list(addresses)

    monkeypatch.setattr(picture_targets, "resolve", resolve)


def asked_for(request: httpx.Request) -> tuple[str, str]:
    """The URL of a request, and what is connected to."""
    return f"https://{request.headers['host']}{request.url.path}", request.url.host


@pytest.mark.parametrize("url", [PICTURE_URL, "https://[2606:2800:220:1:248:1893:25c8:1946]/p.png"])
def test_a_picture_on_another_public_host_is_fetched_once(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, PUBLIC)
    http, sent = scripted(httpx.Response(200, content=b"png"))
    assert http.download(url, ALPHA) == b"png"
    assert [asked_for(entry) for entry in sent] == [(url, PUBLIC)]


def test_a_picture_that_has_moved_is_followed_to_another_public_host(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, PUBLIC)
    http, sent = scripted(httpx.Response(302, headers={"location": PICTURE_URL}), httpx.Response(200, content=b"png"))
    assert http.download(f"{ALPHA}/p", ALPHA) == b"png"
    assert [asked_for(entry) for entry in sent] == [(f"{ALPHA}/p", "alpha.example.com"), (PICTURE_URL, PUBLIC)]


@pytest.mark.parametrize(
    ("url", "addresses", "code", "words"),
    [
        (PICTURE_URL, (PUBLIC, PRIVATE), FailureCode.BAD_PAYLOAD, "on a private network"),
        (PICTURE_URL, (PRIVATE, PUBLIC), FailureCode.BAD_PAYLOAD, "on a private network"),
        (PICTURE_URL, (), FailureCode.UPSTREAM_FAILED, "without an address"),
        ("http://cdn.example.com/p.png", (PUBLIC,), FailureCode.BAD_PAYLOAD, "no https address"),
        ("https://cdn_.exa!mple.com/p.png", (PUBLIC,), FailureCode.BAD_PAYLOAD, "no https address"),
    ],
)
def test_a_picture_anywhere_else_is_never_asked_for(
    url: str, addresses: tuple[str, ...], code: FailureCode, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolving(monkeypatch, *addresses)
    http, sent = scripted()
    with pytest.raises(UpstreamError, match=words) as refused:
        http.download(url, ALPHA)
    assert refused.value.failure.code is code
    assert sent == []


def test_a_picture_is_left_as_it_is_whatever_is_in_it() -> None:
    credential = "k" * 40
    http, _ = scripted(httpx.Response(200, content=credential.encode()))
    request = HttpRequest(method="GET", url=ALPHA, headers={"authorization": f"Bearer {credential}"})
    assert http.send(request).body == credential.encode()


def test_a_stream_is_opened_with_the_credential() -> None:
    stream = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=b"event: done\ndata: 1\n\n")
    http, sent = scripted(stream)
    request = HttpRequest(method="GET", url=ALPHA, headers={"authorization": "Bearer secret"})
    assert [entry.data for entry in http.stream(request, time.time() + 60)] == ["1"]
    assert sent[0].headers["authorization"] == "Bearer secret"


def test_a_call_of_no_address_is_a_failure_in_our_words(http: HttpUpstream) -> None:
    with pytest.raises(UpstreamError, match="an upstream: an address that is none") as refused:
        http.send(HttpRequest(method="GET", url="https://alpha:port/"))
    assert refused.value.failure.code is FailureCode.BAD_PAYLOAD


def test_a_provider_without_private_network_is_reached_at_a_public_address_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    event = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=b"event: a\ndata: 1\n\n")
    http, sent = scripted(httpx.Response(200), event)
    confined = http.confined(Reach())
    resolving(monkeypatch, PUBLIC)
    assert confined.send(HttpRequest(method="POST", url=f"{ALPHA}/x", json={})).status == 200
    assert [entry.data for entry in confined.stream(HttpRequest(method="GET", url=f"{ALPHA}/s"), time.time() + 5)] == [
        "1"
    ]
    assert [entry.url.host for entry in sent] == [PUBLIC] * 2
    resolving(monkeypatch, PUBLIC, PRIVATE)
    with pytest.raises(UpstreamError, match="private_network = true") as refused:
        confined.send(HttpRequest(method="POST", url=f"{ALPHA}/x", json={}))
    assert refused.value.failure.code is FailureCode.AUTH
    with pytest.raises(UpstreamError, match="private_network = true"):
        [*confined.stream(HttpRequest(method="GET", url=f"{ALPHA}/s"), time.time() + 5)]
    with pytest.raises(UpstreamError, match="private network"):
        confined.download(f"{ALPHA}/p.png", ALPHA)
    assert len(sent) == 2


def test_a_provider_with_private_network_is_reached_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, PRIVATE)
    http, sent = scripted(httpx.Response(200), httpx.Response(200, content=b"png"))
    confined = http.confined(Reach(private_network=True))
    assert confined.send(HttpRequest(method="POST", url=f"{ALPHA}/x", json={})).status == 200
    assert confined.download(f"{ALPHA}/p.png", ALPHA) == b"png"
    assert [entry.url.host for entry in sent] == ["alpha.example.com"] * 2


def test_pictures_come_from_the_hosts_that_the_provider_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, PUBLIC)
    http, sent = scripted(*[httpx.Response(200, content=b"png")] * 3)
    listed = Reach(picture_hosts=("cdn.example.com",))
    assert http.confined(listed).download(PICTURE_URL, ALPHA) == b"png"
    assert http.confined(listed).download(f"{ALPHA}/p.png", ALPHA) == b"png"
    for foreign in (
        "https://other.example.com/p.png",
        "https://cdn.example.com:8443/p.png",
        "http://cdn.example.com/p",
    ):
        with pytest.raises(UpstreamError, match=r"picture_hosts|https") as refused:
            http.confined(listed).download(foreign, ALPHA)
        assert refused.value.failure.code is FailureCode.BAD_PAYLOAD
    resolving(monkeypatch, PRIVATE)
    with pytest.raises(UpstreamError, match="private network"):
        http.confined(listed).download(PICTURE_URL, ALPHA)
    both = Reach(private_network=True, picture_hosts=("nas:9000",))
    assert http.confined(both).download("http://nas:9000/p.png", ALPHA) == b"png"
    assert [entry.url.host for entry in sent] == [PUBLIC, PUBLIC, "nas"]
