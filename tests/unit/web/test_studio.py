"""The studio is served from the package: three files, no code in the page, and nothing from other hosts."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from imagegate.web.studio import bundle
from imagegate.web.studio.page import content_policy, is_public
from support.gateway import Answered, Gateway
from unit.web.test_docs_page import HOST, References, policy

ASSETS = Path(bundle.__file__).with_name("assets")
MODULES = sorted((ASSETS / "js").glob("*.js"))
LARGEST = 150_000
"""Bytes of the whole page, compressed."""
_NAMED = re.compile(r'^import \{ ([^}]*) \} from "\./(\w+)\.js";$', re.MULTILINE)


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(access="keys")


def get(gateway: Gateway, path: str, **headers: str) -> Answered:
    return gateway.call("GET", path, **headers)


def addresses(page: Answered) -> list[str]:
    found = (address for address in References(page.text).addresses if not address.startswith("data:"))
    return [urljoin(f"{HOST}/", address) for address in found]


def test_the_page_is_public_and_everything_in_it_comes_from_here(gateway: Gateway) -> None:
    page = get(gateway, "/")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert References(page.text).inline == []
    assert len(addresses(page)) == 2
    for address in addresses(page):
        assert address.startswith(f"{HOST}/studio/")
        answer = get(gateway, urlsplit(address).path)
        assert answer.status == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert not re.search(r"@import|url\(|importScripts|innerHTML|\beval\(", answer.text)


def test_the_policy_allows_no_code_in_the_page_and_pictures_of_the_bucket(gateway: Gateway) -> None:
    rules = policy(get(gateway, "/"))
    assert rules["default-src"] == rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == ["'none'"]
    assert rules["script-src"] == rules["style-src"] == ["'self'"]
    assert rules["connect-src"] == ["'self'", gateway.images.sign_upload("x", "image/png", 1, 1)[0]]
    assert rules["require-trusted-types-for"] == ["'script'"]
    bucket = urlsplit(gateway.images.presign("x"))
    assert rules["img-src"] == ["'self'", "blob:", "data:", f"{bucket.scheme}://{bucket.netloc}"]
    assert "unsafe" not in content_policy("https://bucket.example/x", "https://bucket.example/")


def test_nothing_is_sent_twice_to_a_browser_that_has_it(gateway: Gateway) -> None:
    for path in ("/", *(urlsplit(address).path for address in addresses(get(gateway, "/")))):
        etag = get(gateway, path).headers["etag"]
        again = get(gateway, path, if_none_match=etag)
        assert (again.status, again.text) == (304, "")
        assert get(gateway, path, if_none_match='W/"other"').status == 200


def test_a_page_of_another_version_keeps_nothing(gateway: Gateway) -> None:
    assert get(gateway, "/studio/0123456789abcdef/studio.js").headers["cache-control"] == "no-cache"
    assert get(gateway, "/").headers["cache-control"] == "no-cache"


def test_browsers_get_it_compressed_and_light(gateway: Gateway) -> None:
    found = bundle.load()
    assert sum(map(len, found.compressed.values())) < LARGEST
    answer = get(gateway, "/", accept_encoding="gzip, br")
    assert (answer.headers["content-encoding"], answer.headers["vary"]) == ("gzip", "accept-encoding")


@pytest.mark.parametrize(
    "path", ["/studio/0/main.js", "/studio/0/..%2fpage.py", "/studio/0", "/studio/", "/studio/0/a"]
)
def test_there_are_no_other_files(gateway: Gateway, path: str) -> None:
    assert get(gateway, path).status == 404


@pytest.mark.parametrize(("method", "public"), [("GET", True), ("HEAD", True), ("POST", False), ("DELETE", False)])
def test_only_reading_the_page_needs_no_key(gateway: Gateway, method: str, public: bool) -> None:
    assert is_public(method, "/") is public
    assert gateway.call(method, "/", b"{}").status == (200 if public else 401)


def test_a_deployment_may_have_none() -> None:
    for path in ("/", "/studio/0/studio.js"):
        assert get(Gateway(access="keys", studio=False), path).status == 401
        assert get(Gateway(studio=False), path).status in (404, 405)


@pytest.mark.slow
def test_a_cold_start_reads_none_of_it() -> None:
    code = (
        "import sys; from support.gateway import Gateway; Gateway().call('GET', '/health');"
        "print('imagegate.web.studio.bundle' in sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert ended.stdout == "False\n"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_every_module_uses_what_it_imports_and_imports_what_is_exported(path: Path) -> None:
    source = path.read_text()
    body = _NAMED.sub("", source)
    for names, module in _NAMED.findall(source):
        exported = bundle._EXPORT.findall((ASSETS / "js" / f"{module}.js").read_text())
        for name in names.split(", "):
            assert name in exported, f"{module} does not export {name}"
            assert re.search(rf"\b{name}\b", body), f"{name} is imported and not used"
    assert "import " not in body.split("//")[0], "the server joins imports of this form only"


def test_no_module_is_left_out() -> None:
    joined = bundle.join_modules(ASSETS / "js")
    assert sorted(re.findall(r"^const module_(\w+) = ", joined, re.MULTILINE)) == [path.stem for path in MODULES]


def keys_of(language: str) -> dict[str, Any]:
    text = (ASSETS / "js" / f"{language}.js").read_text()
    return dict(re.findall(r'(?:^|[\s,{])"?([\w-]+)"?: ("(?:[^"\\]|\\.)*"|\{[^{}]*(?:\{\w+\}[^{}]*)*\})', text))


def test_both_languages_have_every_text() -> None:
    english, russian = keys_of("en"), keys_of("ru")
    same_in_both = {"snippet_curl", "snippet_openai-python", "snippet_javascript", "snippet_requests"}
    assert english.keys() - russian.keys() <= same_in_both | {"snippet_yandexart", "snippet_cli"}
    assert russian.keys() <= english.keys()
    for key in russian:
        assert set(re.findall(r"\{(\w+)\}", russian[key])) == set(re.findall(r"\{(\w+)\}", english[key])), key


def test_every_text_that_the_page_uses_exists() -> None:
    used = {key for path in MODULES for key in re.findall(r'\bt\("([\w-]+)"', path.read_text())}
    assert used <= keys_of("en").keys()
