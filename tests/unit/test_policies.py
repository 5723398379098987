"""The policies that AWS gets, after SAM has written its own: what they say is said in today's language."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from imagegate.local.stack.packaging import load_yaml
from support.stack_settings import TEMPLATE

_MANAGED = "AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess", "AWSLambdaSQSQueueExecutionRole"
PARAMETERS = {"Stage": "dev", "IntakeKey": "0123456789ab", "LongHold": "on"}


def transformed() -> dict[str, Any]:
    """The template without SAM's resources, as if it were packaged."""
    template = load_yaml(TEMPLATE)
    for entry in template["Resources"].values():
        paths = {"CodeUri", "ContentUri", "DefinitionUri"} & entry["Properties"].keys()
        entry["Properties"] |= dict.fromkeys(paths, "s3://artifacts/key")
    managed = {name: f"arn:aws:iam::aws:policy/service-role/{name}" for name in _MANAGED}
    translator = Translator(managed, Parser(), boto_session=boto3.Session(region_name="us-east-1"))
    done: dict[str, Any] = json.loads(json.dumps(translator.translate(template, parameter_values=PARAMETERS)))
    return done


def documents(node: Any, at: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every policy below a node, with where it is. Of a bus, EventBridge writes all but the statement itself."""
    if isinstance(node, list):
        for number, entry in enumerate(node):
            yield from documents(entry, f"{at}[{number}]")
    if isinstance(node, dict) and node.get("Type") != "AWS::Events::EventBusPolicy":
        if "Statement" in node:
            yield at, node
        for name, entry in node.items():
            yield from documents(entry, f"{at}.{name}")


DOCUMENTS = dict(documents(transformed()["Resources"], ""))


def test_no_kind_of_policy_is_missed() -> None:
    """Roles of functions and the workflow, with the policies inside them, and those of bucket and queues."""
    resources = transformed()["Resources"]
    roles = [name for name, resource in resources.items() if resource["Type"] == "AWS::IAM::Role"]
    assert len(roles) > 10
    for role in roles:
        assert f".{role}.Properties.AssumeRolePolicyDocument" in DOCUMENTS
        assert f".{role}.Properties.Policies[0].PolicyDocument" in DOCUMENTS
    holders = {"AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy"}
    held = [name for name, resource in resources.items() if resource["Type"] in holders]
    assert {f".{name}.Properties.PolicyDocument" for name in held} <= DOCUMENTS.keys()


@pytest.mark.parametrize("at", DOCUMENTS)
def test_a_policy_says_its_version(at: str) -> None:
    """Without it AWS reads it as of 2008, in which `${aws:...}` is not a variable but these very characters."""
    assert DOCUMENTS[at].get("Version") == "2012-10-17"
