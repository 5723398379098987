"""Every function runs from what `sam build` makes, on Lambda's runtime client, with its role on the embedded AWS.

Where this machine has another processor than Lambda, the same recipe builds a second layer for this one.
"""

import base64
import json
import platform
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from imagegate.local.ports import first_free
from imagegate.local.stack.stack import Stack
from support.hostile import event_of
from support.lambda_emulator import Artifact, EmulatedFunction, emulated
from support.roles import credentials
from support.sam import Project
from support.stack_settings import TEMPLATE

ABSENT = "0" * 20
AWS = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
SQS = {
    "messageId": "m-1",
    "receiptHandle": "r-1",
    "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1795180251000"},
    "eventSource": "aws:sqs",
}
LEARNED = {"pk": {"S": "latency#alpha#m"}}
RECORDED: dict[str, tuple[Any, Callable[[Any], bool]]] = {
    "api": (event_of("GET", "/v1/models", "", {"host": "api.invalid"}, b""), lambda told: told["statusCode"] == 200),
    "hold": (event_of("GET", "/v1/models", "", {"host": "api.invalid"}, b""), lambda told: told["statusCode"] == 200),
    "wait": (
        event_of("GET", f"/v1/operations/{ABSENT}/wait", "", {"host": "api.invalid"}, b""),
        lambda told: told["statusCode"] == 404,
    ),
    "submit": ({"id": ABSENT, "run": ABSENT, "unexpanded": ""}, lambda told: told["next"] == "done"),
    "expand": ({"id": ABSENT}, lambda told: told["next"] == "submit"),
    "poll": (
        {"id": ABSENT, "run": ABSENT, "looked_at": 0, "looks": 1, "again_at": 0},
        lambda told: told["next"] == "done",
    ),
    "fail": ({"id": ABSENT, "error": "Sandbox.Timedout"}, lambda told: told["next"] == "done"),
    "publish": (
        {
            "Records": [
                {"eventName": "INSERT", "dynamodb": {"Keys": LEARNED, "NewImage": LEARNED, "SequenceNumber": "1"}}
            ]
        },
        lambda told: told == {"batchItemFailures": []},
    ),
    "deliver": (
        {"Records": [SQS | {"body": json.dumps({"again": {"operation": {"id": ABSENT}, "sequence": 1}})}]},
        lambda told: told == {"batchItemFailures": []},
    ),
    "sweep": ({"source": "aws.events", "detail-type": "Scheduled Event"}, lambda told: "restarted" in told),
    "intake": ({"Records": [SQS | {"body": "{"}]}, lambda told: told == {"batchItemFailures": []}),
}
"""Function -> an event as AWS hands it over, and what has to be true of the answer."""
MODULES = sorted(path.stem for path in (TEMPLATE.parent / "functions").glob("*.py"))


@pytest.fixture(scope="session")
def artifact(built: Project, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """The built code, for this machine's processor."""
    if platform.machine() == "aarch64":
        return Artifact(built.layer, built.function)
    layer = tmp_path_factory.mktemp("layer")
    recipe = [
        "make",
        "-C",
        "lib",
        "build-Layer",
        f"ARTIFACTS_DIR={layer}",
        f"PLATFORM={platform.machine()}-manylinux_2_28",
    ]
    subprocess.run(recipe, cwd=built.folder, env=dict(built.account.environment), check=True, capture_output=True)
    return Artifact(layer, built.function)


@pytest.fixture(scope="session")
def environment(stack: Stack) -> Callable[[str], dict[str, str]]:
    """A function's variables as the template sets them, and its role's credentials."""
    resources = stack.client("cloudformation").describe_stack_resources(StackName=stack.settings.name)["StackResources"]
    named = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}

    def of(module: str) -> dict[str, str]:
        name = named[f"{module.capitalize()}Function"]
        deployed = stack.client("lambda").get_function_configuration(FunctionName=name)
        taken = credentials(stack, deployed["Role"])
        return {
            **deployed["Environment"]["Variables"],
            **AWS,
            "AWS_ENDPOINT_URL": stack.aws_endpoint,
            "AWS_ACCESS_KEY_ID": taken["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": taken["SecretAccessKey"],
            "AWS_SESSION_TOKEN": taken["SessionToken"],
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(deployed["Timeout"]),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(deployed["MemorySize"]),
        }

    return of


Functions = Callable[[str], EmulatedFunction]


@pytest.fixture(scope="session")
def functions(
    artifact: Artifact, environment: Callable[[str], dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Functions]:
    """Running functions by their modules' names, each started when it is first asked for."""
    folder, running = tmp_path_factory.mktemp("functions"), {}
    with ExitStack() as started:

        def of(module: str) -> EmulatedFunction:
            if module not in running:
                function = emulated(artifact, module, environment(module), folder)
                running[module] = started.enter_context(function)
            return running[module]

        yield of


def test_every_function_has_a_recorded_event() -> None:
    assert sorted(RECORDED) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_a_function_starts_from_the_artifact_alone_and_answers(
    functions: Functions, module: str, record_property: Callable[[str, str], None]
) -> None:
    event, right = RECORDED[module]
    answer = functions(module).invoke(event)
    assert right(answer), answer
    record_property("figure", f"functions/{module}: {functions(module).figures()}")


def generation(api: EmulatedFunction, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and body of a request by API Gateway."""
    headers = {"host": "api.invalid", "content-type": "application/json"}
    answer = api.invoke(event_of(method, path, "", headers, json.dumps(body).encode() if body else b""))
    content = base64.b64decode(answer["body"]) if answer.get("isBase64Encoded") else answer["body"]
    return answer["statusCode"], json.loads(content)


def test_api_serves_a_whole_generation_on_the_embedded_workflow(functions: Functions) -> None:
    body = {"model": "flux", "prompt": "a red fox in the snow", "size": "512x320"}
    api, status, document = functions("api"), 303, None
    while status == 303:  # on a slow machine: the same request again, after its time, gets the same picture
        status, document = generation(api, "POST", "/v1/images/generations", body)
    assert status == 200, document
    picture = requests.get(document["data"][0]["url"])
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/webp")


@pytest.fixture
def lone_api(
    artifact: Artifact, environment: Callable[[str], dict[str, str]], tmp_path: Path
) -> Iterator[EmulatedFunction]:
    """`api` that Step Functions does not answer: what it accepts waits for `sweep`, or for a test that drives it."""
    unanswered = {"AWS_ENDPOINT_URL_SFN": f"http://127.0.0.1:{first_free()}"}
    with emulated(artifact, "api", environment("api") | unanswered, tmp_path) as function:
        yield function


def driven(functions: Functions, operation_id: str) -> list[str]:
    """The states that the workflow would pass through; each is called as infra/workflow.asl.yaml says."""
    states = ["submit"]
    reported = functions("submit").invoke({"id": operation_id, "run": operation_id, "unexpanded": ""})
    while reported["next"] != "done":
        state = reported["next"] if reported["next"] in ("submit", "expand") else "poll"
        states.append(state)
        if state == "poll":
            time.sleep(reported["wait"])
        reported = functions(state).invoke({**reported, "run": operation_id})
    return states


def changes(stack: Stack, operation_id: str) -> list[dict[str, Any]]:
    """The stream's records of an operation, as Lambda passes them to the function."""
    streams = stack.client("dynamodbstreams")
    arn = streams.list_streams(TableName=stack.outputs["TableName"])["Streams"][0]["StreamArn"]
    found = []
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        where = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        at = streams.get_shard_iterator(**where)["ShardIterator"]
        found += streams.get_records(ShardIterator=at)["Records"]
    for record in found:
        record["dynamodb"]["ApproximateCreationDateTime"] = record["dynamodb"][
            "ApproximateCreationDateTime"
        ].timestamp()
    return [entry for entry in found if entry["dynamodb"]["Keys"] == {"pk": {"S": f"op#{operation_id}"}}]


def test_the_built_functions_make_an_expanded_picture_between_them(
    stack: Stack, lone_api: EmulatedFunction, functions: Functions
) -> None:
    body = {"model": "flux", "prompt": "a cat [delay 2s]", "expand": True}
    status, accepted = generation(lone_api, "POST", "/v1/operations", body)
    assert status == 202, accepted
    states = driven(functions, accepted["id"])
    assert states[:3] == ["submit", "expand", "submit"]
    status, operation = generation(lone_api, "GET", f"/v1/operations/{accepted['id']}")
    assert (status, operation["state"]) == (200, "succeeded"), operation
    seen = lone_api.invoke(event_of("GET", operation["images"][0]["url"], "", {"host": "api.invalid"}, b""))
    assert (seen["statusCode"], requests.get(seen["headers"]["location"]).status_code) == (302, 200)
    reported = changes(stack, accepted["id"])
    assert len(reported) > 3
    assert functions("publish").invoke({"Records": reported}) == {"batchItemFailures": []}
