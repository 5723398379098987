"""Which requests a server on loopback takes from browsers."""

import asyncio
from typing import Any

import pytest

from imagegate.local.origin_policy import FOREIGN_PAGE, WRONG_HOST, OriginGuard, OriginPolicy, parse_origins

NAMED = OriginPolicy(origins=parse_origins(["https://app.example.com", " http://localhost:3000 ", ""]))
HERE = "127.0.0.1:1337"


def scope(method: str = "GET", path: str = "/", **headers: str | list[str]) -> dict[str, Any]:
    """An ASGI scope; a header with several values is there several times."""
    given = {"host": HERE, **{name.replace("_", "-"): value for name, value in headers.items()}}
    pairs = [
        (name, element) for name, value in given.items() for element in ([value] if isinstance(value, str) else value)
    ]
    raw = [(name.encode(), value.encode("latin-1")) for name, value in pairs]
    return {"type": "http", "scheme": "http", "method": method, "path": path, "headers": raw}


@pytest.mark.parametrize(
    "host", [HERE, "127.0.0.1", "localhost", "LOCALHOST:80", "localhost:65535", "[::1]", "[::1]:1337", "127.3.2.1:9"]
)
def test_the_names_of_loopback_are_answered_on_any_port(host: str) -> None:
    assert OriginPolicy().refusal(scope(host=host)) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:1337",
        "",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "evil.localhost",
        "localhost.",
        "localhost:",
        "localhost:1337:1",
        "localhost@evil.example",
        "evil.example#localhost",
        "127.0.0.1, evil.example",
        "127.0.0.1 evil.example",
        "0.0.0.0:1337",
        "192.168.0.1",
        "[::]",
        "::1",
        "[::1",
        "2130706433",
        "0x7f.1",
        "\xe9vil",
        ["localhost", "evil.example"],
        ["localhost", "localhost"],
        [],
    ],
)
def test_every_other_host_is_refused(host: str | list[str]) -> None:
    assert OriginPolicy().refusal(scope(host=host)) == WRONG_HOST
    assert NAMED.refusal(scope(host=host, origin="https://app.example.com")) == WRONG_HOST


def test_names_below_localhost_count_where_the_policy_says_so() -> None:
    policy = OriginPolicy(subdomains=True, hosts=frozenset({"images.example.com"}))
    assert policy.refusal(scope(host="bucket.s3.localhost:1338")) is None
    assert policy.refusal(scope(host="images.example.com")) is None
    assert policy.refusal(scope(host="localhost.example.com")) == WRONG_HOST


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "http://localhost:1337",
        "http://127.0.0.1",
        "http://127.0.0.1:3000",
        "https://127.0.0.1:1337",
        "http://127.0.0.1:1337.evil.example",
        "file://",
        "chrome-extension://abcdef",
        "https://app.example.com.evil.example",
        "https://app.example.com, https://evil.example",
        ["https://app.example.com", "https://evil.example"],
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "DELETE"])
def test_pages_of_other_origins_are_refused(method: str, origin: str | list[str]) -> None:
    idempotent = OriginPolicy(origins=NAMED.origins, idempotent=lambda _: True)
    for policy in (OriginPolicy(), NAMED, idempotent):
        assert policy.refusal(scope(method, origin=origin)) == FOREIGN_PAGE
        assert policy.refusal(scope(method, origin=origin, sec_fetch_site="same-origin")) == FOREIGN_PAGE


@pytest.mark.parametrize("origin", [f"http://{HERE}", "https://app.example.com", "https://APP.example.com"])
def test_the_own_origin_and_those_that_are_named_pass(origin: str) -> None:
    assert NAMED.refusal(scope("POST", origin=origin, sec_fetch_site="cross-site")) is None


@pytest.mark.parametrize("site", ["cross-site", "same-site", "another", ["none", "cross-site"]])
def test_without_an_origin_the_site_decides(site: str | list[str]) -> None:
    """Another port of localhost is another origin of the same site."""
    assert NAMED.refusal(scope(sec_fetch_site=site)) == FOREIGN_PAGE
    idempotent = OriginPolicy(idempotent=lambda _: True)
    assert idempotent.refusal(scope(sec_fetch_site=site)) is None
    assert idempotent.refusal(scope("POST", sec_fetch_site=site)) == FOREIGN_PAGE


@pytest.mark.parametrize("site", ["same-origin", "none", []])
def test_own_pages_typed_addresses_and_programs_pass(site: str | list[str]) -> None:
    assert OriginPolicy().refusal(scope("POST", sec_fetch_site=site)) is None


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_the_guard_refuses_before_the_application_hears_of_it(kind: str) -> None:
    reached, sent = [], []

    async def app(*_: Any) -> None:
        reached.append(True)

    async def send(message: Any) -> None:
        sent.append(message)

    requests = {**scope(host="evil.example"), "type": kind}
    asyncio.run(OriginGuard(app, OriginPolicy())(requests, app, send))  # type: ignore[arg-type]
    assert not reached
    assert sent[0].get("status", sent[0].get("code")) in (403, 1008)
