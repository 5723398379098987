"""Identical requests at once, on the deployed table."""

import asyncio
import base64
import contextlib
import hashlib
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import openai
import pytest
import requests

from imagegate.local.stack.stack import Stack
from support.crowd import crowd

pytestmark = pytest.mark.slow


def test_twelve_at_once_are_twelve_operations_and_each_retry_finds_another_one(
    stack: Stack, until: Callable[..., Any]
) -> None:
    path, body = "/v1/images/generations", {"model": "flux", "prompt": "[delay 2s] twelve at once"}
    put_off = crowd(stack, 12, path, body, hold_seconds=0.5)
    assert Counter(answer.status for answer in put_off) == {303: 12}
    begun = {answer.headers["location"].split("/")[3] for answer in put_off}
    assert len(begun) == 12
    for operation_id in begun:
        until(lambda at=operation_id: requests.get(f"{stack.base_url}/v1/operations/{at}").json()["done"])
    served = crowd(stack, 12, path, body, hold_seconds=0.5, x_stainless_retry_count="1")
    assert Counter(answer.status for answer in served) == {200: 12}
    assert {answer.json()["operation_id"] for answer in served} == begun
    assert submissions(stack, body["prompt"]) == 12
    # All who were put off have their picture now: one more is a deliberate second order.
    more = requests.post(stack.base_url + path, json=body, headers={"Prefer": "respond-async"}).json()
    assert more["id"] not in begun


def test_a_race_for_one_idempotency_key_has_one_operation(stack: Stack) -> None:
    body = {"model": "flux", "prompt": "a race for a key"}
    answers = crowd(stack, 40, "/v1/operations", body, hold_seconds=0.5, idempotency_key="race")
    assert {answer.status for answer in answers} <= {200, 202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    other = requests.post(f"{stack.base_url}/v1/operations", json=body | {"n": 2}, headers={"Idempotency-Key": "race"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_a_burst_gets_a_picture_for_each_request_and_its_repetitions_get_the_same_ones(stack: Stack) -> None:
    # Under way until they are stopped: however late the last one comes, it comes in time.
    path, body = "/v1/images/generations", {"model": "flux", "prompt": "[delay 600s] a crowd at the door"}

    def begun(late: float = 0.0, **headers: str) -> set[str]:
        answers = crowd(stack, 4, path, body, hold_seconds=0.5, late=late, prefer="respond-async", **headers)
        assert {answer.status for answer in answers} == {202}, [answer.text for answer in answers]
        return {answer.json()["id"] for answer in answers}

    first = begun()
    assert len(first) == 4
    assert begun(x_stainless_retry_count="1") == first  # marked: at once
    assert begun(late=8) == first  # unmarked: after a time limit of 8 s
    for operation_id in first:
        requests.post(f"{stack.base_url}/v1/operations/{operation_id}:cancel").raise_for_status()
    assert submissions(stack, body["prompt"]) <= 4


async def post_together(stack: Stack, prompt: str, timeout: float) -> list[str]:
    """The digests of the pictures of four parallel POSTs. Each is repeated, unmarked, after its time limit."""
    body = {"model": "flux", "prompt": prompt, "response_format": "b64_json"}
    async with httpx.AsyncClient(base_url=stack.base_url, timeout=timeout, follow_redirects=True) as client:

        async def post() -> str:
            while True:
                with contextlib.suppress(httpx.ReadTimeout):
                    document = (await client.post("/v1/images/generations", json=body)).raise_for_status().json()
                    return hashlib.sha256(base64.b64decode(document["data"][0]["b64_json"])).hexdigest()

        return await asyncio.gather(*(post() for _ in range(4)))


def test_parallel_posts_of_httpx_are_four_pictures(stack: Stack) -> None:
    prompt = "four foxes at once"
    assert len(set(asyncio.run(post_together(stack, prompt, 30)))) == 4
    assert submissions(stack, prompt) == 4


def test_parallel_posts_that_are_repeated_after_a_time_limit_are_four_pictures_too(stack: Stack) -> None:
    prompt = "[delay 12s] four foxes in haste"
    assert len(set(asyncio.run(post_together(stack, prompt, 8)))) == 4
    assert submissions(stack, prompt) == 4


def submissions(stack: Stack, prompt: str) -> int:
    """How many jobs the upstreams accepted for a prompt."""
    url = f"{stack.upstreams_url}/_standin/submissions"
    return len(requests.get(url, params={"prompt": prompt}).json()["submissions"])


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
