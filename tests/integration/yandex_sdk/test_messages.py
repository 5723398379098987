"""Protobuf has the last word on YandexART's JSON: what we answer it parses strictly, what it reads we read alike."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from imagegate.dialects.yandexart import requests as yandexart_requests
from imagegate.dialects.yandexart import responses as yandexart_responses
from imagegate.domain.characters import without_forbidden
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.operation import Operation
from imagegate.domain.request.request import ImageRequest
from support.gateway import Gateway
from support.yandex_processes import Protobuf, protobuf

pytestmark = [pytest.mark.yandex_sdk, pytest.mark.xdist_group("yandex-sdk")]
START = "/foundationModels/v1/imageGenerationAsync"
BODY = {"modelUri": "art://b1g/flux/latest", "messages": [{"text": "a fox"}]}
MANY = settings(max_examples=400)
Json = dict[str, Any]


@pytest.fixture(scope="module")
def oracle() -> Iterator[Protobuf]:
    with protobuf() as asking:
        yield asking


@pytest.fixture(scope="module")
def operation() -> Operation:
    gateway = Gateway()
    found = gateway.store.get(gateway.call("POST", START, BODY).json()["id"])
    assert found
    return found


def parsed(oracle: Protobuf, message: str, document: Json) -> Json:
    """The document in protobuf's canonical JSON; fails where a strict parser would."""
    answer = oracle.generation(parse=message, document=document)
    assert "canonical" in answer, answer
    return dict(answer["canonical"])


# What we answer


def test_the_oracle_is_strict(oracle: Protobuf) -> None:
    """These parse nowhere, so that the tests below can fail."""
    for wrong in ({"id": 5}, {"state": "done"}, {"done": True, "response": {"image": ""}}, {"createdAt": "yesterday"}):
        assert "rejected" in oracle.generation(parse="Operation", document=wrong)


def test_an_operation_under_way(oracle: Protobuf, operation: Operation) -> None:
    assert parsed(oracle, "Operation", yandexart_responses.render_pending(operation).body) == {"id": operation.id}


TIMES = st.floats(0, 4_000_000_000)


@MANY
@given(image=st.binary(), created=TIMES, updated=TIMES)
def test_a_picture(oracle: Protobuf, operation: Operation, image: bytes, created: float, updated: float) -> None:
    ended = replace(operation, created_at=created, updated_at=updated)
    seen = parsed(oracle, "Operation", yandexart_responses.render_success(ended, base64.b64encode(image).decode()).body)
    assert seen["done"] is True
    response = seen["response"]
    assert response.pop("@type") == yandexart_responses.RESPONSE_TYPE
    assert response == ({"image": base64.b64encode(image).decode()} if image else {})
    assert seconds(seen["createdAt"]) == pytest.approx(created, abs=1e-3)
    assert seconds(seen["modifiedAt"]) == pytest.approx(updated, abs=1e-3)


def seconds(rfc3339: str) -> float:
    return datetime.fromisoformat(rfc3339).astimezone(UTC).timestamp()


@MANY
@given(code=st.sampled_from(FailureCode), message=st.text(), updated=TIMES)
def test_a_failure(oracle: Protobuf, operation: Operation, code: FailureCode, message: str, updated: float) -> None:
    failure = Failure(code, message)
    body = yandexart_responses.render_failure(replace(operation, updated_at=updated), failure).body
    seen = parsed(oracle, "Operation", body)
    assert seen["done"] is True
    assert "response" not in seen
    assert 1 <= seen["error"]["code"] <= 16
    assert seen["error"].get("message", "").startswith(failure.message)  # what to do about it follows


REFUSED: dict[str, tuple[str, str, Any]] = {
    "no JSON": ("POST", START, b"{"),
    "nothing in it": ("POST", START, {}),
    "no such model": ("POST", START, BODY | {"modelUri": "art://f/nope"}),
    "no such operation": ("GET", "/operations/fbveu1sntj0000000000", None),
    "no operation's id": ("GET", "/operations/short", None),
    "nothing to cancel": ("POST", "/operations/fbveu1sntj0000000000:cancel", None),
    "another method": ("PUT", START, None),
    "no route": ("GET", "/foundationModels/v1/nowhere", None),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_error_is_a_status_but_for_the_gateways_own_key(oracle: Protobuf, name: str) -> None:
    answer = Gateway().call(*REFUSED[name])
    assert answer.status >= 400
    body = answer.json()
    assert body.pop("error") == body["message"]
    assert parsed(oracle, "Status", body) == {"code": body["code"], "message": body["message"]}


# What we are asked


def as_json_takes_it(value: int) -> st.SearchStrategy[Any]:
    """The ways protobuf's JSON has to write an int64."""
    exactly = [float(value), f"{value}.0"] if value < 2**53 else []
    return st.sampled_from([value, str(value), *exactly])


INT64 = st.none() | st.integers(0, 2**63 - 1).flatmap(as_json_takes_it)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
DOUBLE = st.none() | FINITE | FINITE.map(repr) | st.integers(-100, 100) | st.integers(-100, 100).map(str)
EXTRA = st.just({}) | st.fixed_dictionaries({"temperature": st.none() | st.integers() | st.text() | st.just([{}])})
"""A field that the API does not know, but some clients send."""
NAME = st.text("abcxyz0189.-", min_size=1, max_size=9)
URI = st.builds("art://{}/{}{}".format, NAME, NAME, st.sampled_from(["", "/latest", "/rc"]))


def named(camel: str, value: st.SearchStrategy[Any], *, required: bool = False) -> st.SearchStrategy[Json]:
    """A field, in either of protobuf's spellings; if it is not required also nothing."""
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in camel)
    there = st.builds(lambda name, entry: {name: entry}, st.sampled_from([camel, snake]), value)
    return there if required else st.just({}) | there


def joined(*parts: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    """An object of these fields and some more."""
    return st.tuples(EXTRA, *parts).map(lambda found: {key: value for part in found for key, value in part.items()})


KEPT = st.characters(exclude_categories=["Cc", "Cs"], include_characters="\t\n\r")
"""Other control characters we refuse and the API may take (SECURITY.md)."""
WORDS = st.sampled_from(["a fox", "лиса", "", " ", None]) | st.text(KEPT)
MIME = st.sampled_from([None, "", "image/jpeg"])


def requests(text: Any = WORDS, int64: Any = INT64, double: Any = DOUBLE, uri: Any = URI, mime: Any = MIME) -> Any:
    """Requests whose fields have these values."""
    message = joined(named("text", text, required=True), named("weight", double))
    ratio = st.none() | joined(named("widthRatio", int64), named("heightRatio", int64))
    options = st.none() | joined(named("seed", int64), named("mimeType", mime), named("aspectRatio", ratio))
    messages = named("messages", st.lists(message, min_size=1, max_size=4), required=True)
    return joined(named("modelUri", uri, required=True), messages, named("generationOptions", options))


ODD = st.sampled_from(["", "5.5", "NaN", "-1", " 7", "0x10", "1e3", "1_000", "٣", 2**63, -1, 5.5, 2.0**70, 1e300])
ODD |= st.booleans() | st.integers() | FINITE | st.text() | st.just([])
UNCHECKED = requests(text=ODD) | requests(int64=ODD) | requests(double=ODD) | requests(uri=ODD) | requests(mime=ODD)


def read(document: Json) -> ImageRequest | None:
    """What we make of it; None: a refusal."""
    try:
        return yandexart_requests.parse(json.dumps(document).encode()).request
    except InvalidRequest:
        return None


def meant(canonical: Json) -> Json:
    """What a request means by protobuf's canonical JSON and the documentation: zero is the default.

    Prompts are cleaned of characters that no text may hold.
    """
    options = canonical.get("generationOptions", {})
    ratio = options.get("aspectRatio", {})
    texts = [
        (without_forbidden(entry.get("text", "")), entry.get("weight", 0) or 1.0)
        for entry in canonical.get("messages", [])
    ]
    return {
        "model": canonical.get("modelUri", "").split("/")[3:4],
        "messages": [(text, weight) for text, weight in texts if text.strip()],
        "seed": int(options.get("seed", 0)) or None,
        "ratio": (int(ratio.get("widthRatio", 0)) or 1, int(ratio.get("heightRatio", 0)) or 1),
    }


def as_meant(request: ImageRequest) -> Json:
    """The same of ours."""
    return {
        "model": [request.model],
        "messages": [(message.text, message.weight) for message in request.messages],
        "seed": request.seed,
        "ratio": request.ratio,
    }


def complete(meaning: Json) -> bool:
    """A request for something: the documentation's required fields."""
    return bool(meaning["model"]) and any(weight > 0 for _, weight in meaning["messages"])


@MANY
@given(document=requests())
def test_a_documented_request_means_the_same_here(oracle: Protobuf, document: Json) -> None:
    meaning = meant(oracle.generation(parse="Request", document=document, lenient=True)["canonical"])
    request = read(document)
    event("complete" if complete(meaning) else "incomplete")
    assert (request is not None) == complete(meaning)
    assert request is None or as_meant(request) == meaning


@MANY
@given(document=UNCHECKED)
def test_what_protobuf_cannot_read_we_refuse_and_the_rest_means_the_same(oracle: Protobuf, document: Json) -> None:
    request = read(document)
    event("read" if request else "refused")
    if request:
        answer = oracle.generation(parse="Request", document=document, lenient=True)
        assert "canonical" in answer, answer
        assert as_meant(request) == meant(answer["canonical"])
