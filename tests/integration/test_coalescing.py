"""Identical requests at once, on the deployed table."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import requests

from imagegate.adapters.clock import SystemClock
from imagegate.adapters.dynamodb_operations import DynamoDBOperations
from imagegate.domain.request import ImageRequest, Message
from imagegate.local.stack import Stack
from imagegate.usecases.start import Ask, Start
from support.fakes import MemoryWorkflow, routes


def test_two_hundred_identical_requests_at_once_are_one_operation(stack: Stack, aws: Callable[[str], Any]) -> None:
    clock, workflow = SystemClock(), MemoryWorkflow()
    store = DynamoDBOperations(aws("dynamodb"), stack.outputs["TableName"], 1, clock.now)
    start = Start(store, workflow, routes("alpha"), clock, deadline=60)
    request = ImageRequest("flux", (Message("two hundred at once"),))
    ask = Ask(request, "openai_images", digest="two-hundred", coalesce=True)
    with ThreadPoolExecutor(max_workers=200) as pool:
        started = list(pool.map(lambda _: start(ask, "me").operation.id, range(200)))
    assert len(set(started)) == 1
    assert len(workflow.runs) == 1


def test_identical_posts_at_once_are_one_operation_and_one_submission(stack: Stack) -> None:
    body = {"model": "flux", "prompt": "[delay 5s] a crowd at the door"}

    def post(_: int) -> Any:
        return requests.post(f"{stack.base_url}/v1/images/generations", json=body).json()["operation_id"]

    with ThreadPoolExecutor(max_workers=5) as pool:
        assert len(set(pool.map(post, range(5)))) == 1
    url = f"{stack.upstreams_url}/_standin/submissions"
    assert len(requests.get(url, params={"prompt": body["prompt"]}).json()["submissions"]) == 1


def test_a_deliberate_second_prompt_is_a_second_picture(stack: Stack) -> None:
    url, body = f"{stack.base_url}/v1/images/generations", {"model": "flux", "prompt": "one more, please"}
    first, second = (requests.post(url, json=body).json()["operation_id"] for _ in range(2))
    assert first != second


def test_an_answer_beyond_lambdas_limit_arrives_whole(stack: Stack) -> None:
    body = {"model": "flux", "prompt": "[bytes 1500000] large", "n": 4, "response_format": "b64_json"}
    url = f"{stack.base_url}/v1/images/generations"
    document = requests.post(url, json=body, headers={"Authorization": "Bearer x"}).json()
    assert len(document["data"]) == 4
    assert all(len(item["b64_json"]) >= 2_000_000 for item in document["data"])
    with openai.OpenAI(base_url=f"{stack.base_url}/v1", api_key="x") as client:
        answer = client.images.generate(model="flux", prompt="[bytes 1500000] large", n=4, response_format="b64_json")
    assert [len(item.b64_json or "") >= 2_000_000 for item in answer.data or []] == [True] * 4
