"""API keys on the template as deployed, with its own default: closed."""

from collections.abc import Callable
from typing import Any

import openai
import pytest
import requests

from imagegate.local.stack.stack import Stack
from support.receiver import Receiver, receiving

KEY_CACHE_SECONDS = 1
Cli = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def first(cli: Cli) -> dict[str, Any]:
    return cli("create", "--name", "first", "--json")


@pytest.fixture(scope="session")
def second(cli: Cli) -> dict[str, Any]:
    return cli("create", "--name", "second", "--json")


def client(stack: Stack, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{stack.base_url}/v1", api_key=key, max_retries=0)


def changed(text: str) -> str:
    """Another text that differs in the last character."""
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def bearer(key: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {key['key']}"}


def test_the_openai_package_with_a_key_and_without(closed: Stack, first: dict[str, Any]) -> None:
    with client(closed, first["key"]) as own:
        answer = own.images.generate(model="flux", prompt="[delay 2s] a hop of the wait route", size="512x512")
        assert answer.data
        assert requests.get(answer.data[0].url or "").status_code == 200
        assert own.models.list().data
    for wrong in ("sk-proj-x", changed(first["key"])):
        with client(closed, wrong) as stranger:
            with pytest.raises(openai.AuthenticationError) as refused:
                stranger.images.generate(model="flux", prompt="a cat")
            assert refused.value.code == "invalid_api_key"
            assert wrong not in str(refused.value)
            with pytest.raises(openai.AuthenticationError):
                stranger.models.list()


def test_another_key_sees_nothing_of_it(closed: Stack, first: dict[str, Any], second: dict[str, Any]) -> None:
    url = f"{closed.base_url}/v1/operations"
    body = {"model": "flux", "prompt": "mine alone"}
    made = requests.post(url, json=body, headers=bearer(first) | {"Prefer": "wait=2"}).json()
    own = f"{url}/{made['id']}"
    document = requests.get(f"{own}/wait", headers=bearer(first)).json()
    assert document["state"] == "succeeded"
    picture = f"{closed.base_url}/v1/images/{made['id']}-0"
    for method, foreign in [
        ("GET", own),
        ("GET", f"{own}/wait"),
        ("POST", f"{own}/wait"),
        ("POST", f"{own}:cancel"),
        ("POST", f"{own}:retry"),
        ("DELETE", own),
        ("GET", picture),
        ("GET", f"{closed.base_url}/operations/{made['id']}"),
    ]:
        assert requests.request(method, foreign, headers=bearer(second)).status_code == 404, (method, foreign)
        assert requests.request(method, foreign).status_code == 401, (method, foreign)
    assert requests.get(url, headers=bearer(second)).json()["operations"] == []
    assert made["id"] in [entry["id"] for entry in requests.get(url, headers=bearer(first)).json()["operations"]]
    with client(closed, second["key"]) as other, pytest.raises(openai.NotFoundError):
        other.get(f"/operations/{made['id']}", cast_to=object)
    assert requests.get(closed.base_url + document["images"][0]["url"]).status_code == 200, "its link needs no key"
    assert requests.get(picture, headers={"x-api-key": first["key"]}).status_code == 200


def test_a_hop_carries_its_own_permission(closed: Stack, first: dict[str, Any]) -> None:
    url = f"{closed.base_url}/v1/images/generations"
    body = {"model": "flux", "prompt": "[delay 2s] keys get lost on the way"}
    hop = requests.post(url, json=body, headers=bearer(first), allow_redirects=False)
    assert hop.status_code == 303
    location = closed.base_url + hop.headers["location"]
    assert requests.get(location.split("&token=")[0]).status_code == 401
    assert requests.get(changed(location)).status_code == 401
    assert requests.get(location).json()["data"]


def test_yandexarts_client_with_a_key_and_without(closed: Stack, first: dict[str, Any]) -> None:
    url = f"{closed.base_url}/foundationModels/v1/imageGenerationAsync"
    body = {"modelUri": "art://f/yandex-art/latest", "messages": [{"text": "a cat"}]}
    started = requests.post(url, json=body, headers={"Authorization": f"Api-Key {first['key']}"})
    assert started.status_code == 200
    refused = requests.post(url, json=body, headers={"Authorization": "Api-Key AQVN"})
    assert (refused.status_code, refused.json()["code"]) == (401, 16)


def test_rotating_and_revoking_take_effect(closed: Stack, cli: Cli, until: Callable[..., Any]) -> None:
    url = f"{closed.base_url}/v1/models"
    key = cli("create", "--name", "leaked", "--json")
    assert requests.get(url, headers=bearer(key)).status_code == 200
    rotated = cli("rotate", key["id"], "--grace", "0", "--json")
    until(lambda: requests.get(url, headers=bearer(key)).status_code == 401, KEY_CACHE_SECONDS + 3)
    assert requests.get(url, headers=bearer(rotated)).status_code == 200
    cli("revoke", key["id"])
    until(lambda: requests.get(url, headers=bearer(rotated)).status_code == 401, KEY_CACHE_SECONDS + 3)
    assert "revoked" in requests.get(url, headers=bearer(rotated)).json()["error"]["message"]


def test_a_keys_webhook_hears_of_yandexarts_operations_too_and_its_secret_is_rotated(
    closed: Stack, cli: Cli, until: Callable[..., Any]
) -> None:
    with receiving(Receiver("")) as receiver:
        key = cli(
            "create", "--name", "hooked", "--webhook-url", receiver.url, "--webhook-events", "succeeded", "--json"
        )
        receiver.secret = key["webhook_secret"]
        url = f"{closed.base_url}/foundationModels/v1/imageGenerationAsync"
        body = {"modelUri": "art://f/yandex-art/latest", "messages": [{"text": "a cat"}]}
        started = requests.post(url, json=body, headers={"Authorization": f"Api-Key {key['key']}"}).json()
        [first] = until(lambda: receiver.received)
        reported = first.body["data"]["operation"]
        assert (reported["id"], first.signatures) == (started["id"], 1)
        assert requests.get(reported["images"][0]["url"]).status_code == 200, "its link needs no key"
        rotated = cli("webhook", key["id"], "--rotate", "--json")
        again = f"{closed.base_url}/v1/operations/{started['id']}:redeliver"
        event = {"event_id": first.body["data"]["event_id"]}
        assert requests.post(again, json=event, headers=bearer(key)).status_code == 202
        until(lambda: len(receiver.received) == 2)
        receiver.secret = rotated["webhook_secret"]
        body["messages"] = [{"text": "a dog"}]
        requests.post(url, json=body, headers={"Authorization": f"Api-Key {key['key']}"})
        until(lambda: len(receiver.received) == 3)
    assert [delivery.signatures for delivery in receiver.received] == [1, 2, 2]
    assert receiver.refused == []
    assert [delivery.webhook_id == first.webhook_id for delivery in receiver.received] == [True, True, False]


def test_no_secret_is_in_the_table(closed: Stack, first: dict[str, Any]) -> None:
    items = closed.client("dynamodb").scan(TableName=closed.outputs["TableName"])["Items"]
    assert any(item["pk"]["S"] == f"apikey#{first['id']}" for item in items)
    assert first["key"].rpartition("_")[2] not in str(items)
