"""Work that arrives and leaves as events, without HTTP."""

import hashlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from imagegate.local.ministack.process import REGION
from imagegate.local.stack.stack import Stack
from support.documents import code_blocks, yaml_blocks

pytestmark = pytest.mark.slow

Until = Callable[..., Any]
Aws = Callable[[str], Any]
PAGE = Path(__file__).parents[2] / "docs" / "events.md"
IMAGEGATE = Path(sys.executable).with_name("imagegate")


def physical(aws: Aws, logical: str) -> str:
    """The physical id of a resource of the stack."""
    resource = aws("cloudformation").describe_stack_resource(StackName="imagegate-local", LogicalResourceId=logical)
    return str(resource["StackResourceDetail"]["PhysicalResourceId"])


def dead_letters(aws: Aws, logical: str) -> list[dict[str, Any]]:
    """Takes what is in a dead-letter queue."""
    queue = physical(aws, logical)
    answer = aws("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    for letter in answer.get("Messages", []):
        aws("sqs").delete_message(QueueUrl=queue, ReceiptHandle=letter["ReceiptHandle"])
    return list(answer.get("Messages", []))


@pytest.mark.parametrize("seconds_old", [0, 3600])
def test_a_record_that_cannot_be_read_is_asked_for_again_and_then_put_aside(
    stack: Stack, aws: Aws, seconds_old: int
) -> None:
    image = {"body": {"S": '{"from": "the future"}'}}
    change = {"Keys": {"pk": {"S": "op#x"}}, "NewImage": image, "SequenceNumber": "7"}
    record = {"dynamodb": change | {"ApproximateCreationDateTime": time.time() - seconds_old}}
    invoked = aws("lambda").invoke(
        FunctionName=physical(aws, "PublishFunction"), Payload=json.dumps({"Records": [record]})
    )
    again = json.load(invoked["Payload"])["batchItemFailures"]
    found = dead_letters(aws, "UnpublishedQueue")
    if not seconds_old:
        assert (again, found) == ([{"itemIdentifier": "7"}], [])
        return
    assert again == []
    [letter] = found
    assert json.loads(letter["Body"]) == {"Records": [record]}
    assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "unreadable"


def put(aws: Aws, stack: Stack, detail: dict[str, Any]) -> None:
    """Put a request on the bus."""
    entry = {"Source": "shop", "DetailType": "Image Generation Requested", "Detail": json.dumps(detail)}
    answer = aws("events").put_events(Entries=[entry | {"EventBusName": stack.outputs["EventBusName"]}])
    assert answer["FailedEntryCount"] == 0


def test_an_event_becomes_a_picture_and_an_event_without_http(
    stack: Stack, aws: Aws, announced: Callable[..., list[dict[str, Any]]], until: Until
) -> None:
    request = {"id": "order-7", "model": "flux", "prompt": "a fox", "metadata": {"order": "7"}}
    for _ in range(2):
        put(aws, stack, request)

    def ours() -> list[dict[str, Any]]:
        return [event for event in announced() if event["detail"]["operation"]["metadata"] == {"order": "7"}]

    [done] = until(lambda: [our for our in ours() if our["detail-type"] == "Image Generation Succeeded"])
    [image] = done["detail"]["operation"]["images"]
    kept = aws("s3").get_object(Bucket=image["bucket"], Key=image["key"])
    assert kept["ContentType"] == "image/webp"
    assert hashlib.sha256(kept["Body"].read()).hexdigest() == image["sha256"]
    # Both requests have been dealt with, and the second made no other operation.
    queue = physical(aws, "IntakeQueue")
    counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    get_counts = aws("sqs").get_queue_attributes
    until(lambda: not any(map(int, get_counts(QueueUrl=queue, AttributeNames=counts)["Attributes"].values())))
    assert {our["detail"]["operation"]["id"] for our in ours()} == {done["detail"]["operation"]["id"]}
    owned = aws("dynamodb").query(
        TableName=stack.outputs["TableName"],
        IndexName="owner",
        KeyConditionExpression="#o = :everybody",
        ExpressionAttributeNames={"#o": "owner"},
        ExpressionAttributeValues={":everybody": {"S": "everybody"}},
    )
    table = stack.outputs["TableName"]
    bodies = [aws("dynamodb").get_item(TableName=table, Key={"pk": item["pk"]}) for item in owned["Items"]]
    assert sum(json.loads(body["Item"]["body"]["S"])["metadata"] == {"order": "7"} for body in bodies) == 1


def test_a_request_that_is_refused_is_put_aside_with_the_reason(stack: Stack, aws: Aws, until: Until) -> None:
    put(aws, stack, {"model": "flux", "prompt": "a fox", "sise": "large"})
    [letter] = until(lambda: dead_letters(aws, "UnacceptedQueue"))
    assert json.loads(letter["Body"])["detail"]["sise"] == "large"
    reason = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert reason["ERROR_CODE"] == "invalid_request"
    assert "sise" in reason["ERROR_MESSAGE"]


@contextmanager
def tail(stack: Stack, *options: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """`imagegate events tail --local` and the lines it has printed, once it listens."""
    command = [IMAGEGATE, "events", "tail", "--local", "--state-dir", str(stack.folder.root), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        try:
            assert "Ctrl-C" in process.stderr.readline()
            lines = list[str]()
            threading.Thread(target=lines.extend, args=(process.stdout,), daemon=True).start()
            yield process, lines
        finally:
            process.kill()


def left_over(stack: Stack, aws: Aws) -> list[str]:
    """Queues and rules of listeners."""
    queues = aws("sqs").list_queues(QueueNamePrefix="imagegate-local-tail-").get("QueueUrls", [])
    rules = aws("events").list_rules(EventBusName=stack.outputs["EventBusName"], NamePrefix="imagegate-local-tail-")
    return [*queues, *(rule["Name"] for rule in rules["Rules"])]


def test_events_tail_shows_what_happens_and_leaves_nothing_behind(stack: Stack, aws: Aws, until: Until) -> None:
    with tail(stack) as (killed, _):
        killed.kill()
    [queue, _] = left_over(stack, aws)
    aws("sqs").tag_queue(QueueUrl=queue, Tags={"imagegate:listened-at": "0"})

    with tail(stack) as (process, lines):
        assert len(left_over(stack, aws)) == 2, "what the killed one left is gone"
        put(aws, stack, {"model": "flux", "prompt": "a secret plan"})
        until(lambda: any(" Succeeded " in line for line in ours(lines)))
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert [line.split()[1] for line in ours(lines)] == ["Requested", "Queued", "Started", "Succeeded"]
    assert f"s3://{stack.outputs['BucketName']}/images/" in ours(lines)[-1]
    assert "secret" not in "".join(lines)
    assert left_over(stack, aws) == []


def ours(lines: list[str]) -> list[str]:
    """The lines of a request and of the operation that it became: operations of other tests may still be ending."""
    requests = [at for at, line in enumerate(lines) if " Requested " in line]
    became = [line.split()[2] for line in lines[requests[0] :] if " Queued " in line] if requests else []
    return [line for line in lines if " Requested " in line or line.split()[2] in became[:1]]


def logged(aws: Aws, function: str) -> str:
    """What a function has printed; it has no log before it first ran."""
    group = f"/aws/lambda/{function}"
    if not aws("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        return ""
    return "".join(entry["message"] for entry in aws("logs").filter_log_events(logGroupName=group)["events"])


@pytest.fixture
def examples(stack: Stack, aws: Aws) -> list[dict[str, str]]:
    """The examples of docs/events.md as stacks beside ours; their Outputs."""
    given = {"Bus": stack.outputs["EventBusName"], "Bucket": stack.outputs["BucketName"]}
    formation, found = aws("cloudformation"), []
    for number, template in enumerate(yaml_blocks(PAGE)):
        named = [entry for entry in given if f"\n  {entry}: {{Type" in template]
        parameters = [{"ParameterKey": entry, "ParameterValue": given[entry]} for entry in named]
        formation.create_stack(
            StackName=f"example-{number}",
            TemplateBody=template,
            Parameters=parameters,
            Capabilities=["CAPABILITY_IAM"],
        )
        formation.get_waiter("stack_create_complete").wait(StackName=f"example-{number}", WaiterConfig={"Delay": 1})
        [made] = formation.describe_stacks(StackName=f"example-{number}")["Stacks"]
        found.append({entry["OutputKey"]: entry["OutputValue"] for entry in made["Outputs"]})
    return found


def test_the_examples_of_the_page_do_what_it_says(
    stack: Stack, aws: Aws, examples: list[dict[str, str]], until: Until
) -> None:
    queue, function, topic = (next(iter(outputs.values())) for outputs in examples)
    letterbox = aws("sqs").create_queue(QueueName="people")["QueueUrl"]
    arn = aws("sqs").get_queue_attributes(QueueUrl=letterbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**allow, "Resource": arn}]})
    aws("sqs").set_queue_attributes(QueueUrl=letterbox, Attributes={"Policy": policy})
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    put(aws, stack, {"model": "flux", "prompt": "a fox"})
    put(aws, stack, {"model": "flux", "prompt": "[fault refuse] a fox"})

    def taken(url: str) -> list[dict[str, Any]]:
        return [json.loads(entry["Body"]) for entry in aws("sqs").receive_message(QueueUrl=url).get("Messages", [])]

    [done] = until(lambda: taken(queue))
    [image] = done["detail"]["operation"]["images"]
    assert done["detail-type"] == "Image Generation Succeeded"
    until(lambda: f"{image['key']} has {image['bytes']} bytes" in logged(aws, function))
    [reported] = until(lambda: taken(letterbox))
    assert reported["Message"].strip('"').startswith("Operation ")
    assert " failed: " in reported["Message"]


@pytest.fixture
def producer(stack: Stack, aws: Aws) -> Iterator[Aws]:
    """Clients of a role with the policy that docs/events.md gives to producers, and with all of EventBridge."""
    [policy] = [json.loads(code_block) for code_block in code_blocks(PAGE, "json") if "events:PutEvents" in code_block]
    policy["Statement"][0]["Resource"] = bus_arn(stack, aws)
    with taking_role(aws, "producer", policy) as clients:
        yield clients


def bus_arn(stack: Stack, aws: Aws) -> str:
    return str(aws("events").describe_event_bus(Name=stack.outputs["EventBusName"])["Arn"])


@contextmanager
def taking_role(aws: Aws, name: str, policy: dict[str, Any]) -> Iterator[Aws]:
    """Clients of a role of this account with that policy alone."""
    iam = aws("iam")
    anybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [anybody]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="it", PolicyDocument=json.dumps(policy))
    taken = aws("sts").assume_role(RoleArn=arn, RoleSessionName="it")["Credentials"]
    session = boto3.Session(taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"], REGION)
    try:
        yield lambda service: session.client(
            service, endpoint_url=aws(service).meta.endpoint_url, config=Config(proxies={})
        )
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="it")
        iam.delete_role(RoleName=name)


def entry(stack: Stack, source: str, detail_type: str) -> dict[str, str]:
    return {
        "Source": source,
        "DetailType": detail_type,
        "Detail": json.dumps({"model": "flux", "prompt": "a fox", "metadata": {"from": "producer"}}),
        "EventBusName": stack.outputs["EventBusName"],
    }


def test_a_producer_asks_for_pictures_and_says_nothing_else(
    stack: Stack, producer: Aws, announced: Callable[..., list[dict[str, Any]]], until: Until
) -> None:
    sent = entry(stack, "shop", "Image Generation Requested")
    assert producer("events").put_events(Entries=[sent])["FailedEntryCount"] == 0

    def ours() -> list[dict[str, Any]]:
        return [
            event
            for event in announced()
            if event["detail"].get("operation", {}).get("metadata") == {"from": "producer"}
        ]

    until(lambda: [our for our in ours() if our["detail-type"] == "Image Generation Succeeded"])
    for source, detail_type in [
        ("imagegate", "Image Generation Requested"),
        ("imagegate", "Image Generation Succeeded"),
        ("shop", "Image Generation Succeeded"),
        ("another", "Image Generation Requested"),
    ]:
        with pytest.raises(ClientError, match="AccessDenied"):
            producer("events").put_events(Entries=[sent, entry(stack, source, detail_type)])


def test_whatever_else_it_may_nobody_but_publish_speaks_as_imagegate(stack: Stack, aws: Aws) -> None:
    """The bus's own policy, for a producer with a policy that was written without thought."""
    allow = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": bus_arn(stack, aws)}
    with taking_role(aws, "generous", {"Version": "2012-10-17", "Statement": [allow]}) as generous:
        idempotent = entry(stack, "shop", "Order Placed")
        assert generous("events").put_events(Entries=[idempotent])["FailedEntryCount"] == 0
        for entries in (["imagegate"], ["shop", "imagegate"]):
            forged = [entry(stack, source, "Image Generation Succeeded") for source in entries]
            with pytest.raises(ClientError, match="AccessDenied"):
                generous("events").put_events(Entries=forged)
