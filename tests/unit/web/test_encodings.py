"""Texts that are not UTF-8, or name another charset, are refused with 400 in the caller's dialect."""

import json
import time
from typing import Any

import pytest

from imagegate.domain.errors import InvalidRequest
from imagegate.web.forms import parse_form
from support.fuzz_server import able_routes
from support.gateway import Answered, Gateway
from support.hostile import event_of
from support.hostile_corpus import data_url, part, png

EDITS = "/v1/images/edits"
GENERATIONS = "/v1/images/generations"
YANDEX = "/foundationModels/v1/imageGenerationAsync"
BODIES = {
    GENERATIONS: {"prompt": "a"},
    "/v1/operations": {"model": "flux", "prompt": "a"},
    YANDEX: {"modelUri": "art://f/flux", "messages": [{"text": "a"}]},
}
CODECS = ["undefined", "idna", "punycode", "utf-7", "unicode_escape", "raw_unicode_escape", "utf-16", "utf-32", "hex",
          "zip", "rot13", "mbcs", "cp037", "iso2022_jp", "gb18030", "\x00", "é", "utf-8\x00", "latin-1"]  # fmt: skip


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(hold_seconds=0, routes=able_routes())


def form(*parts: bytes, end: bytes = b"--b--\r\n") -> bytes:
    return b"".join(b"--b\r\n" + part for part in parts) + end


def send_form(gateway: Gateway, body: bytes, more: str = "") -> Answered:
    return gateway.call("POST", EDITS, body, content_type=f"multipart/form-data; boundary=b{more}")


def is_refused(answer: Answered, dialect: str) -> bool:
    """Whether it is a 400 in the dialect's own shape."""
    body = answer.json()
    shape = {GENERATIONS: ["error"], YANDEX: ["error", "code", "message", "details"]}
    own = list(body) == shape[dialect] if dialect in shape else body["code"] == "invalid_request"
    return answer.status == 400 and own


@pytest.mark.parametrize("codec", CODECS)
def test_a_form_names_no_codec(gateway: Gateway, codec: str) -> None:
    for body in (form(part("prompt", b"x")), form(part("prompt", b"+2AA-")), form(part("prompt", b"\xff"))):
        answer = send_form(gateway, body, f'; charset="{codec}"')
        assert is_refused(answer, GENERATIONS), answer.text
        assert "charset" in answer.json()["error"]["message"]
    image = part("image", png(8, 8), "x.png")
    of_a_part = part("prompt", b"x", more=f"Content-Type: text/plain; charset={codec}\r\n")
    of_a_field = part("_charset_", codec.encode())
    expected = 303 if codec == "latin-1" else 400
    assert send_form(gateway, form(image, of_a_part)).status == expected, "ASCII is the same in Latin-1"
    assert is_refused(send_form(gateway, form(image, of_a_field, part("prompt", b"x"))), GENERATIONS)


@pytest.mark.parametrize("charset", ["", "; charset=utf-8", '; charset="UTF-8"', "; charset=us-ascii"])
def test_what_clients_say_of_utf8_is_taken(gateway: Gateway, charset: str) -> None:
    of_apache = "Content-Type: text/plain; charset=ISO-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n"
    fields = part("prompt", "кот 🐈 שלום".encode()), part("user", b"me", more=of_apache)
    answer = send_form(gateway, form(part("image", png(8, 8), "кот.png"), *fields), charset)
    assert answer.status == 303, answer.text
    (operation,) = (gateway.store.get(document) for document in gateway.store.documents)
    assert operation
    assert operation.request.prompt == "кот 🐈 שלום"


@pytest.mark.parametrize(
    "odd",
    [
        part("prompt", b"\xff\xfe"),
        part("prompt", b"\xed\xa0\x80"),
        part("prompt", "é".encode("latin-1")),
        part("prompt", "é".encode(), more="Content-Type: text/plain; charset=iso-8859-1\r\n"),
        part("prompt", b"eA==", more="Content-Transfer-Encoding: base64\r\n"),
        part("prompt", b"=78", more="content-transfer-encoding: Quoted-Printable\r\n"),
        part("user", "a\u202eb".encode()),
        part("user", b"a\xc2\x9b"),
        part("webhook", b"[" * 100_000),
        part("webhook", b'{"url":"https://example.com/","url":"https://example.com/"}'),
        part("n", b"9" * 5000),
        part("seed", "٣".encode()),
        part("p" * 200, b"x"),
        part("p\x1b", b"x"),
        b"Content-Disposition: form-data; name*=utf-7''prompt\r\n\r\nx\r\n",
        b"Content-Disposition: form-data; filename*=punycode''a\r\n\r\nx\r\n",
        b"Content-Disposition: form-data; name=\xff\r\n\r\nx\r\n",
        b"Content-Disposition: form-data\r\n\r\nx\r\n",
        b"A: b\r\n" * 100 + b"\r\nx\r\n",
        b"A: " + b"b" * 20_000 + b"\r\n\r\nx\r\n",
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_an_odd_part_is_refused(gateway: Gateway, odd: bytes) -> None:
    answer = send_form(gateway, form(part("image", png(8, 8), "x.png"), odd, part("user", b"u")))
    assert is_refused(answer, GENERATIONS), answer.text
    assert gateway.images.objects == {}
    assert len(answer.text) < 1000


def test_the_name_of_a_file_is_not_read(gateway: Gateway) -> None:
    """So its encoding does not matter: browsers send any."""
    for filename in (b'"\xff\xfe.png"', b"\"a\"; filename*=utf-7''%ff", b'"a\\"b"'):
        body = b"Content-Disposition: form-data; name=image; filename=" + filename + b"\r\n\r\n" + png(8, 8) + b"\r\n"
        assert send_form(gateway, form(body, part("prompt", b"x"))).status == 303


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("punycode", form(*(part(f"f{at}", b"a-" * 400_000) for at in range(4)))),
        ("fields", form(*(part(f"f{at}", b"") for at in range(60_000)))),
        ("files", form(*(part("image", b"", "x") for at in range(60_000)))),
        ("headers", b"--b\r\n" + b"a:b\r\n" * 1_000_000),
        ("almost boundaries", form(part("image", b"\r\n--" * 1_000_000, "x"))),
        ("carriage returns", form(part("image", b"\r" * 5_000_000, "x"))),
        ("epilogue", form(part("prompt", b"x"), end=b"--b--" + b"\r\n--b" * 900_000)),
        ("preamble", b"\r\n-" * 1_500_000 + form(part("prompt", b"x"))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_form_costs_no_more_than_its_bytes(gateway: Gateway, name: str, body: bytes) -> None:
    began = time.process_time()
    answer = send_form(gateway, body, "; charset=punycode" if name == "punycode" else "")
    assert is_refused(answer, GENERATIONS)
    assert time.process_time() - began < 1


def test_a_boundary_is_of_a_length(gateway: Gateway) -> None:
    for boundary in ("", "; boundary=", f"; boundary={'b' * 5000}", "; boundary*=utf-7''b"):
        answer = gateway.call("POST", EDITS, form(part("prompt", b"x")), content_type=f"multipart/form-data{boundary}")
        assert is_refused(answer, GENERATIONS)
    assert (
        len(parse_form("multipart/form-data; boundary=*****", b"--*****\r\n" + part("a", b"b") + b"--*****--", 1)) == 1
    )


def test_the_end_of_a_form_is_part_of_it() -> None:
    whole = form(part("prompt", b"x"), part("image", b"y", "z"))
    assert [
        (entry.name, entry.is_file, entry.body) for entry in parse_form("multipart/form-data; boundary=b", whole, 1)
    ] == [
        ("prompt", False, b"x"),
        ("image", True, b"y"),
    ]
    for cut in range(1, len(whole) - len(b"--\r\n")):
        with pytest.raises(InvalidRequest):
            parse_form("multipart/form-data; boundary=b", whole[:cut], 1)


@pytest.mark.parametrize("path", BODIES)
def test_a_body_in_another_charset_is_refused(gateway: Gateway, path: str) -> None:
    text = json.dumps(BODIES[path] | {"user": "é"}, ensure_ascii=False)
    for charset in ("utf-16", "utf-32", "latin-1", "cp037", "utf-16-le"):
        for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
            answer = gateway.call("POST", path, text.encode(charset), content_type=f"{kind}; charset={charset}")
            assert is_refused(answer, path), answer.text
    assert is_refused(
        gateway.call("POST", path, b"prompt=a&n=%ff", content_type="application/x-www-form-urlencoded"), path
    )


@pytest.mark.parametrize("path", BODIES)
def test_a_nested_document_in_a_text_is_read_as_strictly_as_the_body(gateway: Gateway, path: str) -> None:
    for bomb in ("[" * 100_000, '{"a":' * 10_000, '{"a":' + "9" * 100_000 + "}", '{"url":"\\ud800"}'):
        answer = gateway.call("POST", path, BODIES[path] | {"webhook": bomb})
        assert answer.status == (200 if path == YANDEX else 400), "YandexART has no such field"


def test_base64_is_ascii(gateway: Gateway) -> None:
    for url in (data_url(png(8, 8)) + "é", "data:image/png;base64,\u0660", "data:image/png;base64,\x00"):
        assert is_refused(gateway.call("POST", EDITS, {"prompt": "a", "images": [{"image_url": url}]}), GENERATIONS)


@pytest.mark.parametrize(
    ("path", "name"), [*((path, "idempotency-key") for path in BODIES), (YANDEX, "x-client-request-id")]
)
@pytest.mark.parametrize("value", ["a\x1b[2J", "a\r\nset-cookie: x=1", "\x00", "\u202e", "\u2028", "\x85", "a\tb"])
def test_an_id_in_a_header_is_one_line(gateway: Gateway, path: str, name: str, value: str) -> None:
    answer = gateway.call("POST", path, BODIES[path], **{name: value})
    assert is_refused(answer, path), answer.text
    assert value not in str(answer.headers.values())
    assert not gateway.store.documents


def test_an_id_in_a_header_comes_back_as_it_was(gateway: Gateway) -> None:
    for sent in ("c-1", "ключ 🗝", "é" * 300):
        answer = gateway.call("POST", YANDEX, BODIES[YANDEX], x_client_request_id=sent)
        assert answer.headers["x-client-request-id"] == sent
        operation = gateway.store.get(answer.json()["id"])
        assert operation
        assert operation.metadata == {"client_request_id": sent[:255]}


TARGETS: list[tuple[str, str, str]] = [
    ("GET", "/v1/models/%ff", ""),
    ("GET", "/v1/models/%C3%28", ""),
    ("GET", "/v1/operations/%0d%0ax", ""),
    ("GET", "/v1/operations/%00", ""),
    ("GET", "/operations/%E2%80%AE", ""),
    ("POST", "/api/%1b%5b2J/images/generations", ""),
    ("POST", "/api/%E2%80%AEx/images/generations", ""),
    ("GET", "/v1/operations", "model=%ff"),
    ("GET", "/v1/operations", "model=%00"),
    ("GET", "/v1/operations", "model=%E2%80%A8"),
    ("GET", "/v1/operations", "model=é"),
    ("GET", "/v1/operations", "x=%ed%a0%80"),
    ("GET", "/v1/usage", "%ff=1"),
    ("GET", "/v1/models", "a=%c3"),
]


@pytest.mark.parametrize(("method", "path", "query"), TARGETS)
def test_the_line_of_a_request_is_utf8(gateway: Gateway, method: str, path: str, query: str) -> None:
    answer = gateway.handle(
        event_of(method, path, query, {"host": "a"}, b'{"prompt":"a"}' if method == "POST" else b"")
    )
    body: dict[str, Any] = answer.json()
    assert answer.status == 400, answer.text
    assert ("error" in body) != ("request_id" in body), "in the shape of the path's dialect"
    assert "\ufffd" not in answer.text
    assert "\u202e" not in answer.text


def test_the_line_of_a_request_may_be_in_any_script(gateway: Gateway) -> None:
    missing = gateway.handle(event_of("GET", "/v1/models/%D0%BA%D0%BE%D1%82%20%F0%9F%90%88", "", {"host": "a"}, b""))
    assert (missing.status, "кот 🐈" in missing.text) == (404, True)
    replaced = gateway.handle(event_of("GET", "/v1/models/%EF%BF%BD", "", {"host": "a"}, b""))
    assert (replaced.status, "\ufffd" in replaced.text) == (404, True), "it is a character like others"
    found = gateway.handle(event_of("GET", "/v1/operations", "model=%D7%A9%D7%9C+%25&page_size=1", {"host": "a"}, b""))
    assert (found.status, found.json()["operations"]) == (200, [])
