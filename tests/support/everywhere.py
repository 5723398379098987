"""Everything that an operator of a deployment, or an intruder into a part of it, can read there."""

import json
from collections.abc import Iterator
from typing import Any

from imagegate.local.stack.stack import Stack

SIGNING = "signing"
"""The item that holds a secret on purpose (docs/adr/0005)."""


class Listener:
    """A queue of its own that gets whatever the bus carries."""

    def __init__(self, stack: Stack) -> None:
        self._sqs, events = stack.client("sqs"), stack.client("events")
        self._url = self._sqs.create_queue(QueueName="everything")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allow = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = {"Version": "2012-10-17", "Statement": [{**allow, "Resource": arn}]}
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": json.dumps(policy)})
        bus = stack.outputs["EventBusName"]
        events.put_rule(Name="everything", EventBusName=bus, EventPattern=json.dumps({"source": ["imagegate"]}))
        events.put_targets(Rule="everything", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
        self.heard: list[str] = []

    def listen(self) -> list[str]:
        """All that has been heard until now."""
        while found := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                self.heard.append(message["Body"])
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return self.heard


def everywhere(stack: Stack) -> Iterator[tuple[str, str]]:
    """Each place, and what is written there."""
    yield from _functions(stack.client("lambda"))
    yield from _executions(stack.client("stepfunctions"), stack.outputs["StateMachineArn"])
    for page in stack.client("dynamodb").get_paginator("scan").paginate(TableName=stack.outputs["TableName"]):
        yield from (("table", str(item)) for item in page["Items"] if item["pk"]["S"] != SIGNING)
    yield from _objects(stack.client("s3"), stack.outputs["BucketName"])
    yield from logs(stack)
    formation = stack.client("cloudformation")
    yield "stack", str(formation.describe_stacks(StackName=stack.settings.name)["Stacks"])
    yield "template", str(formation.get_template(StackName=stack.settings.name)["TemplateBody"])
    yield "parameters' names", str(stack.client("ssm").describe_parameters()["Parameters"])


def logs(stack: Stack) -> Iterator[tuple[str, str]]:
    """Every line of every log group, and MiniStack's own log."""
    client = stack.client("logs")
    for group in client.describe_log_groups()["logGroups"]:
        for page in client.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
            yield from (("log", event["message"]) for event in page["events"])
    for path in stack.folder.root.rglob("*.log"):
        yield "MiniStack's log", path.read_text(errors="replace")


def _functions(client: Any) -> Iterator[tuple[str, str]]:
    for entry in client.list_functions()["Functions"]:
        yield "function", str(client.get_function_configuration(FunctionName=entry["FunctionName"]))


def _executions(client: Any, machine: str) -> Iterator[tuple[str, str]]:
    yield "state machine", str(client.describe_state_machine(stateMachineArn=machine))
    for page in client.get_paginator("list_executions").paginate(stateMachineArn=machine):
        for entry in page["executions"]:
            arn = entry["executionArn"]
            yield "execution", str(client.describe_execution(executionArn=arn))
            for history in client.get_paginator("get_execution_history").paginate(executionArn=arn):
                yield "history", str(history["events"])


def _objects(client: Any, bucket: str) -> Iterator[tuple[str, str]]:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page.get("Contents", []):
            found = client.get_object(Bucket=bucket, Key=entry["Key"])
            yield "object", f"{entry['Key']} {found['Metadata']} {found['Body'].read().decode('latin-1')}"
