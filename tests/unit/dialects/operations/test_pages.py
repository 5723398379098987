"""Every page fits into Lambda's answer, and all pages together are the whole list, without repetitions."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegate.dialects.operations import responses as operations_responses
from imagegate.dialects.operations import webhooks as operations_webhooks
from imagegate.dialects.operations.dialect import NAME
from imagegate.dialects.operations.pages import page_token, parse_page_token, take_page
from imagegate.dialects.response import ApiResponse
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.operation.ids import first_id, is_id
from imagegate.domain.operation.listing import Page
from imagegate.domain.operation.operation import Operation
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.domain.webhooks.delivery import Delivery, DeliveryAttempt
from imagegate.domain.webhooks.webhook import EVENTS, Webhook

LARGEST = 5000
TEXTS = st.text(st.sampled_from('a"\\\n é🦊'), max_size=3000)


def made(at: int, text: str) -> Operation:
    request = ImageRequest(model="flux", messages=(Message(text),))
    return Operation(
        id=first_id(at),
        owner="me",
        dialect=NAME,
        request=request,
        created_at=1.0,
        deadline=2.0,
        due_at=3.0,
        updated_at=2.0,
    )


def in_lambda(answer: ApiResponse) -> int:
    """Bytes of the body in the JSON of Lambda's answer."""
    body = json.dumps(answer.body, ensure_ascii=False, separators=(",", ":"))
    return len(json.dumps(body, ensure_ascii=False).encode())


def link(operation: Operation, slot: int) -> str:
    return f"/v1/images/{operation.id}-{slot}"


def pages(everything: list[Operation], size: int) -> Iterator[ApiResponse]:
    """All pages of the list, newest first, as a client that follows the tokens gets them."""
    before = "~"
    while True:
        left = [entry for entry in everything if entry.id < before]
        last = left[size - 1].id if len(left) > size else None
        yield (answer := operations_responses.render_page(Page(tuple(left[:size]), last), link, LARGEST))
        if not (token := answer.body["next_page_token"]):
            return
        before = parse_page_token(token, is_id)


@given(st.lists(TEXTS, max_size=20), st.integers(1, 8))
def test_the_pages_of_operations_are_the_list(texts: list[str], size: int) -> None:
    everything = [made(at, text) for at, text in reversed(list(enumerate(texts, 1)))]
    seen: list[str] = []
    for answer in pages(everything, size):
        document = answer.body["operations"]
        assert len(document) <= size
        assert in_lambda(answer) <= LARGEST + 100 or len(document) == 1
        seen += [entry["id"] for entry in document]
    assert seen == [entry.id for entry in everything]


def delivery(sequence: int, error: str) -> Delivery:
    tries = tuple(DeliveryAttempt(at=float(at), seconds=0.1, error=error) for at in range(3))
    return Delivery(
        operation_id="0" * 20,
        sequence=sequence,
        event=EVENTS[0],
        event_id=f"e.{sequence}",
        body="{}",
        announced_at=1.0,
        expires_at=9.0,
        tries=tries,
    )


@given(st.lists(st.text(st.sampled_from('a"\\é🦊'), max_size=200), max_size=30))
def test_the_pages_of_deliveries_are_the_list(errors: list[str]) -> None:
    everything = [delivery(at, error) for at, error in enumerate(errors, 1)]
    operation = replace(made(1, "a"), webhook=Webhook(url="https://example.com/", events=EVENTS, key_id="k"))
    seen: list[int] = []
    after = 0
    while True:
        left = [entry for entry in everything if entry.sequence > after]
        answer = operations_webhooks.render_deliveries(operation, left, disabled=False, largest=LARGEST)
        assert in_lambda(answer) <= LARGEST + 300 or len(answer.body["deliveries"]) == 1
        seen += [entry["sequence"] for entry in answer.body["deliveries"]]
        if not (token := answer.body["next_page_token"]):
            break
        after = operations_webhooks.parse_deliveries_token(token)
    assert seen == [entry.sequence for entry in everything]


def test_a_document_that_is_too_large_alone_is_a_page() -> None:
    documents: list[dict[str, Any]] = [{"a": "x" * 100}, {"a": "y"}]
    assert take_page(iter(documents), 50) == documents[:1]
    assert take_page(iter(documents[1:]), 50) == documents[1:]
    assert take_page(iter([]), 50) == []


@pytest.mark.parametrize("token", ["", "A", "AAAA", page_token("-1"), page_token("1" * 10), page_token("²"), "é"])
def test_a_token_is_one_that_was_handed_out(token: str) -> None:
    with pytest.raises(InvalidRequest, match="page_token"):
        operations_webhooks.parse_deliveries_token(token)
