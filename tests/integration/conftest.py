"""template.yaml deployed to the embedded stack, once for all tests that drive it."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner

from imagegate.cli.main import app
from imagegate.local.stack.settings import StandIns
from imagegate.local.stack.stack import Stack
from imagegate.local.upstreams.app import STAND_IN_SECRETS, build_app
from support.event_schemas import as_described
from support.stack_settings import WITH_WEBHOOKS, on_free_ports

PATIENCE = 40.0
_OF_OPENAI = {name: secret for name, secret in STAND_IN_SECRETS.items() if name == "OPENAI_API_KEY"}
"""The one credential that the closed stack has."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker drives the stack: starting two would take longer than the tests. Only the first is for `make test`."""
    for item in items:
        if "stack" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.integration)
            item.add_marker(pytest.mark.xdist_group("deployed"))
        if "closed" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.integration)
            item.add_marker(pytest.mark.xdist_group("keys"))
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running stack with IAM and signatures enforced and stand-ins that take half a second."""
    settings = on_free_ports(tmp_path_factory.mktemp("stack"))
    settings = replace(
        settings,
        parameters={**settings.parameters, **WITH_WEBHOOKS},
        stand_ins=StandIns(build_app(latency_seconds=0.5), STAND_IN_SECRETS),
    )
    with Stack(settings) as running:
        yield running


@pytest.fixture(scope="session")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that requires keys, as deployed by default, and caches them briefly; web pages may call it."""
    settings = replace(
        on_free_ports(tmp_path_factory.mktemp("closed")),
        parameters={
            "Stage": "local",
            "HoldSeconds": "1",
            "KeyCacheSeconds": "1",
            "CorsOrigins": "https://app.example.com",
            "LongHold": "on",
            "LongHoldSeconds": "60",
            **WITH_WEBHOOKS,
        },
        stand_ins=StandIns(build_app(latency_seconds=0.3), _OF_OPENAI),
    )
    with Stack(settings) as running:
        yield running


@pytest.fixture(scope="session")
def cli(closed: Stack) -> Callable[..., dict[str, Any]]:
    """`imagegate keys … --local` on that stack; what it printed, of JSON."""

    def run(*text: str) -> dict[str, Any]:
        where = ["--local", "--state-dir", str(closed.folder.root)]
        result = CliRunner().invoke(app, ["keys", *text, *where])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout) if result.stdout else {}

    return run


@pytest.fixture
def aws(stack: Stack) -> Callable[[str], Any]:
    """boto3 clients with the root key."""
    return stack.client


def eventually(look: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """The first true result of `look`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.1)


@pytest.fixture
def until() -> Callable[..., Any]:
    """Wait for a condition."""
    return eventually


@pytest.fixture(scope="session")
def announced(stack: Stack) -> Callable[..., list[dict[str, Any]]]:
    """What the bus has carried about an operation (or all), read through a rule and queue of the tests' own."""
    sqs, events = stack.client("sqs"), stack.client("events")
    queue = sqs.create_queue(QueueName="listener")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**allow, "Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    bus = stack.outputs["EventBusName"]
    # Other tests try who may announce, with events that say nothing.
    pattern = {"source": ["imagegate"], "detail-type": [{"prefix": "Image Generation "}]}
    events.put_rule(Name="listener", EventBusName=bus, EventPattern=json.dumps(pattern))
    events.put_targets(Rule="listener", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    heard: list[dict[str, Any]] = []

    def about(operation_id: str | None = None) -> list[dict[str, Any]]:
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            heard.append(as_described(json.loads(message["Body"])))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [event for event in heard if operation_id in (None, event["detail"]["operation"]["id"])]

    return about
