"""Prompts written out by a language model, on the template as deployed."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import openai
import pytest
import requests

from imagegate.local.stack.stack import Stack

pytestmark = pytest.mark.slow


def visited(stack: Stack, operation_id: str, until: Callable[..., Any]) -> list[str]:
    """The workflow's tasks in their order, once it has ended."""
    client = stack.client("stepfunctions")
    arn = stack.outputs["StateMachineArn"].replace(":stateMachine:", ":execution:") + f":{operation_id}"
    until(lambda: client.describe_execution(executionArn=arn)["status"] == "SUCCEEDED")
    history = client.get_execution_history(executionArn=arn)["events"]
    entered = [
        operation["stateEnteredEventDetails"]["name"]
        for operation in history
        if "stateEnteredEventDetails" in operation
    ]
    return [name for name in entered if name in ("Expand", "Submit")]


def arrived(stack: Stack, words: str) -> list[dict[str, Any]]:
    """The stand-ins' accepted submissions that contain this text."""
    assert stack.upstreams
    found = requests.get(f"{stack.upstreams.url}/_standin/submissions").json()["submissions"]
    return [entry for entry in found if words in entry["prompt"]]


@pytest.mark.parametrize("expand", [True, False])
def test_an_openai_client_asks_for_it(
    stack: Stack, announced: Callable[[str], list[dict[str, Any]]], until: Callable[..., Any], expand: bool
) -> None:
    prompt = f"an otter, expanded: {expand}"
    with openai.OpenAI(base_url=f"{stack.base_url}/v1", api_key="x") as client:
        answer = client.images.generate(model="flux", prompt=prompt, size="512x512", extra_body={"expand": expand})
    assert answer.data
    revised = answer.data[0].revised_prompt
    operation_id = str((answer.model_extra or {})["operation_id"])
    if expand:  # otherwise the waiting client drives it, and there is no execution (ADR 36)
        assert visited(stack, operation_id, until) == ["Submit", "Expand", "Submit"]
    *sent, drawn = arrived(stack, prompt)
    assert [entry["upstream"] for entry in sent] == (["expander"] if expand else [])
    assert drawn["prompt"] == (revised or prompt)
    assert (len(revised or "") > len(prompt)) == expand
    until(lambda: len(announced(operation_id)) == 3)
    last = max(announced(operation_id), key=lambda entry: entry["detail"]["sequence"])
    assert last["detail"]["operation"]["revised_prompt"] == revised


def test_what_breaks_down_or_refuses_costs_the_expansion_only(stack: Stack) -> None:
    body = {"model": "flux", "prompt": "[fault http-500 at expand] a newt", "expand": True}
    operation = requests.post(f"{stack.base_url}/v1/operations", json=body, headers={"Prefer": "wait=25"}).json()
    assert (operation["state"], operation["revised_prompt"]) == ("succeeded", None)
    assert operation["not_expanded"]["code"] == "upstream_failed"
    assert operation["attempts"][0]["not_honoured"] == ["expand"]
    assert [entry["prompt"] for entry in arrived(stack, "a newt")] == [body["prompt"]]


def test_a_yandexart_client_asks_in_a_header(stack: Stack, until: Callable[..., Any]) -> None:
    body = {"modelUri": "art://b1g/yandex-art/latest", "messages": [{"text": "выдра"}]}
    url, headers = f"{stack.base_url}/foundationModels/v1/imageGenerationAsync", {"x-imagegate-expand": "true"}
    operation_id = requests.post(url, json=body, headers=headers).json()["id"]
    until(lambda: requests.get(f"{stack.base_url}/operations/{operation_id}").json()["done"])
    answer = requests.get(f"{stack.base_url}/operations/{operation_id}")
    assert answer.json()["response"]["image"]
    revised = unquote(answer.headers["x-imagegate-revised-prompt"])
    assert revised.startswith("выдра. ")
    assert [entry["prompt"] for entry in arrived(stack, "выдра")] == ["выдра", revised]


def test_the_logs_hold_neither_prompt(stack: Stack) -> None:
    body = {"model": "flux", "prompt": "xyzzy-marked [fault chatty at expand]", "expand": True}
    document = requests.post(f"{stack.base_url}/v1/images/generations", json=body).json()
    assert document["data"][0]["revised_prompt"].startswith("xyzzy-marked. ")
    logs = stack.client("logs")
    lines = []
    for group in logs.describe_log_groups()["logGroups"]:
        for stream in logs.describe_log_streams(logGroupName=group["logGroupName"])["logStreams"]:
            read = logs.get_log_events(
                logGroupName=group["logGroupName"], logStreamName=stream["logStreamName"], startFromHead=True
            )
            lines += [entry["message"] for entry in read["events"]]
    assert any(document["operation_id"] in line for line in lines)
    assert "xyzzy-marked" not in json.dumps(lines)
