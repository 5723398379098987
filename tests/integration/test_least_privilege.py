"""Each function's own role, on the template as deployed: it may do its work, and nothing that is on this list.

A right that is listed for no function is denied to all. A new function has none of them until it is listed here.
"""

import base64
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from imagegate.local.ministack.process import REGION
from imagegate.local.stack.packaging import load_yaml
from imagegate.local.stack.stack import Stack
from support.roles import credentials
from support.stack_settings import TEMPLATE

pytestmark = pytest.mark.slow

RESOURCES = load_yaml(TEMPLATE)["Resources"]
FUNCTIONS = [name for name, resource in RESOURCES.items() if resource["Type"] == "AWS::Serverless::Function"]
Client = Callable[[str], Any]
Probe = Callable[[Client, "Names"], Any]


class Names:
    """What the deployed stack is made of."""

    def __init__(self, stack: Stack) -> None:
        out = stack.outputs
        self.table, self.bucket, self.bus = out["TableName"], out["BucketName"], out["EventBusName"]
        self.machine = out["StateMachineArn"]
        resources = stack.client("cloudformation").describe_stack_resources(StackName=stack.settings.name)
        self.of = {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources["StackResources"]
        }


def get_item(pk: str) -> Probe:
    return lambda client, names: client("dynamodb").get_item(TableName=names.table, Key={"pk": {"S": pk}})


def put_item(pk: str) -> Probe:
    # The condition never holds: nothing is written, also where it is allowed.
    return lambda client, names: client("dynamodb").put_item(
        TableName=names.table, Item={"pk": {"S": pk}}, ConditionExpression="attribute_exists(pk) AND pk = :no",
        ExpressionAttributeValues={":no": {"S": "never"}},
    )  # fmt: skip


def delete_item(pk: str) -> Probe:
    return lambda client, names: client("dynamodb").delete_item(TableName=names.table, Key={"pk": {"S": pk}})


def update_item(pk: str) -> Probe:
    return lambda client, names: client("dynamodb").update_item(
        TableName=names.table, Key={"pk": {"S": pk}}, UpdateExpression="SET x = :no",
        ConditionExpression="attribute_exists(pk) AND pk = :no", ExpressionAttributeValues={":no": {"S": "never"}},
    )  # fmt: skip


def query(index: str, attribute: str) -> Probe:
    return lambda client, names: client("dynamodb").query(
        TableName=names.table, IndexName=index, KeyConditionExpression="#a = :a",
        ExpressionAttributeNames={"#a": attribute}, ExpressionAttributeValues={":a": {"S": "absent"}},
    )  # fmt: skip


def get_object(key: str) -> Probe:
    return lambda client, names: client("s3").get_object(Bucket=names.bucket, Key=key)


def put_object(key: str) -> Probe:
    return lambda client, names: client("s3").put_object(Bucket=names.bucket, Key=key, Body=b"")


def delete_object(key: str) -> Probe:
    return lambda client, names: client("s3").delete_object(Bucket=names.bucket, Key=key)


def parameter(name: str) -> Probe:
    return lambda client, names: client("ssm").get_parameter(Name=f"/imagegate/dev/{name}", WithDecryption=True)


def parameters(path: str) -> Probe:
    return lambda client, names: client("ssm").get_parameters_by_path(Path=path, Recursive=True, WithDecryption=True)


def send(queue: str) -> Probe:
    # Of attributes that are none, nothing is sent where it is allowed.
    return lambda client, names: client("sqs").send_message(
        QueueUrl=names.of[queue], MessageBody="x", MessageAttributes={"x": {"DataType": "none", "StringValue": "x"}}
    )


def hide(queue: str) -> Probe:
    return lambda client, names: client("sqs").change_message_visibility(
        QueueUrl=names.of[queue], ReceiptHandle="none", VisibilityTimeout=1
    )


ABSENT = "0" * 20
PATHS = Config(s3={"addressing_style": "path"}, proxies={}, retries={"total_max_attempts": 1})
DRIVERS = {"SubmitFunction", "PollFunction"}
FRONTS = {"ApiFunction", "HoldFunction"}
WAITING = {*FRONTS, "WaitFunction"}
"""Those that hold the requests of waiting clients."""
OTHER_READERS = {"DeliverFunction", "ExpandFunction"}
MAY: dict[str, tuple[Probe, set[str]]] = {
    "read an operation": (
        get_item(f"op#{ABSENT}"),
        {*WAITING, "FailFunction", "IntakeFunction", "SweepFunction", *DRIVERS, *OTHER_READERS},
    ),
    "write an operation": (
        put_item(f"op#{ABSENT}"),
        {*FRONTS, "ExpandFunction", "FailFunction", "IntakeFunction", "SweepFunction", *DRIVERS},
    ),
    "remove an operation": (delete_item(f"op#{ABSENT}"), FRONTS),
    "read an API key": (get_item("apikey#none"), {*WAITING, "DeliverFunction", "IntakeFunction"}),
    "make an API key": (put_item("apikey#none"), set()),
    "remove an API key": (delete_item("apikey#none"), set()),
    "read the signing secret": (get_item("signing"), {*WAITING, "PublishFunction"}),
    "make the signing secret": (put_item("signing"), {*WAITING, "PublishFunction"}),
    "remove the signing secret": (delete_item("signing"), set()),
    "read what was learned": (get_item("latency#a#b"), {*WAITING, *DRIVERS}),
    "write what was learned": (put_item("latency#a#b"), DRIVERS),
    "open a circuit": (put_item("circuit#a"), DRIVERS),
    "read a delivery": (get_item("delivery#none"), {*FRONTS, "DeliverFunction"}),
    "write a delivery": (put_item("delivery#none"), {*FRONTS, "DeliverFunction", "PublishFunction"}),
    "count a webhook's POSTs": (update_item("delivery#none"), {*FRONTS, "DeliverFunction"}),
    "read how a receiver does": (get_item("receiver#none"), {"DeliverFunction"}),
    "spare a receiver": (put_item("receiver#none"), {"DeliverFunction"}),
    "give back a turn": (delete_item("receiver#none"), {"DeliverFunction"}),
    "remove a delivery": (delete_item("delivery#none"), FRONTS),
    "disable a webhook": (put_item("webhook#none"), {*FRONTS, "DeliverFunction"}),
    "enable a webhook": (delete_item("webhook#none"), FRONTS),
    "read the key that signs pictures": (parameter("signing"), set()),
    "read the key of webhook secrets": (parameter("webhooks"), {*FRONTS, "DeliverFunction", "IntakeFunction"}),
    "make the key of webhook secrets": (
        lambda client, names: client("ssm").put_parameter(Name="/imagegate/dev/webhooks", Value="x", Type="none"),
        {*FRONTS, "IntakeFunction"},
    ),
    "have a webhook sent": (send("WebhookQueue"), {*FRONTS, "PublishFunction"}),
    "have a webhook wait": (hide("WebhookQueue"), {"DeliverFunction"}),
    "put a webhook aside": (send("UndeliveredQueue"), {"DeliverFunction"}),
    "have a request wait": (hide("IntakeQueue"), {"IntakeFunction"}),
    "send a request": (send("IntakeQueue"), set()),
    "put a request aside": (send("UnacceptedQueue"), {"IntakeFunction"}),
    "put an announcement aside": (send("UnpublishedQueue"), {"PublishFunction"}),
    "read all counters of a key": (
        lambda client, names: client("dynamodb").batch_get_item(
            RequestItems={names.table: {"Keys": [{"pk": {"S": "usage#none#running#1"}}]}}
        ),
        {*FRONTS, "IntakeFunction", "SubmitFunction"},
    ),
    "read what a key has used": (get_item("usage#none#running"), {*FRONTS, "FailFunction", *DRIVERS}),
    "book what a key uses": (
        put_item("usage#none#running"),
        {*FRONTS, "FailFunction", "IntakeFunction", *DRIVERS},
    ),
    "forget what a key has used": (delete_item("usage#none#running"), set()),
    "count a key's requests": (put_item("pace#none"), FRONTS),
    "read routes": (get_item("routes#current"), {*WAITING, "ExpandFunction", "IntakeFunction", *DRIVERS}),
    "change routes": (put_item("routes#current"), set()),
    "write an item of no kind": (put_item("other"), set()),
    "scan the table": (lambda client, names: client("dynamodb").scan(TableName=names.table), set()),
    "remove the table": (lambda client, names: client("dynamodb").delete_table(TableName=names.table), set()),
    "list an owner's operations": (query("owner", "owner"), {*FRONTS, "DeliverFunction"}),
    "list open operations": (query("open", "open"), {"SweepFunction"}),
    "read a picture": (get_object("images/none"), WAITING),
    "write a picture": (put_object("images/none"), DRIVERS),
    "remove a picture": (delete_object("images/none"), FRONTS),
    "read an uploaded picture": (get_object("inputs/none"), {"SubmitFunction"}),
    "write an uploaded picture": (put_object("inputs/none"), FRONTS),
    "remove an uploaded picture": (delete_object("inputs/none"), FRONTS),
    "read a large upload": (get_object("uploads/none"), FRONTS),
    "write a large upload": (put_object("uploads/none"), FRONTS),
    "write a large answer": (put_object("answers/none"), WAITING),
    "write elsewhere in the bucket": (put_object("other/none"), set()),
    "list the bucket": (lambda client, names: client("s3").list_objects_v2(Bucket=names.bucket), set()),
    "open the bucket": (
        lambda client, names: client("s3").put_bucket_policy(Bucket=names.bucket, Policy="{}"),
        set(),
    ),
    "read all upstreams' secrets": (parameters("/imagegate/dev/upstreams"), DRIVERS),
    "read one upstream's secret": (parameter("upstreams/OPENAI_API_KEY"), set()),
    "read the expander's secret": (parameter("upstreams/EXPANDER_API_KEY"), {"ExpandFunction"}),
    "read another secret": (parameter("OTHER"), set()),
    "read another stage's secret": (
        lambda client, names: client("ssm").get_parameter(Name="/imagegate/prod/upstreams/OPENAI_API_KEY"),
        set(),
    ),
    "read all secrets of another stage": (parameters("/imagegate/prod/upstreams"), set()),
    "read all parameters": (parameters("/imagegate"), set()),
    "set a secret": (
        lambda client, names: client("ssm").put_parameter(
            Name="/imagegate/dev/upstreams/OPENAI_API_KEY", Value="x", Type="SecureString"
        ),
        set(),
    ),
    "start the workflow": (
        lambda client, names: client("stepfunctions").start_execution(
            stateMachineArn=names.machine, name="least-privilege", input="not JSON"
        ),
        {*FRONTS, "IntakeFunction", "SubmitFunction", "SweepFunction"},
    ),
    "read the workflow's history": (
        lambda client, names: client("stepfunctions").list_executions(stateMachineArn=names.machine),
        set(),
    ),
    "announce on the bus": (
        lambda client, names: client("events").put_events(
            Entries=[{"Source": "x", "DetailType": "x", "Detail": "{}", "EventBusName": names.bus}]
        ),
        {"PublishFunction"},
    ),
    "speak as imagegate": (
        lambda client, names: client("events").put_events(
            Entries=[{"Source": "imagegate", "DetailType": "x", "Detail": "{}", "EventBusName": names.bus}]
        ),
        {"PublishFunction"},
    ),
    "announce on the default bus": (
        lambda client, names: client("events").put_events(Entries=[{"Source": "x", "DetailType": "x", "Detail": "{}"}]),
        set(),
    ),
    "call a function": (
        lambda client, names: client("lambda").invoke(FunctionName=names.of["FailFunction"], Payload=b"{}"),
        set(),
    ),
    "have a step taken": (
        lambda client, names: client("lambda").invoke(
            FunctionName=names.of["SubmitFunction"], InvocationType="DryRun", Payload=b"{}"
        ),
        WAITING,
    ),
    "change a function": (
        lambda client, names: client("lambda").update_function_configuration(
            FunctionName=names.of["FailFunction"], Timeout=3
        ),
        set(),
    ),
    "read a role": (lambda client, names: client("iam").list_roles(), set()),
    "take another role": (
        lambda client, names: client("sts").assume_role(
            RoleArn="arn:aws:iam::000000000000:role/other", RoleSessionName="someone"
        ),
        set(),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def roles(stack: Stack) -> Callable[[str], Client]:
    """Clients with a function's own role, as Lambda takes it for the function."""
    functions, names = stack.client("lambda"), Names(stack)
    # The key of webhook secrets exists before the probe that would make it: other tests need a real one.
    ssm, key = stack.client("ssm"), base64.b64encode(bytes(32)).decode()
    with suppress(ssm.exceptions.ParameterAlreadyExists):
        ssm.put_parameter(Name="/imagegate/dev/webhooks", Value=key, Type="SecureString")

    def of(function: str) -> Client:
        taken = credentials(stack, functions.get_function_configuration(FunctionName=names.of[function])["Role"])
        session = boto3.Session(taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"], REGION)
        like = stack.client("s3").meta
        return cache(lambda service: session.client(service, endpoint_url=like.endpoint_url, config=PATHS))

    return of


def denied(probe: Probe, client: Client, names: Names) -> bool:
    """Whether it is refused for want of a permission; that it fails for another reason makes no difference."""
    try:
        probe(client, names)
    except ClientError as error:
        return "AccessDenied" in error.response["Error"]["Code"]
    return False


def test_every_function_named_here_is_there() -> None:
    named = set().union(*(functions for _, functions in MAY.values()))
    assert named <= set(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_may_do_what_it_is_named_for_and_nothing_else(
    stack: Stack, roles: Callable[[str], Client], function: str
) -> None:
    client, names = roles(function), Names(stack)
    refused = {what for what, (probe, _) in MAY.items() if denied(probe, client, names)}
    assert refused == {what for what, (_, functions) in MAY.items() if function not in functions}


def test_the_roles_are_what_forbids_it(stack: Stack) -> None:
    """The list is useful only if an unrestricted principal may do all of it."""
    names = Names(stack)
    idempotent = [what for what in MAY if what.startswith(("read", "list", "scan"))]
    assert [what for what in idempotent if denied(MAY[what][0], stack.client, names)] == []
