"""Long lists are compressed for callers that take it."""

import base64
import gzip
import json

import pytest

from support.gateway import Gateway, event


@pytest.mark.parametrize(("accepted", "compressed"), [("gzip, deflate", True), ("identity", False), ("", False)])
def test_a_long_list_is_compressed_where_that_is_taken(accepted: str, compressed: bool) -> None:
    gateway = Gateway()
    for at in range(10):
        gateway.call("POST", "/v1/operations", {"model": "flux", "prompt": f"a cat, number {at}"})
    asked = {"accept-encoding": accepted} if accepted else {}
    answer = gateway.handler(event("GET", "/v1/operations", b"", asked), None)
    assert answer["headers"]["vary"] == "accept-encoding"
    assert (answer["headers"].get("content-encoding") == "gzip") is compressed
    assert answer.get("isBase64Encoded", False) is compressed
    body = gzip.decompress(base64.b64decode(answer["body"])) if compressed else answer["body"]
    assert len(json.loads(body)["operations"]) == 10


def test_a_short_list_is_left_as_it_is() -> None:
    answer = Gateway().call("GET", "/v1/operations", accept_encoding="gzip")
    assert "content-encoding" not in answer.headers
    assert answer.json()["operations"] == []
