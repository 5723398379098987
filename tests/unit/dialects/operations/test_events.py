"""Requests as events: how they are parsed, and why they are refused."""

import json
from typing import Any

import pytest

from imagegate.dialects.operations import events as operations_events
from imagegate.dialects.operations import requests as operations_requests
from imagegate.domain.errors import InvalidRequest

BODY: dict[str, Any] = {"model": "flux", "prompt": "кот", "n": 2, "metadata": {"order": "7"}}


def event(detail: Any, **changes: Any) -> str:
    envelope = {"version": "0", "id": "e-1", "detail-type": "Image Generation Requested", "source": "shop"}
    return json.dumps(envelope | {"detail": detail} | changes)


def test_the_detail_is_what_the_operations_api_takes() -> None:
    by_http, _ = operations_requests.parse(json.dumps(BODY).encode(), "e-1")
    assert operations_events.parse(event(BODY)).generation == by_http


def test_the_details_id_goes_before_the_events() -> None:
    assert operations_events.parse(event(BODY | {"id": "order-7"})).generation.idempotency_key == "order-7"
    assert operations_events.parse(event(BODY | {"id": None})).generation.idempotency_key == "e-1"


def test_an_id_does_not_make_another_request() -> None:
    assert (
        operations_events.parse(event(BODY | {"id": "order-7"})).generation.digest
        == operations_events.parse(event(BODY)).generation.digest
    )


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ("{", None),
        ("[]", None),
        (event(None), "detail"),
        (event("text"), "detail"),
        (event({}), "prompt"),
        (event(BODY | {"id": 7}), "id"),
        (event(BODY | {"id": "x" * 256}), "id"),
        (event(BODY, id=None), "id"),
        (event(BODY | {"n": 11}), "n"),
        (event(BODY | {"promt": "x"}), "promt"),
        (event(BODY | {"validate_only": True}), "validate_only"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(message: str, param: str | None) -> None:
    with pytest.raises(InvalidRequest) as refused:
        operations_events.parse(message)
    assert refused.value.param == param
    assert "кот" not in str(refused.value)


@pytest.mark.parametrize("time", ["2027-01-15T08:00:00Z", "9999-12-31T00:00:00Z", None, 7, "yesterday"])
def test_an_events_own_time_decides_nothing(time: Any) -> None:
    assert operations_events.parse(event(BODY, time=time)) == operations_events.parse(event(BODY))
