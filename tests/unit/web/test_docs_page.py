"""`/docs` loads nothing from other hosts, and its policy forbids it."""

import re
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from imagegate.web.docs_page import PATHS
from support.gateway import Answered, Gateway

HOST = "https://api.invalid"
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".png": "image/png"}

_URLS = re.compile(r"url\(\s*[\"']?([^\"')]*)")


class References(HTMLParser):
    """The addresses in a page, and whether there is code in the page itself."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.addresses += [value for name in ("src", "href", "action", "data") if (value := named.get(name))]
        self.inline += [name for name in named if name.startswith("on") or name == "style"]
        if tag == "style" or (tag == "script" and "src" not in named):
            self.inline.append(tag)


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(access="keys")


def get(gateway: Gateway, address: str) -> Answered:
    parts = urlsplit(address)
    assert f"{parts.scheme}://{parts.netloc}" == HOST, "it is on another origin"
    return gateway.call("GET", parts.path)


def policy(answer: Answered) -> dict[str, list[str]]:
    rules = (rule.split() for rule in answer.headers["content-security-policy"].split(";"))
    return {name: values for name, *values in rules}


def test_everything_comes_from_here(gateway: Gateway) -> None:
    page = get(gateway, f"{HOST}/docs")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    found = References(page.text)
    assert found.inline == []
    addresses = {urljoin(f"{HOST}/docs", address) for address in found.addresses}
    assert {urlsplit(address).path for address in addresses} == {*PATHS} - {"/docs"}
    for address in addresses:
        kind = TYPES[address[address.rindex(".") :]]
        if kind == "image/png":
            continue
        answer = get(gateway, address)
        assert (answer.status, answer.headers["content-type"]) == (200, kind)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert kind != TYPES[".css"] or all(entry.startswith("data:") for entry in _URLS.findall(answer.text))
        assert not re.search(r"@import|importScripts\(", answer.text)


def test_the_picture_of_the_page_is_one(gateway: Gateway) -> None:
    event = {"version": "2.0", "headers": {"host": "a"}, "rawQueryString": "", "body": ""}
    context: dict[str, Any] = {"http": {"method": "GET", "path": "/docs/favicon.png", "sourceIp": "127.0.0.1"}}
    answer = gateway.handler({**event, "requestContext": context}, None)
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, True)
    assert answer["headers"]["content-type"] == "image/png"


def test_the_page_shows_this_apis_document(gateway: Gateway) -> None:
    script = get(gateway, f"{HOST}/docs/start.js").text
    (url,) = re.findall(r'url: "([^"]*)"', script)
    assert get(gateway, urljoin(f"{HOST}/docs", url)).json()["info"]["title"] == "imagegate"
    assert "validatorUrl: null" in script, "a validator elsewhere would be asked"


def test_the_policy_allows_nothing_else(gateway: Gateway) -> None:
    rules = policy(get(gateway, f"{HOST}/docs"))
    assert rules["default-src"] == rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == ["'none'"]
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == ["'self'"]
    assert {source for values in rules.values() for source in values} == {"'none'", "'self'", "data:"}


def test_assets_fit_into_lambdas_answer() -> None:
    """`/docs` sends them as text, which Lambda escapes."""
    folder = files("fastapi_offline") / "static"
    for name in ("swagger-ui-bundle.js", "swagger-ui.css"):
        text = (folder / name).read_text()
        assert len(text.encode()) + sum(map(text.count, '"\\\n')) < 3_000_000


@pytest.mark.parametrize(
    "path", ["/redoc", "/docs/oauth2-redirect", "/docs/redoc.standalone.js", "/docs/../openapi.json"]
)
def test_there_are_no_other_pages(path: str) -> None:
    assert Gateway().call("GET", path).status == 404


@pytest.mark.parametrize("path", PATHS)
def test_it_is_read_only(gateway: Gateway, path: str) -> None:
    assert gateway.call("POST", path, b"{}").status == 405
    assert gateway.call("HEAD", path).status == 200
