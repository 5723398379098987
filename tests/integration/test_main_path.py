"""What users do first, on the template as deployed."""

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import openai
import pytest
import requests
from PIL import Image

from imagegate.local.stack.stack import Stack

Until = Callable[..., Any]


def opened(body: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(body))
    image.load()
    return image


@pytest.mark.parametrize("response_format", [None, "url"])
def test_the_script_that_wants_a_url(stack: Stack, response_format: str | None) -> None:
    body = {"model": "flux", "prompt": "hello world user", "response_format": response_format, "size": "512x320"}
    document = requests.post(f"{stack.base_url}/v1/images/generations", json=body, stream=True).json()
    [item] = document["data"]
    assert set(item) == {"url"}
    answer = requests.get(item["url"])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/webp"
    image = opened(answer.content)
    assert (image.format, image.size) == ("WEBP", (512, 320))
    for tampered in (item["url"].replace("/0-", "/1-"), item["url"][:-4] + "0000", item["url"].split("?")[0]):
        assert requests.get(tampered).status_code == 403


def test_the_script_that_wants_bytes(stack: Stack) -> None:
    body = {"model": "flux", "prompt": "hello world user", "seed": 5, "size": "512x320"}
    url = f"{stack.base_url}/v1/images/generations"
    by_bytes = requests.post(url, json=body | {"response_format": "b64_json"}, stream=True).json()
    by_url = requests.post(url, json=body | {"response_format": "url"}, stream=True).json()
    [item] = by_bytes["data"]
    assert set(item) == {"b64_json"}
    sent, stored = opened(base64.b64decode(item["b64_json"])), opened(requests.get(by_url["data"][0]["url"]).content)
    assert sent.tobytes() == stored.tobytes(), "the metadata names two operations; the pixels are the same"
    assert by_bytes["seed"] == 5


def test_the_openai_package(stack: Stack) -> None:
    with openai.OpenAI(base_url=f"{stack.base_url}/v1", api_key="x") as client:
        answer = client.images.generate(
            model="flux", prompt="a cat", size="1024x768", output_format="jpeg", output_compression=40
        )
    assert answer.data
    assert answer.data[0].url
    image = opened(requests.get(answer.data[0].url).content)
    assert (image.size, image.format, answer.output_format) == ((1024, 768), "JPEG", "jpeg")


def test_tokens_are_added_up_over_all_submissions(stack: Stack) -> None:
    with openai.OpenAI(base_url=f"{stack.base_url}/v1", api_key="x", _strict_response_validation=True) as client:
        answer = client.images.generate(model="gpt-image-2", prompt="two words", n=5, size="1024x1024")
    assert len([datum for datum in answer.data or [] if datum.b64_json]) == 5
    assert answer.usage  # of a submission for four pictures and one for the fifth
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens) == (4, 5000, 5004)


@pytest.mark.slow
def test_the_machinery_did_it(
    stack: Stack, aws: Callable[[str], Any], announced: Callable[[str], list[dict[str, Any]]], until: Until
) -> None:
    # No other test of this stack uses this model: its provider counts as slow, so that Submit leaves its job to Poll.
    body = {"model": "yandex-art-legacy", "prompt": "[delay 3s] behind the scenes"}
    leaving = {"user-agent": "a-client-that-may-leave/1.0"}
    document = requests.post(f"{stack.base_url}/v1/images/generations", json=body, headers=leaving).json()
    operation_id = document["operation_id"]

    arn = stack.outputs["StateMachineArn"].replace(":stateMachine:", ":execution:") + f":{operation_id}"
    until(lambda: aws("stepfunctions").describe_execution(executionArn=arn)["status"] == "SUCCEEDED")
    history = aws("stepfunctions").get_execution_history(executionArn=arn)["events"]
    entered = [
        operation["stateEnteredEventDetails"]["name"]
        for operation in history
        if "stateEnteredEventDetails" in operation
    ]
    polls = entered.count("Poll")  # one, and another when this machine is slower than the job
    assert polls
    assert entered == ["Submit", "Settled?", *["Wait", "Poll", "Settled?"] * polls, "Done"]

    item = aws("dynamodb").get_item(TableName=stack.outputs["TableName"], Key={"pk": {"S": f"op#{operation_id}"}})
    stored = json.loads(item["Item"]["body"]["S"])
    assert stored["state"] == "succeeded"
    [kept] = stored["pictures"]
    head = aws("s3").head_object(Bucket=stack.outputs["BucketName"], Key=kept["key"])
    assert (head["ContentLength"], head["ContentType"]) == (kept["bytes"], "image/jpeg")

    until(lambda: len(announced(operation_id)) == 3)
    events = sorted(announced(operation_id), key=lambda entry: entry["detail"]["sequence"])
    assert [event["detail-type"] for event in events] == [
        "Image Generation Queued",
        "Image Generation Started",
        "Image Generation Succeeded",
    ]
    assert len({event["detail"]["event_id"] for event in events}) == 3


def test_a_client_that_waits_needs_no_execution(stack: Stack, aws: Callable[[str], Any]) -> None:
    # Its job is polled by steps that the requests of the client have taken.
    with openai.OpenAI(base_url=f"{stack.base_url}/v1", api_key="x") as client:
        answer = client.images.generate(
            model="flux-2-max", prompt="[delay 3s] no machinery", response_format="b64_json"
        )
    assert answer.data
    assert opened(base64.b64decode(answer.data[0].b64_json or "")).size
    operation_id = (answer.model_extra or {})["operation_id"]
    shown = requests.get(f"{stack.base_url}/v1/operations/{operation_id}").json()
    assert shown["state"] == "succeeded"
    assert [attempt["state"] for attempt in shown["attempts"]] == ["done"]
    arn = stack.outputs["StateMachineArn"].replace(":stateMachine:", ":execution:") + f":{operation_id}"
    states = aws("stepfunctions")
    with pytest.raises(states.exceptions.ExecutionDoesNotExist):
        states.describe_execution(executionArn=arn)


def test_when_one_space_fails_the_other_makes_the_picture(stack: Stack) -> None:
    body = {"model": "flux", "prompt": "[fault http-503 x1] a cat with two lives"}
    document = requests.post(f"{stack.base_url}/v1/images/generations", json=body).json()
    assert document["provider"] == "voodoohop"


@pytest.mark.parametrize("provider", ["black-forest-labs", "voodoohop"])
def test_both_spaces_make_pictures(stack: Stack, provider: str) -> None:
    body = {"model": "flux", "prompt": "a cat", "provider": provider}
    assert requests.post(f"{stack.base_url}/v1/images/generations", json=body).json()["provider"] == provider


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ("{", 400, None),
        ("{}", 400, "prompt"),
        ('{"prompt":"x","model":"nope"}', 404, "model"),
    ],
)
def test_honest_errors_in_openais_shape(stack: Stack, body: str, status: int, param: str | None) -> None:
    answer = requests.post(f"{stack.base_url}/v1/images/generations", data=body)
    assert answer.status_code == status
    assert answer.json()["error"]["param"] == param


def test_an_unknown_operation_in_yandexarts_shape(stack: Stack) -> None:
    answer = requests.get(f"{stack.base_url}/operations/fbveu1sntj0000000000")
    assert (answer.status_code, answer.json()["code"]) == (404, 5)
