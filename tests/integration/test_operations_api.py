"""The operations API on the template as deployed: roles, indexes and all."""

from collections.abc import Callable
from typing import Any

import requests

from imagegate.local.stack.stack import Stack

BODY = {"model": "flux", "prompt": "an operation", "size": {"width": 256, "height": 256}}


def test_the_life_of_an_operation(stack: Stack, until: Callable[..., Any]) -> None:
    url = f"{stack.base_url}/v1/operations"
    headers = {"Idempotency-Key": "life", "Prefer": "wait=20"}
    created = requests.post(url, json=BODY, headers=headers)
    assert created.status_code == 200
    operation = created.json()
    assert requests.post(url, json=BODY, headers=headers).json()["id"] == operation["id"]
    [picture] = operation["images"]
    fetched = requests.get(stack.base_url + picture["url"])
    assert fetched.status_code == 200
    assert len(fetched.content) == picture["bytes"]
    assert operation["id"] in [entry["id"] for entry in requests.get(url).json()["operations"]]
    assert requests.delete(stack.base_url + operation["urls"]["self"]).status_code == 204
    assert requests.get(stack.base_url + operation["urls"]["self"]).status_code == 404
    assert operation["id"] not in [entry["id"] for entry in requests.get(url).json()["operations"]]


def test_an_estimate_makes_nothing(stack: Stack) -> None:
    body = {"model": "alice-art", "prompt": "only asking", "n": 2, "validate_only": True}
    reported = requests.post(f"{stack.base_url}/v1/operations", json=body).json()
    assert (reported["valid"], reported["estimated_cost_usd"]) == (True, 0.0366)
    assert 0 < reported["estimated_seconds"] <= reported["slow_seconds"]
    url = f"{stack.upstreams_url}/_standin/submissions"
    assert requests.get(url, params={"prompt": body["prompt"]}).json()["submissions"] == []


def test_cancel_and_retry(stack: Stack, until: Callable[..., Any]) -> None:
    body = BODY | {"prompt": "[fault endless x1] second thoughts"}
    operation = requests.post(f"{stack.base_url}/v1/operations", json=body).json()
    own = stack.base_url + operation["urls"]["self"]
    until(lambda: requests.get(own).json()["attempts"])
    cancelled = requests.post(stack.base_url + operation["urls"]["cancel"]).json()
    assert (cancelled["state"], cancelled["may_have_cost"]) == ("cancelled", True)
    until(lambda: requests.get(own).json()["attempts"][0]["state"] == "failed")
    assert requests.post(f"{own}:retry").status_code == 202
    ended = requests.get(f"{own}/wait").json()
    assert ended["state"] == "succeeded"
    assert len(ended["attempts"]) == 2
