"""`x-data-logging-enabled: false`, in every dialect alike."""

import json
from dataclasses import replace
from typing import Any

import pytest

from imagegate.dialects.operations import events as operations_events
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.operation.events import Event
from imagegate.domain.operation.operation import Operation, State
from support.fuzz_server import able_routes
from support.gateway import Answered, Gateway
from support.hostile_corpus import data_url, png

MARK = "xyzzy marked prompt"
EDIT = {"prompt": MARK, "images": [{"image_url": data_url(png(8, 8))}]}
ROADS: dict[str, dict[str, Any]] = {
    "/v1/images/generations": {"prompt": MARK, "negative_prompt": MARK},
    "/v1/images/generate": {"prompt": MARK},
    "/api/alpha/images/generations": {"prompt": MARK},
    "/v1/images/edits": EDIT,
    "/v1/operations": {"model": "flux", "prompt": MARK, "negative_prompt": MARK},
    "/foundationModels/v1/imageGenerationAsync": {"modelUri": "art://f/flux", "messages": [{"text": MARK}]},
}


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(hold_seconds=0, routes=able_routes())


def post(gateway: Gateway, path: str, said: str | None = "false", **headers: str) -> Answered:
    named = {} if said is None else {"x_data_logging_enabled": said}
    return gateway.call("POST", path, ROADS[path], **named, **headers)


def stored(gateway: Gateway) -> list[Operation]:
    return [found for document in gateway.store.documents if (found := gateway.store.get(document))]


@pytest.mark.parametrize("path", ROADS)
def test_words_end_with_their_operation(gateway: Gateway, path: str) -> None:
    assert post(gateway, path).status in (200, 202, 303)
    (operation,) = stored(gateway)
    assert operation.request.private
    assert MARK in gateway.store.documents[operation.id], "it is still needed"
    ended = replace(operation.moved(State.CANCELLED, 1.0), version=operation.version + 1)
    gateway.store.replace(ended)
    assert MARK not in gateway.store.documents[operation.id]
    assert MARK not in json.dumps([Event(operation).detail() for operation in gateway.store.history])
    document = gateway.call("GET", f"/v1/operations/{operation.id}").json()
    assert (document["prompt"], document["revised_prompt"]) == (None, None)


@pytest.mark.parametrize("path", ROADS)
@pytest.mark.parametrize("said", ["true", "TRUE", "", None])
def test_otherwise_they_are_kept(gateway: Gateway, path: str, said: str | None) -> None:
    post(gateway, path, said)
    assert [operation.request.private for operation in stored(gateway)] == [False]


@pytest.mark.parametrize("path", ROADS)
@pytest.mark.parametrize("said", ["no", "0", "\x00", "false, true", "falsе"])  # noqa: RUF001
def test_what_might_have_been_meant_is_asked(gateway: Gateway, path: str, said: str) -> None:
    answer = post(gateway, path, said)
    assert answer.status == 400
    assert "x-data-logging-enabled" in answer.text
    assert stored(gateway) == []


@pytest.mark.parametrize("path", [entry for entry in ROADS if "/images/" in entry])
def test_private_words_are_not_left_to_an_operation_that_keeps_them(gateway: Gateway, path: str) -> None:
    for retries, message in enumerate(("true", "false", "true", "False")):
        post(gateway, path, message, x_stainless_retry_count=str(retries))
    assert sorted(operation.request.private for operation in stored(gateway)) == [False, True]


@pytest.mark.parametrize("path", ROADS)
def test_an_idempotency_key_does_not_lead_there_either(gateway: Gateway, path: str) -> None:
    post(gateway, path, "true", idempotency_key="k")
    assert post(gateway, path, "false", idempotency_key="k").status in (400, 422)
    assert len(stored(gateway)) == 1


def requested(**detail: Any) -> str:
    return json.dumps({"id": "e-1", "detail": {"model": "flux", "prompt": MARK, **detail}})


def test_an_event_says_it_in_its_detail() -> None:
    for message, private in ((False, True), (True, False), (None, False)):
        assert operations_events.parse(requested(data_logging_enabled=message)).generation.request.private is private
    for odd in (0, "false", [], {}):
        with pytest.raises(InvalidRequest, match="data_logging_enabled"):
            operations_events.parse(requested(data_logging_enabled=odd))


@pytest.mark.parametrize("odd", ["a\nb", "a\u202e", "\x00", "\x9b"])
def test_an_events_id_is_one_line(odd: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        operations_events.parse(requested(id=odd))
    assert refused.value.param == "id"
