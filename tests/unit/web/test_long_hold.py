"""The long-hold address: one POST, no redirect, for clients that follow none."""

from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.operation.operation import State
from imagegate.domain.operation.picture import Picture
from imagegate.web import http
from support.fakes import picture
from support.gateway import Answered, Gateway, event

GENERATIONS = "/v1/images/generations"
PROMPT = {"prompt": "a cat", "model": "flux"}
UNLED = ("n8n", "GuzzleHttp/7", "Faraday v2.9.0", "Go-http-client/2.0", "python-requests/2.32", "curl/8.5", "")
DOT_NET = "OpenAI/2.1.0 (.NET 8.0.1; Linux 6.1.0)"
HOLD = 840


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(hold_seconds=HOLD, redirects=False)


def post(gateway: Gateway, agent: str = "", body: Any = None, **headers: str) -> Answered:
    return gateway.call("POST", GENERATIONS, PROMPT | (body or {}), user_agent=agent, **headers)


def finish(gateway: Gateway, size: tuple[int, int] = (64, 48)) -> None:
    """End the newest operation with a picture."""
    found = gateway.store.get(list(gateway.store.documents)[-1])
    assert found
    gateway.images.put(f"images/{found.id}/0", picture(*size), "image/png")
    made = Picture(
        slot=0,
        key=f"images/{found.id}/0",
        sha256="s",
        content_type="image/png",
        width=size[0],
        height=size[1],
        bytes=9,
        provider="beta",
        seed=7,
    )
    running = found if found.state is State.RUNNING else found.moved(State.RUNNING, gateway.clock.now())
    ended = running.with_pictures((made,)).complete_if_done(gateway.clock.now())
    gateway.store.replace(replace(ended, version=found.version + 1))


def finish_after(gateway: Gateway, seconds: float, size: tuple[int, int] = (64, 48)) -> None:
    """End the operation while a request waits for it."""
    sleep, at = gateway.clock.sleep, gateway.clock.now() + seconds

    def slept(pause: float) -> None:
        sleep(pause)
        if gateway.clock.now() >= at:
            gateway.clock.sleep = sleep  # type: ignore[method-assign]
            finish(gateway, size)

    gateway.clock.sleep = slept  # type: ignore[method-assign]


@pytest.mark.parametrize("agent", [*UNLED, DOT_NET])
@pytest.mark.parametrize("form", ["url", "b64_json"])
def test_ten_minutes_are_one_post(gateway: Gateway, agent: str, form: str) -> None:
    finish_after(gateway, 600)
    began = gateway.clock.now()
    answer = post(gateway, agent, {"response_format": form})
    assert answer.status == 200
    assert list(answer.json()["data"][0]) == [form]
    assert gateway.clock.now() - began == pytest.approx(600, abs=2)


@pytest.mark.parametrize("agent", UNLED)
def test_who_waits_in_vain_is_told_what_to_do(gateway: Gateway, agent: str) -> None:
    began = gateway.clock.now()
    answer = post(gateway, agent)
    assert gateway.clock.now() - began == pytest.approx(HOLD)
    [operation_id] = gateway.store.documents
    assert (answer.status, answer.json()["operation_id"]) == (504, operation_id)
    error = answer.json()["error"]
    assert error["code"] == "operation_pending"
    assert f"/v1/operations/{operation_id}/wait" in error["message"]
    assert "repeat the same request" in error["message"]


def test_who_repeats_is_told_to_and_finds_the_same_operation(gateway: Gateway) -> None:
    answer = post(gateway, DOT_NET)
    assert (answer.status, answer.headers["retry-after"], answer.headers["x-should-retry"]) == (503, "30", "true")
    finish_after(gateway, 60)
    assert post(gateway, DOT_NET).status == 200
    assert len(gateway.store.documents) == 1


def test_whoever_repeats_without_being_told_finds_it_too(gateway: Gateway) -> None:
    post(gateway, "GuzzleHttp/7")
    finish(gateway)
    assert post(gateway, "GuzzleHttp/7").status == 200
    assert len(gateway.store.documents) == 1


def test_the_hold_counts_from_when_the_request_came(gateway: Gateway) -> None:
    """A cold start is part of the function's time."""
    request = event("POST", GENERATIONS, b'{"prompt": "a cat", "model": "flux"}', {})
    request["requestContext"]["timeEpoch"] = int((gateway.clock.now() - 20) * 1000)
    began = gateway.clock.now()
    assert gateway.handle(request).status == 504
    assert gateway.clock.now() - began == pytest.approx(HOLD - 20)


def test_waiting_on_is_no_longer_than_the_function_may_take(gateway: Gateway) -> None:
    path = post(gateway, prefer="respond-async").json()["urls"]["wait"]
    began = gateway.clock.now()
    assert gateway.call("GET", path).status == 504
    assert gateway.clock.now() - began == pytest.approx(HOLD)


@pytest.mark.parametrize(("prefer", "held", "status"), [("respond-async", 0, 202), ("wait=100", 100, 504)])
def test_preferences_are_heeded(gateway: Gateway, prefer: str, held: float, status: int) -> None:
    began = gateway.clock.now()
    answer = post(gateway, prefer=prefer)
    assert (answer.status, answer.headers["preference-applied"]) == (status, prefer)
    assert gateway.clock.now() - began == pytest.approx(held)


@pytest.mark.parametrize("redirects", [True, False])
def test_the_other_dialects_are_what_they_are_elsewhere(redirects: bool) -> None:
    gateway = Gateway(hold_seconds=HOLD if not redirects else 25, redirects=redirects)
    body = {"modelUri": "art://f/flux", "messages": [{"text": "a cat"}]}
    began = gateway.clock.now()
    pending = gateway.call("POST", "/foundationModels/v1/imageGenerationAsync", body)
    assert (pending.status, pending.json()["done"]) == (200, False)
    created = gateway.call("POST", "/v1/operations", PROMPT)
    assert (created.status, created.headers["location"]) == (202, created.json()["urls"]["self"])
    assert gateway.clock.now() == began
    finish(gateway)
    document = gateway.call("GET", created.headers["location"]).json()
    assert document["state"] == "succeeded"


def test_the_operations_api_waits_as_long_as_it_is_asked_to(gateway: Gateway) -> None:
    finish_after(gateway, 500)
    answer = gateway.call("POST", "/v1/operations", PROMPT, prefer="wait=600")
    assert (answer.status, answer.headers["preference-applied"]) == (200, "wait=600")


def test_what_lambda_cannot_return_is_refused_with_its_urls(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST_BODY", 1000)
    finish_after(gateway, 5, (400, 300))
    answer = post(gateway, body={"response_format": "b64_json"})
    [operation_id] = gateway.store.documents
    assert (answer.status, answer.headers["x-should-retry"]) == (422, "false")
    error = answer.json()["error"]
    assert (error["code"], error["param"]) == ("answer_too_large", "response_format")
    assert "'url'" in error["message"]
    assert answer.json()["data"] == [{"url": f"https://bucket.invalid/images/{operation_id}/0?signed"}]
    assert not [key for key in gateway.images.objects if key.startswith("answers/")]


def test_a_get_is_redirected_to_what_lambda_cannot_return(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that follow no redirect after a POST follow it after a GET."""
    monkeypatch.setattr(http, "LARGEST_BODY", 1000)
    path = post(gateway, body={"response_format": "b64_json"}, prefer="respond-async").json()["urls"]["wait"]
    finish(gateway, (400, 300))
    answer = gateway.call("GET", path)
    assert answer.status == 303
    assert answer.headers["location"].startswith("https://bucket.invalid/answers/")


def test_an_event_of_a_function_url_is_understood() -> None:
    """It has a non-numeric account, its own domain, and no `pathParameters`."""
    gateway = Gateway(hold_seconds=0, redirects=False, access="keys")
    _, text = gateway.key()
    request = event("GET", "/v1/operations?state=queued", b"", {"x-api-key": text, "x-forwarded-port": "443"})
    url_id = "abcdefghijklmnopqrstuvwxyz012345"
    domain = {"accountId": "anonymous", "apiId": url_id, "domainPrefix": url_id, "routeKey": "$default"}
    request["requestContext"] |= {**domain, "domainName": f"{url_id}.lambda-url.eu-north-1.on.aws"}
    request["queryStringParameters"] = {"state": "queued"}
    del request["body"]
    answer = gateway.handle(request)
    assert (answer.status, answer.json()["operations"]) == (200, [])
    assert answer.headers["x-request-id"] == "request-1"
