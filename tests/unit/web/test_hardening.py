"""What a request must not be able to do to the front, one thing at a time."""

import base64
import json
from typing import Any

import pytest

from imagegate.domain.pictures.headers import LARGEST_PIXELS
from support.gateway import Gateway
from support.hostile import event_of
from support.hostile_corpus import data_url, jpeg, part, png, webp

EDITS = "/v1/images/edits"
JSON = {"host": "api.invalid", "content-type": "application/json"}


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(hold_seconds=0)


def test_an_upload_is_refused_by_its_header_before_anybody_decodes_it(gateway: Gateway) -> None:
    for bomb in (png(60_000, 60_000), jpeg(65_535, 65_535), webp(2**24, 2**24)):
        answer = gateway.call("POST", EDITS, {"prompt": "a", "images": [{"image_url": data_url(bomb)}]})
        assert answer.status == 400
        assert str(LARGEST_PIXELS) in answer.json()["error"]["message"]
    masked = {"images": [{"image_url": data_url(png(8, 8))}], "mask": {"image_url": data_url(png(9000, 9000))}}
    assert gateway.call("POST", EDITS, {"prompt": "a", **masked}).json()["error"]["param"] == "mask"
    assert gateway.images.objects == {}


def test_an_upload_without_a_size_is_damaged(gateway: Gateway) -> None:
    for body in (png(0, 8), b"\x89PNG\r\n\x1a\n", jpeg(8, 8)[:8]):
        answer = gateway.call("POST", EDITS, {"prompt": "a", "images": [{"image_url": data_url(body)}]})
        assert "damaged" in answer.json()["error"]["message"]


def test_a_form_that_never_ends_is_refused_and_left_nowhere(gateway: Gateway) -> None:
    body = b"--b\r\n" + part("prompt", b"a") + b"--b\r\n" + part("image", bytes(2_000_000), "x.png")[:-2]
    answer = gateway.call("POST", EDITS, body, content_type="multipart/form-data; boundary=b")
    assert answer.status == 400
    assert "its last part is not complete" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "headers",
    [
        {"host": ""},
        {"host": "a:b:c"},
        {"host": "[::1]:80"},
        {"host": "evil.invalid/path?"},
        {"host": "a:99999999"},
        {"host": "a", "x-forwarded-port": "x"},
        {"host": "a", "X-Forwarded-Port": ""},
        {"host": "a", "x-forwarded-proto": "javascript"},
        {"host": "a", "x-forwarded-host": "evil.invalid"},
        {"host": "a", "transfer-encoding": "chunked", "content-length": "7"},
        {"host": "a", "x-http-method-override": "DELETE"},
        {},
    ],
)
def test_no_header_changes_which_route_answers(gateway: Gateway, headers: dict[str, str]) -> None:
    answer = gateway.handle(event_of("GET", "/v1/models", "", headers, b""))
    assert (answer.status, answer.json()["object"]) == (200, "list")
    missing = gateway.handle(event_of("GET", "/v1/operations/none", "", headers, b""))
    assert (missing.status, missing.json()["code"]) == (404, "operation_not_found")


def test_nobody_is_sent_to_the_host_they_named(gateway: Gateway) -> None:
    answer = gateway.handle(event_of("GET", "/v1/models/flux/", "", {"host": "evil.invalid"}, b""))
    assert "evil" not in str(answer.headers)
    other = gateway.handle(event_of("POST", "/v1/operations/", "", {"host": "evil.invalid"}, b"{}"))
    assert (other.status, "location" in other.headers) == (404, False)


@pytest.mark.parametrize("sent", ["mine", "a\r\nset-cookie: x=1", "x" * 5000])
def test_a_request_id_is_the_gateways_own(gateway: Gateway, sent: str) -> None:
    answer = gateway.handle(event_of("GET", "/v1/models", "", {**JSON, "x-request-id": sent}, b""))
    assert answer.headers["x-request-id"] == "request-1"


def test_a_body_counts_as_what_its_flag_says(gateway: Gateway) -> None:
    text = json.dumps({"model": "flux", "prompt": "a"})
    plain = {**event_of("POST", "/v1/operations", "", JSON, b""), "body": text, "isBase64Encoded": False}
    coded = event_of("POST", "/v1/operations", "", JSON, text.encode())
    twice = {**plain, "body": base64.b64encode(text.encode()).decode()}
    assert [gateway.handle(entry).status for entry in (plain, coded, twice)] == [202, 202, 400]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("created_before=0001-01-01", 400),
        ("created_before=2026-01-01T00:00:00", 400),
        ("created_before=0001-01-01T00:00:00Z", 200),
        ("created_after=0001-01-01T00:00:00%2B14:00", 200),
        ("created_before=9999-12-31T23:59:59-14:00", 200),
        ("page_size=" + "9" * 400, 400),
        ("page_token=" + "A" * 201, 400),
        ("model=" + "m" * 201, 400),
        ("page_token=%00", 400),
        ("state=%F0%9F", 400),
        ("x=" + "y" * 9000, 400),
    ],
)
def test_queries_at_the_edge(gateway: Gateway, query: str, status: int) -> None:
    gateway.call("POST", "/v1/operations", {"model": "flux", "prompt": "a"})
    answer = gateway.handle(event_of("GET", "/v1/operations", query, JSON, b""))
    assert answer.status == status, answer.text
    found: dict[str, Any] = answer.json()
    if status == 200:
        assert len(found["operations"]) == ("before=0001" not in query)


def test_names_of_any_length_are_not_sent_back(gateway: Gateway) -> None:
    answer = gateway.call("POST", "/v1/operations", {"model": "flux", "prompt": "a", "x" * 100_000 + "\x00": 1})
    assert answer.status == 400
    assert len(answer.text) < 1000
