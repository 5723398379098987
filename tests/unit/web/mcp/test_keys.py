"""Whose operations a caller of the MCP endpoint sees, and what its key allows."""

import pytest

from imagegate.domain.access.api_key import KeyLimits
from support.gateway import Gateway
from support.mcp import FOX, NOW, EventfulClock, end, request, started, texts, tool


@pytest.fixture
def clock() -> EventfulClock:
    return EventfulClock()


@pytest.fixture
def closed(clock: EventfulClock) -> Gateway:
    return Gateway(clock=clock, access="keys")


def test_an_owner_sees_nothing_of_another(closed: Gateway) -> None:
    (_, first), (_, second) = closed.key(), closed.key()
    operation = started(closed, key=first)
    end(closed)
    absent = "0" * 20
    for name in ("get_operation", "cancel_operation"):
        foreign = tool(closed, name, {"operation_id": operation}, key=second)
        none = tool(closed, name, {"operation_id": absent}, key=second)
        assert texts(foreign) == texts(none).replace(absent, operation)
    assert tool(closed, "list_operations", key=second)["structuredContent"]["operations"] == []
    stolen = {**NOW, "images": [f"imagegate://images/{operation}-0"]}
    assert "does not exist" in texts(tool(closed, "edit_image", stolen, key=second))


def test_a_key_for_other_models_makes_nothing(closed: Gateway) -> None:
    _, key = closed.key(models=("other",))
    found = tool(closed, "generate_image", {**NOW, "model": "flux"}, key=key)
    assert texts(found).startswith("model_not_allowed")
    assert tool(closed, "list_models", key=key)["structuredContent"]["models"] == []


def test_a_used_up_budget_is_told_to_the_model(closed: Gateway) -> None:
    _, key = closed.key(limits=KeyLimits(pictures_per_day=1))
    started(closed, key=key)
    found = tool(closed, "generate_image", NOW, key=key)
    assert texts(found).startswith("insufficient_quota")


def test_requests_per_minute_are_counted(closed: Gateway) -> None:
    _, key = closed.key(limits=KeyLimits(requests_per_minute=1))
    assert request(closed, "tools/list", key=key).status == 200
    answer = request(closed, "tools/list", key=key)
    assert (answer.status, answer.json()["error"]["data"]["code"]) == (429, "rate_limit_exceeded")
    assert int(answer.headers["retry-after"]) > 0


def test_a_key_may_not_hold_more_requests_than_its_operations(closed: Gateway, clock: EventfulClock) -> None:
    limited, key = closed.key(limits=KeyLimits(concurrent=1))
    operation, began = started(closed, key=key), clock.time
    closed.services.request_rate.take(f"waits#{limited.id}", 120, 120)  # what requests that wait beside it take
    found = tool(closed, "get_operation", {"operation_id": operation}, key=key)
    assert (found["structuredContent"]["done"], clock.time) == (False, began)


def test_a_private_prompt_is_not_kept(closed: Gateway) -> None:
    _, key = closed.key()
    operation = started(closed, key=key, x_data_logging_enabled="false")
    end(closed)
    found = tool(closed, "get_operation", {"operation_id": operation}, key=key)
    assert FOX["prompt"] not in str(found)
