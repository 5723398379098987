"""Requests of OpenAI's API for pictures, and what they are understood as."""

from typing import Any

from imagegate.domain.operation.operation import Operation
from support.gateway import Answered, Gateway


def post(gateway: Gateway, body: Any, path: str = "/v1/images/generations", **headers: str) -> Answered:
    """Send it, without waiting for the picture."""
    return gateway.call("POST", path, body, prefer="respond-async", **headers)


def accepted(gateway: Gateway, answer: Answered) -> Operation:
    """The operation that the answer accepts, as it is stored."""
    assert answer.status == 202, answer.text
    stored = gateway.store.get(answer.json()["id"])
    assert stored
    return stored
