"""Webhooks in the requests of every dialect, and in answers."""

import json
from dataclasses import replace
from typing import Any

import pytest

from imagegate.adapters.http_webhooks import HttpWebhooks
from imagegate.adapters.webhook_targets import WebhookTargets
from imagegate.domain.access.api_key import KeyWebhook
from imagegate.domain.access.encryption import decrypt
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.webhooks.delivery import MOST_POSTS, Delivery, DeliveryAttempt, DeliveryState
from imagegate.domain.webhooks.webhook import EVENTS, Webhook, secret_text, signed_headers
from support.gateway import WEBHOOK_KEY, Answered, Gateway, event
from support.receiver import Receiver, receiving

URL = "https://hooks.example.com/x?token=t"
SECRET = b"s" * 32
OWN = {"url": URL, "secret": secret_text(SECRET), "events": ["succeeded", "failed"]}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/operations": {"model": "flux", "prompt": "a cat"},
    "/v1/images/generations": {"model": "flux", "prompt": "a cat"},
}
YANDEX = "/foundationModels/v1/imageGenerationAsync"
YANDEX_BODY = {"modelUri": "art://f/flux", "messages": [{"text": "a cat"}]}


def post(gateway: Gateway, path: str, webhook: Any, **headers: str) -> Answered:
    return gateway.call("POST", path, {**BODIES[path], "webhook": webhook}, prefer="respond-async", **headers)


def only(gateway: Gateway) -> Operation:
    [operation_id] = gateway.store.documents
    found = gateway.store.get(operation_id)
    assert found
    return found


def hook(gateway: Gateway) -> Webhook:
    found = only(gateway).webhook
    assert found
    return found


@pytest.mark.parametrize("path", BODIES)
def test_a_webhook_with_its_own_secret(path: str) -> None:
    gateway = Gateway()
    answer = post(gateway, path, OWN)
    assert answer.status == 202
    assert answer.json()["webhook"] == {"url": URL, "host": "hooks.example.com", "events": OWN["events"]}
    kept = hook(gateway)
    assert (kept.url, kept.events, kept.key_id) == (URL, ("succeeded", "failed"), "")
    assert decrypt(WEBHOOK_KEY, "everybody", kept.sealed_secret or "") == SECRET
    document = gateway.call("GET", f"/v1/operations/{only(gateway).id}").text
    for text in (answer.text, document, *gateway.store.documents.values()):
        assert "whsec_" not in text
        assert secret_text(SECRET).removeprefix("whsec_") not in text
    assert "sealed" not in document


def test_a_form_brings_it_as_json() -> None:
    gateway = Gateway()
    answer = post(gateway, "/v1/images/generations", json.dumps(OWN))
    assert answer.status == 202
    assert hook(gateway).url == URL
    wrong = post(gateway, "/v1/images/generations", "https://hooks.example.com")
    assert (wrong.status, wrong.json()["error"]["param"]) == (400, "webhook")


def test_with_a_key_the_keys_secret_signs() -> None:
    gateway = Gateway(access="keys")
    key, text = gateway.key()
    assert post(gateway, "/v1/operations", {"url": URL}, x_api_key=text).status == 202
    assert hook(gateway) == Webhook(url=URL, events=EVENTS, key_id=key.id)


@pytest.mark.parametrize("path", BODIES)
def test_without_a_key_there_must_be_a_secret(path: str) -> None:
    gateway = Gateway()
    answer = post(gateway, path, {"url": URL})
    assert answer.status == 400
    assert "webhook.secret" in answer.text
    assert gateway.store.documents == {}


@pytest.mark.parametrize(("path", "body"), [*BODIES.items(), (YANDEX, YANDEX_BODY)])
def test_a_keys_default_is_for_every_dialect(path: str, body: dict[str, Any]) -> None:
    gateway = Gateway(access="keys")
    key, text = gateway.key(webhook=KeyWebhook(url=URL, events=("failed",)))
    assert gateway.call("POST", path, body, x_api_key=text, prefer="respond-async").status < 300
    assert hook(gateway) == Webhook(url=URL, events=("failed",), key_id=key.id)


def test_an_operations_own_webhook_takes_the_place_of_the_keys() -> None:
    gateway = Gateway(access="keys")
    _, text = gateway.key(webhook=KeyWebhook(url="https://default.example.com/", events=("failed",)))
    post(gateway, "/v1/operations", OWN, x_api_key=text)
    assert hook(gateway).url == URL


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    ("url", "addresses"),
    [(URL, ["10.0.0.1"]), ("https://127.0.0.1/", ["127.0.0.1"]), ("http://hooks.example.com/", ["8.8.8.8"])],
)
def test_what_is_not_on_the_internet_is_refused_in_the_dialects_words(
    path: str, url: str, addresses: list[str]
) -> None:
    gateway = Gateway(addresses=addresses)
    answer = post(gateway, path, {**OWN, "url": url})
    assert answer.status == 400
    error = answer.json().get("error", answer.json())
    assert (error["code"], error["param"]) == ("webhook_refused", "webhook.url")
    assert gateway.store.documents == {}
    assert secret_text(SECRET) not in answer.text


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    ("webhook", "param"),
    [
        ("https://hooks.example.com", "webhook"),
        ([], "webhook"),
        ({}, "webhook.url"),
        ({"url": 5}, "webhook.url"),
        ({"url": ""}, "webhook.url"),
        ({"url": "https://a.example/" + "a" * 2000}, "webhook.url"),
        ({"url": URL, "events": "failed"}, "webhook.events"),
        ({"url": URL, "events": ["ended"]}, "webhook.events.0"),
        ({"url": URL, "events": ["failed"] * 6}, "webhook.events"),
        ({"url": URL, "secret": "whsec_marked"}, "webhook.secret"),
        ({"url": URL, "secret": ["whsec_marked"]}, "webhook.secret"),
        ({"url": URL, "secret": secret_text(b"marked!" * 10)}, "webhook.secret"),
        ({"url": URL, "secrets": "whsec_marked"}, "webhook.secrets"),
    ],
)
def test_a_malformed_webhook_is_refused_and_no_secret_repeated(path: str, webhook: Any, param: str) -> None:
    gateway = Gateway()
    answer = post(gateway, path, webhook)
    assert answer.status == 400, answer.text
    assert answer.json().get("error", answer.json())["param"] == param
    assert "marked" not in answer.text
    assert gateway.store.documents == {}


def test_null_is_none() -> None:
    gateway = Gateway()
    for path in BODIES:
        assert post(gateway, path, None).status == 202
    assert {gateway.store.get(document).webhook for document in gateway.store.documents} == {None}  # type: ignore[union-attr]


def test_validating_only_checks_the_webhook_as_well() -> None:
    gateway = Gateway(addresses=["10.0.0.1"])
    body = {**BODIES["/v1/operations"], "webhook": OWN, "validate_only": True}
    assert gateway.call("POST", "/v1/operations", body).status == 400
    gateway.addresses[0] = "8.8.8.8"
    assert gateway.call("POST", "/v1/operations", body).status == 200
    assert gateway.store.documents == {}


class World:
    """An operation with a webhook of which one event has arrived and one is dead."""

    def __init__(self) -> None:
        self.gateway = Gateway()
        post(self.gateway, "/v1/operations", OWN)
        self.id = only(self.gateway).id
        now = self.gateway.clock.now()
        arrived = Delivery(
            operation_id=self.id,
            sequence=1,
            event="queued",
            event_id=f"{self.id}.1",
            body="{}",
            announced_at=now,
            expires_at=now + 9e9,
            message_id="m",
            version=1,
        )
        attempt = DeliveryAttempt(at=now, seconds=0.0421, status=204)
        self.gateway.deliveries.put(replace(arrived, state=DeliveryState.DELIVERED, tries=(attempt,)))
        failed = DeliveryAttempt(at=now, seconds=1.5, error="No answer in time.")
        dead = replace(arrived, sequence=2, event="failed", event_id=f"{self.id}.2", tries=(failed,))
        self.gateway.deliveries.put(replace(dead, state=DeliveryState.DEAD))
        self.url = f"/v1/operations/{self.id}"

    def call(self, method: str, path: str, body: Any = None) -> Answered:
        return self.gateway.call(method, f"{self.url}{path}", body)


def test_deliveries_are_shown() -> None:
    world = World()
    document = world.call("GET", "/deliveries").json()
    assert document["webhook"] == {"url": URL, "events": OWN["events"], "disabled": False}
    assert [
        (entry["event_id"], entry["webhook_id"], entry["type"], entry["state"]) for entry in document["deliveries"]
    ] == [
        (f"{world.id}.1", f"{world.id}-1", "image_generation.queued", "delivered"),
        (f"{world.id}.2", f"{world.id}-2", "image_generation.failed", "dead"),
    ]
    [attempt] = document["deliveries"][0]["attempts"]
    assert (attempt["status"], attempt["milliseconds"], attempt["error"]) == (204, 42, None)
    world.gateway.deliveries.disable("everybody", URL, 9e9)
    assert world.call("GET", "/deliveries").json()["webhook"]["disabled"]


def test_without_a_webhook_there_are_none() -> None:
    gateway = Gateway()
    post(gateway, "/v1/operations", None)
    path = f"/v1/operations/{only(gateway).id}"
    assert gateway.call("GET", f"{path}/deliveries").json() == {
        "webhook": None,
        "deliveries": [],
        "next_page_token": None,
    }
    assert gateway.call("POST", f"{path}:redeliver").json()["code"] == "wrong_state"


def test_what_has_not_arrived_is_sent_again() -> None:
    world = World()
    world.gateway.deliveries.disable("everybody", URL, 9e9)
    answer = world.call("POST", ":redeliver")
    assert (answer.status, [entry["state"] for entry in answer.json()["deliveries"]]) == (202, ["pending"])
    assert world.gateway.queued_redeliveries == [(world.id, 2)]
    assert not world.call("GET", "/deliveries").json()["webhook"]["disabled"]


def test_one_event_is_sent_again() -> None:
    world = World()
    assert world.call("POST", ":redeliver", {"event_id": f"{world.id}.1"}).status == 202
    assert world.gateway.queued_redeliveries == [(world.id, 1)]


@pytest.mark.parametrize("body", [{"event_id": "x"}, {"event_id": 5}, {"id": "x"}, b"{", b"[]"])
def test_what_cannot_be_sent_again(body: Any) -> None:
    world = World()
    answer = world.call("POST", ":redeliver", body)
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert world.gateway.queued_redeliveries == []


def test_deleting_an_operation_deletes_what_was_announced_of_it() -> None:
    world = World()
    found = only(world.gateway)
    world.gateway.store.replace(replace(found.moved(State.CANCELLED, 1.0), version=found.version + 1))
    assert world.call("DELETE", "").status == 204
    assert world.gateway.deliveries.kept == {}


def test_what_may_be_sent_again_is_bounded_and_the_answer_says_when() -> None:
    world = World()
    assert world.call("POST", ":redeliver").status == 202
    again = world.call("POST", ":redeliver", {"event_id": f"{world.id}.1"})
    assert (again.status, again.json()["code"], again.headers["retry-after"]) == (429, "rate_limit_exceeded", "59")
    world.gateway.clock.sleep(60)
    world.gateway.deliveries.counted[world.id] = MOST_POSTS
    spent = world.call("POST", ":redeliver", {"event_id": f"{world.id}.1"})
    assert (spent.status, spent.json()["code"]) == (409, "wrong_state")
    assert f"{MOST_POSTS} POSTs" in spent.json()["detail"]


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("url", ["https://images.example.com/v1/operations/x:retry", "https://API.invalid/"])
def test_a_webhook_to_the_gateway_itself_is_refused(path: str, url: str) -> None:
    gateway = Gateway()
    answer = post(gateway, path, {**OWN, "url": url})
    assert answer.status == 400
    assert answer.json().get("error", answer.json())["code"] == "webhook_refused"
    assert gateway.store.documents == {}


@pytest.fixture(scope="module")
def ours() -> dict[str, str]:
    """The headers of a webhook, without `host`."""
    seen = dict[str, str]()
    server = Receiver(secret_text(SECRET))

    def take(headers: dict[str, str], body: bytes) -> int:
        seen.update(headers)
        return 204

    server.take = take  # type: ignore[method-assign]
    with receiving(server):
        HttpWebhooks(WebhookTargets(loopback=True)).send(
            server.url, signed_headers([SECRET], "x-1", 1.8e9, b"{}"), b"{}"
        )
    return {name: value for name, value in seen.items() if name != "host"}


@pytest.mark.parametrize("access", ["open", "keys"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/operations/{id}:retry"),
        ("POST", "/v1/operations/{id}:cancel"),
        ("POST", "/v1/operations/{id}:redeliver"),
        ("POST", "/operations/{id}:cancel"),
        ("GET", "/operations/{id}:cancel"),
        ("DELETE", "/v1/operations/{id}"),
        ("POST", "/v1/operations"),
        ("POST", "/v1/images/generations"),
        ("POST", YANDEX),
    ],
)
@pytest.mark.parametrize("hidden", ["", "user-agent", "webhook-signature"])
def test_a_webhook_does_nothing_here_under_whatever_name_it_came(
    ours: dict[str, str], access: str, method: str, path: str, hidden: str
) -> None:
    gateway = Gateway(access=access)
    _, text = gateway.key()
    gateway.call("POST", "/v1/operations", BODIES["/v1/operations"], x_api_key=text)
    before, [operation_id] = dict(gateway.store.documents), gateway.store.documents
    headers = {name: value for name, value in ours.items() if name != hidden} | {"x-api-key": text}
    answer = gateway.handle(event(method, path.format(id=operation_id), b"{}", headers))
    assert answer.status == 400, answer.text
    assert "webhook" in answer.text
    assert gateway.store.documents == before
