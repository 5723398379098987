"""The packaged template, transformed as AWS does it, becomes a stack whatever its parameters are.

moto creates what it knows of (not the HTTP API, alarms and policies of queues and buckets). MiniStack creates all
of it, in the tests of the embedded stack.
"""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import chain, combinations
from typing import Any
from urllib.parse import urlparse

import boto3
import pytest
from botocore.exceptions import ClientError
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from imagegate.local.stack.packaging import load_yaml
from support.sam import ARTIFACTS, UNDER_TEST, Account

SWITCHES: dict[str, Mapping[str, str]] = {
    "AnswersOtherOrigins": {"CorsOrigins": "https://app.example.com,https://other.example.com"},
    "BucketAnswersPages": {"CorsOrigins": "https://app.example.com"},
    "BoundsApi": {"ApiConcurrency": "660"},
    "BoundsPoll": {"PollConcurrency": "50"},
    "BoundsSubmit": {"SubmitConcurrency": "50"},
    "BoundsWait": {"WaitConcurrency": "500"},
    "HoldsLong": {"LongHold": "on"},
    "ShowsStudio": {"Studio": "on"},
    "Signs": {"Signing": "on"},
    "SignsWithKms": {"Signing": "on", "SigningKeyArn": "arn:aws:kms:eu-central-1:123456789012:key/1"},
    "TakesEvents": {"IntakeKey": "0123456789ab"},
    "TracesActively": {"Tracing": "active"},
    "UsesBedrock": {"BedrockRegion": "us-west-2"},
    "WithAlarmEmail": {"AlarmEmail": "someone@example.com"},
    "WithMonitoring": {"Monitoring": "alarms"},
    "WithDashboard": {"Monitoring": "full"},
    "WithPublicUrl": {"PublicUrl": "https://images.example.com"},
}
"""Condition of the template -> parameters under which it holds."""
IMPLIED = {"SignsWithKms": {"Signs"}, "WithAlarmEmail": {"WithMonitoring"}, "WithDashboard": {"WithMonitoring"}}
"""Condition -> others that hold with it and add resources."""
DOCUMENT = load_yaml(UNDER_TEST)
CONDITIONAL = sorted({entry["Condition"] for entry in DOCUMENT["Resources"].values() if "Condition" in entry})
"""The conditions that add resources."""
OTHERS = sorted(set(SWITCHES) - set(CONDITIONAL))
UNKNOWN_TO_MOTO = re.compile(
    r"AWS::(ApiGatewayV2::\w+|CloudWatch::(Alarm|CompositeAlarm)|Events::EventBusPolicy|Lambda::Url|Logs::MetricFilter"
    r"|S3::BucketPolicy|SQS::QueuePolicy)"
)
_MANAGED = "AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess", "AWSLambdaSQSQueueExecutionRole"


def cases() -> Iterator[tuple[str, ...]]:
    """Every set of conditions that add resources, with none and with all of the others; then each alone."""
    subsets = chain.from_iterable(combinations(CONDITIONAL, size) for size in range(len(CONDITIONAL) + 1))
    for subset in subsets:
        yield subset
        yield (*subset, *OTHERS)
    yield from ((entry,) for entry in OTHERS)


CASES = list(cases())


def transformed(template: dict[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    """The template without SAM's resources."""
    managed = {name: f"arn:aws:iam::aws:policy/service-role/{name}" for name in _MANAGED}
    translator = Translator(managed, Parser(), boto_session=boto3.Session(region_name="us-east-1"))
    copy = json.loads(json.dumps(template))
    return for_moto(translator.translate(copy, parameter_values=dict(parameters)))


def for_moto(template: dict[str, Any]) -> dict[str, Any]:
    """The template without three things that moto fails on.

    It passes a rule the bus itself instead of its name, refuses attributes of resources that it does not know, and
    finds a nested stack's template only at S3's own host.
    """
    resources = template["Resources"]
    for nested in (
        entry["Properties"] for entry in resources.values() if entry["Type"] == "AWS::CloudFormation::Stack"
    ):
        nested["TemplateURL"] = f"https://s3.amazonaws.com{urlparse(nested['TemplateURL']).path}"
    for rule in (resource["Properties"] for resource in resources.values() if resource["Type"] == "AWS::Events::Rule"):
        if "EventBusName" in rule:
            rule["EventBusName"] = resources[rule["EventBusName"]["Ref"]]["Properties"]["Name"]
    unknown = {name for name, resource in resources.items() if UNKNOWN_TO_MOTO.fullmatch(resource["Type"])}
    known: dict[str, Any] = _without_attributes_of(unknown, template)
    return known


def _without_attributes_of(resources: set[str], node: Any) -> Any:
    """The same with a text in place of each attribute of these resources."""
    if isinstance(node, list):
        return [_without_attributes_of(resources, entry) for entry in node]
    if not isinstance(node, dict):
        return node
    if set(node) == {"Fn::GetAtt"} and node["Fn::GetAtt"][0] in resources:
        return "https://unknown-to-moto.example.com"
    return {name: _without_attributes_of(resources, entry) for name, entry in node.items()}


def test_every_condition_has_a_case() -> None:
    """One that is not here: name parameters under which it holds in SWITCHES."""
    assert set(SWITCHES) == set(DOCUMENT["Conditions"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: "+".join(case) or "defaults")
def test_the_stack_is_created(aws: Account, packaged: dict[str, Any], case: tuple[str, ...]) -> None:
    formation, stage = aws.client("cloudformation"), f"case-{CASES.index(case)}"
    parameters = {"Stage": stage, **{name: value for condition in case for name, value in SWITCHES[condition].items()}}
    template = transformed(packaged, parameters)
    stack = created(aws, template, parameters)
    listed = formation.list_stack_resources(StackName=stage)["StackResourceSummaries"]
    made = {entry["LogicalResourceId"] for entry in listed if entry.get("LogicalResourceId")}
    assert made == expected(template, set(case))
    assert {entry["OutputKey"] for entry in stack["Outputs"]} == holding(template["Outputs"], set(case))


def holding(entries: Mapping[str, Any], conditions: set[str]) -> set[str]:
    """The names of the entries that are there under these conditions."""
    held = {"", *conditions}.union(*(IMPLIED.get(condition, set()) for condition in conditions))
    return {name for name, entry in entries.items() if entry.get("Condition", "") in held}


def created(aws: Account, template: dict[str, Any], parameters: Mapping[str, str]) -> Mapping[str, Any]:
    """The stack of the template, named as its stage."""
    formation, stage = aws.client("cloudformation"), parameters["Stage"]
    aws.client("s3").put_object(Bucket=ARTIFACTS, Key="template.json", Body=json.dumps(template))
    formation.create_stack(
        StackName=stage,
        TemplateURL=f"https://{ARTIFACTS}.s3.amazonaws.com/template.json",
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )
    [stack] = formation.describe_stacks(StackName=stage)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    found: Mapping[str, Any] = stack
    return found


def test_without_a_studio_the_bucket_answers_no_pages(aws: Account, packaged: dict[str, Any]) -> None:
    parameters = {"Stage": "no-studio", "Studio": "off"}
    stack = created(aws, transformed(packaged, parameters), parameters)
    [bucket] = [output["OutputValue"] for output in stack["Outputs"] if output["OutputKey"] == "BucketName"]
    with pytest.raises(ClientError, match="NoSuchCORSConfiguration"):
        aws.client("s3").get_bucket_cors(Bucket=bucket)


def expected(template: dict[str, Any], conditions: set[str]) -> set[str]:
    """The resources that moto has to make."""
    known = {
        name: entry for name, entry in template["Resources"].items() if not UNKNOWN_TO_MOTO.fullmatch(entry["Type"])
    }
    return holding(known, conditions)
