"""Identical requests at once, on the deployed table."""

import base64
import hashlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
import requests

from imagegate.local.stack.stack import Stack
from support.crowd import crowd


@pytest.mark.slow
def test_two_hundred_at_once_are_one_operation_and_so_are_their_retries(
    stack: Stack, until: Callable[..., Any]
) -> None:
    path, body = "/v1/images/generations", {"model": "flux", "prompt": "[delay 10s] two hundred at once"}
    put_off = crowd(stack, 200, path, body, hold_seconds=0.5)
    assert Counter(answer.status for answer in put_off) == {303: 200}
    [waiting] = {answer.headers["location"] for answer in put_off}
    operation_id = waiting.split("/")[3]
    until(lambda: requests.get(f"{stack.base_url}/v1/operations/{operation_id}").json()["done"])
    served = crowd(stack, 200, path, body, hold_seconds=0.5, x_stainless_retry_count="1")
    assert Counter(answer.status for answer in served) == {200: 200}
    assert {answer.json()["operation_id"] for answer in served} == {operation_id}
    url = f"{stack.upstreams_url}/_standin/submissions"
    assert len(requests.get(url, params={"prompt": body["prompt"]}).json()["submissions"]) == 1
    # All who were put off have their picture now: one more is a deliberate second order.
    more = requests.post(stack.base_url + path, json=body, headers={"Prefer": "respond-async"}).json()
    assert more["id"] != operation_id


def test_a_race_for_one_idempotency_key_has_one_operation(stack: Stack) -> None:
    body = {"model": "flux", "prompt": "a race for a key"}
    answers = crowd(stack, 40, "/v1/operations", body, hold_seconds=0.5, idempotency_key="race")
    assert {answer.status for answer in answers} <= {200, 202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    other = requests.post(f"{stack.base_url}/v1/operations", json=body | {"n": 2}, headers={"Idempotency-Key": "race"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_identical_posts_at_once_are_one_operation_and_one_submission(stack: Stack, until: Callable[..., Any]) -> None:
    # Under way until it is stopped: however late the last one comes, it comes in time.
    body = {"model": "flux", "prompt": "[delay 600s] a crowd at the door"}

    def post(_: int) -> Any:
        url, headers = f"{stack.base_url}/v1/images/generations", {"Prefer": "respond-async"}
        return requests.post(url, json=body, headers=headers).json()["id"]

    with ThreadPoolExecutor(max_workers=5) as pool:
        [operation_id] = set(pool.map(post, range(5)))
    url = f"{stack.upstreams_url}/_standin/submissions"
    made = until(lambda: requests.get(url, params={"prompt": body["prompt"]}).json()["submissions"])
    assert len(made) == 1
    requests.post(f"{stack.base_url}/v1/operations/{operation_id}:cancel").raise_for_status()


def test_a_deliberate_second_prompt_is_a_second_picture(stack: Stack) -> None:
    url, body = f"{stack.base_url}/v1/images/generations", {"model": "flux", "prompt": "one more, please"}
    first, second = (requests.post(url, json=body).json()["operation_id"] for _ in range(2))
    assert first != second


def test_an_answer_beyond_lambdas_limit_arrives_whole(stack: Stack) -> None:
    body = {"model": "flux", "prompt": "[bytes 1500000] large", "n": 4, "response_format": "b64_json"}
    url = f"{stack.base_url}/v1/images/generations"
    document = requests.post(url, json=body, headers={"Authorization": "Bearer x"}).json()
    assert digests([item["b64_json"] for item in document["data"]]) == stored(stack, document["operation_id"])
    with openai.OpenAI(base_url=f"{stack.base_url}/v1", api_key="x") as client:
        answer = client.images.generate(model="flux", prompt="[bytes 1500000] large", n=4, response_format="b64_json")
    arrived = digests([item.b64_json or "" for item in answer.data or []])
    assert arrived == stored(stack, (answer.model_extra or {})["operation_id"])


def digests(pictures: list[str]) -> list[str]:
    """SHA-256 of four large pictures."""
    bodies = [base64.b64decode(picture) for picture in pictures]
    assert [len(body) >= 1_500_000 for body in bodies] == [True] * 4
    return [hashlib.sha256(body).hexdigest() for body in bodies]


def stored(stack: Stack, operation_id: str) -> list[str]:
    """What the operation says of its pictures."""
    images = requests.get(f"{stack.base_url}/v1/operations/{operation_id}").json()["images"]
    return [image["sha256"] for image in images]
