"""Limits of keys over HTTP: every refusal in the words of its dialect, the headers, GET /v1/usage."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import openai
import pytest

from imagegate.domain.access.api_key import KeyLimits
from imagegate.domain.operation.operation import State
from support.fakes import MemoryWorkflow
from support.gateway import Answered, Gateway

GENERATIONS, YANDEX, OPERATIONS = (
    "/v1/images/generations",
    "/foundationModels/v1/imageGenerationAsync",
    "/v1/operations",
)
BODY = {"model": "flux", "prompt": "a cat"}
YANDEX_BODY = {"modelUri": "art://f/flux", "messages": [{"text": "a cat"}]}
RESPONSES, CHAT = "/v1/responses", "/v1/chat/completions"
CHAT_BODY = {"model": "flux", "messages": [{"role": "user", "content": "a cat"}]}
POSTS = {
    GENERATIONS: BODY,
    YANDEX: YANDEX_BODY,
    OPERATIONS: BODY,
    RESPONSES: {"model": "flux", "input": "a cat"},
    CHAT: CHAT_BODY,
}
OTHERS: dict[str, dict[str, Any]] = {
    GENERATIONS: {"prompt": "another"},
    RESPONSES: {"input": "another"},
    CHAT: {"messages": [{"role": "user", "content": "another"}]},
}
"""What makes a request another one, where identical ones are one."""
PACE = ("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests")


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(access="keys", hold_seconds=0)


def limited(gateway: Gateway, **limits: int) -> str:
    """What the holder of a key with these limits presents."""
    return gateway.key(limits=KeyLimits(**limits))[1]


def post(gateway: Gateway, key: str, path: str = OPERATIONS, body: Any = None, **headers: str) -> Answered:
    return gateway.call("POST", path, body or POSTS[path], x_api_key=key, **headers)


def usage(gateway: Gateway, key: str, query: str = "") -> Any:
    answer = gateway.call("GET", f"/v1/usage{query}", x_api_key=key)
    assert answer.status == 200
    return answer.json()


LIMITS = {
    "requests": ({"requests_per_minute": 1}, "rate_limit_exceeded", "requests", "59", None),
    "concurrent": ({"concurrent": 1}, "rate_limit_exceeded", "requests", "15", None),
    "pictures": ({"pictures_per_day": 1}, "insufficient_quota", "insufficient_quota", "57600", "false"),
    "dollars": ({"micro_dollars_per_day": 3000}, "insufficient_quota", "insufficient_quota", "57600", "false"),
}


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("path", POSTS)
def test_every_limit_is_refused_in_every_dialects_words(gateway: Gateway, path: str, limit: str) -> None:
    limits, code, kind, retry_after, should_retry = LIMITS[limit]
    key = limited(gateway, **limits)
    assert post(gateway, key, path).status in (200, 202, 303)
    body = POSTS[path] | OTHERS.get(path, {})
    refused = post(gateway, key, path, body)
    assert refused.status == 429
    assert (refused.headers["retry-after"], refused.headers.get("x-should-retry")) == (retry_after, should_retry)
    assert refused.headers["x-request-id"] == "request-1"
    message = refused.json()
    if path in OTHERS:
        assert (message["error"]["code"], message["error"]["type"], message["error"]["param"]) == (code, kind, None)
    elif path == YANDEX:
        assert (message["code"], message["details"], message["error"]) == (8, [], message["message"])
    else:
        assert refused.headers["content-type"] == "application/problem+json"
        assert (message["code"], message["status"], message["request_id"]) == (code, 429, "request-1")
        assert message["remedy"]
    assert len(gateway.store.documents) == 1
    assert len(gateway.workflow.runs) == 1


def test_every_answer_to_a_key_with_a_pace_says_what_is_left(gateway: Gateway) -> None:
    key = limited(gateway, requests_per_minute=4)
    answers = [gateway.call("GET", path, x_api_key=key) for path in ("/v1/models", "/nowhere", "/v1/usage?days=x")]
    assert [answer.status for answer in answers] == [200, 404, 400]
    assert [tuple(answer.headers[name] for name in PACE) for answer in answers] == [
        ("4", "3", "15s"),
        ("4", "2", "30s"),
        ("4", "1", "45s"),
    ]
    post(gateway, key)
    refused = post(gateway, key)
    assert refused.status == 429
    assert tuple(refused.headers[name] for name in PACE) == ("4", "0", "1m0s")
    assert refused.headers["retry-after"] == "15"
    gateway.clock.sleep(14.75)
    assert post(gateway, key).headers["retry-after"] == "1"
    gateway.clock.sleep(0.25)
    assert post(gateway, key).status == 202


def test_a_key_without_a_pace_has_no_such_headers_and_no_bucket(gateway: Gateway) -> None:
    gateway.services.request_rate.take = lambda *_: pytest.fail("asked")  # type: ignore[method-assign]
    answer = post(gateway, limited(gateway, concurrent=3))
    assert answer.status == 202
    assert not set(PACE) & set(answer.headers)


def test_who_shows_no_valid_key_takes_nothing_from_anybody(gateway: Gateway) -> None:
    key = limited(gateway, requests_per_minute=1)
    wrong = key[:-1] + ("0" if key[-1] != "0" else "1")
    for _ in range(3):
        assert gateway.call("GET", "/v1/models", x_api_key=wrong).status == 401
    assert gateway.call("GET", "/v1/models", x_api_key=key).status == 200


def test_hops_of_waiting_are_free(gateway: Gateway) -> None:
    key = limited(gateway, requests_per_minute=1)
    answer = post(gateway, key, GENERATIONS)
    for _ in range(10):
        assert answer.status == 303
        answer = gateway.call("GET", answer.headers["location"], x_api_key=key)


def test_a_repetition_is_answered_though_nothing_is_left(gateway: Gateway) -> None:
    key = limited(gateway, pictures_per_day=1, concurrent=1)
    first = post(gateway, key, idempotency_key="4711")
    again = post(gateway, key, idempotency_key="4711")
    assert (again.status, again.json()["id"]) == (202, first.json()["id"])
    assert post(gateway, key, idempotency_key="4712").status == 429
    assert usage(gateway, key)["days"][0]["pictures"] == 1


def test_asking_what_it_would_do_uses_nothing(gateway: Gateway) -> None:
    key = limited(gateway, pictures_per_day=1, concurrent=1)
    for _ in range(3):
        assert post(gateway, key, body=BODY | {"validate_only": True}).status == 200
    assert usage(gateway, key)["left"] == {"concurrent": 1, "pictures": 1, "micro_dollars": None}


def test_more_at_once_than_a_day_allows_is_never_worth_a_retry(gateway: Gateway) -> None:
    refused = post(gateway, limited(gateway, pictures_per_day=2), GENERATIONS, BODY | {"n": 3})
    assert (refused.status, refused.headers["x-should-retry"]) == (429, "false")
    assert "retry-after" not in refused.headers
    assert "Ask for fewer pictures" in refused.json()["error"]["message"]


def test_a_retry_is_refused_by_limits_too(gateway: Gateway) -> None:
    key = limited(gateway, pictures_per_day=1)
    operation = post(gateway, key).json()
    gateway.call("POST", operation["urls"]["cancel"], x_api_key=key)
    post(gateway, key)
    refused = gateway.call("POST", f"{operation['urls']['self']}:retry", x_api_key=key)
    assert (refused.status, refused.json()["code"]) == (429, "insufficient_quota")


def test_usage_of_a_key(gateway: Gateway) -> None:
    own, key = gateway.key(
        limits=KeyLimits(requests_per_minute=60, concurrent=3, pictures_per_day=50, micro_dollars_per_day=2_500_000)
    )
    post(gateway, key, body=BODY | {"n": 2})
    document = usage(gateway, key)
    assert document == {
        "key": own.id,
        "counted": True,
        "limits": {
            "requests_per_minute": 60,
            "concurrent": 3,
            "pictures_per_day": 50,
            "micro_dollars_per_day": 2_500_000,
        },
        "running": 1,
        "left": {"concurrent": 2, "pictures": 48, "micro_dollars": 2_494_000},
        "resets_at": "2027-01-16T00:00:00.000Z",
        "days": [{"day": "2027-01-15", "pictures": 2, "micro_dollars": 6000}],
    }
    gateway.clock.sleep(86_400)
    later = usage(gateway, key, "?days=3")
    assert later["left"]["pictures"] == 50
    assert [(day["day"], day["pictures"]) for day in later["days"]] == [
        ("2027-01-16", 0),
        ("2027-01-15", 2),
        ("2027-01-14", 0),
    ]


def test_usage_is_the_keys_own(gateway: Gateway) -> None:
    own, key = gateway.key(limits=KeyLimits(pictures_per_day=5))
    _, shared = gateway.key(owner=own.owner, limits=KeyLimits(pictures_per_day=5))
    post(gateway, key)
    assert usage(gateway, key)["left"]["pictures"] == 4
    assert usage(gateway, shared)["left"]["pictures"] == 5


def test_usage_where_nothing_is_counted(gateway: Gateway) -> None:
    for document in (usage(gateway, limited(gateway, requests_per_minute=3)), usage(Gateway(), "")):
        assert (document["counted"], document["days"], document["running"]) == (False, [], None)


@pytest.mark.parametrize("days", ["0", "91", "-1", "1e9", "x", ""])
def test_days_that_cannot_be_asked_for(gateway: Gateway, days: str) -> None:
    refused = gateway.call("GET", f"/v1/usage?days={days}", x_api_key=limited(gateway, concurrent=1))
    assert (refused.status, refused.json()["code"], refused.json()["param"]) == (400, "invalid_request", "days")


def test_a_workflow_that_does_not_start_leaves_a_running_operation_in_the_books(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sweep` will start it. Until then it counts as running, and its end releases its reservation."""
    key = limited(gateway, concurrent=1)
    monkeypatch.setattr(gateway.workflow, "start", Broken().start)
    assert post(gateway, key).status == 500
    assert usage(gateway, key)["running"] == 1
    [operation_id] = gateway.store.documents
    gateway.call("POST", f"{OPERATIONS}/{operation_id}:cancel", x_api_key=key)
    assert usage(gateway, key)["running"] == 0


class Broken(MemoryWorkflow):
    def start(self, operation_id: str, execution: str) -> bool:
        raise RuntimeError("no workflow")


def test_a_shortened_limit_does_not_show_less_than_nothing(gateway: Gateway) -> None:
    own, key = gateway.key(limits=KeyLimits(pictures_per_day=5, concurrent=5))
    for prompt in ("1", "2", "3"):
        post(gateway, key, body=BODY | {"prompt": prompt})
    gateway.keys.put(replace(own, limits=KeyLimits(pictures_per_day=1, concurrent=1), version=2))
    gateway.clock.sleep(60)
    assert usage(gateway, key)["left"] == {"concurrent": 0, "pictures": 0, "micro_dollars": None}
    assert [operation.state for operation in gateway.store.history] == [State.QUEUED] * 3


def test_the_openai_package_asks_once_when_the_budget_is_used_up(gateway: Gateway) -> None:
    key = limited(gateway, pictures_per_day=1)
    assert post(gateway, key).status == 202
    requests: list[httpx.Request] = []

    async def generation() -> openai.RateLimitError:
        async def seen(request: httpx.Request) -> None:
            requests.append(request)

        transport = httpx.ASGITransport(gateway.app)
        async with httpx.AsyncClient(transport=transport, event_hooks={"request": [seen]}) as http:
            client = openai.AsyncOpenAI(base_url="http://api.invalid/v1", api_key=key, http_client=http, max_retries=2)
            with pytest.raises(openai.RateLimitError) as refused:
                await client.images.generate(model="flux", prompt="a cat")
            return refused.value

    error = asyncio.run(generation())
    assert (error.code, error.type) == ("insufficient_quota", "insufficient_quota")
    assert len(requests) == 1
