"""`make deploy` and `make destroy` with the real SAM CLI, on an empty emulated AWS.

MiniStack, because its CloudFormation transforms SAM's templates, executes change sets and rolls back. On moto's, `sam
deploy` ends at SAM's own bucket: stacks that change sets make have neither tags nor outputs there.
"""

import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from imagegate.local.ministack.process import REGION, MiniStackProcess
from imagegate.local.ports import listen
from imagegate.local.stack.packaging import load_yaml
from imagegate.local.stack.root_access import RootAccess
from imagegate.local.state_folder import StateFolder
from support.stack_settings import MONITORING

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(600), pytest.mark.xdist_group("make-deploy")]
ROOT = Path(__file__).parents[2]
ALARM = "AWS::CloudWatch::Alarm"
STAND_IN = "http://127.0.0.1:9/stand-ins"
_FORGOTTEN = re.compile(r"AWS_|(ARGS|PARAMETERS|STAGE|TEMPLATE)$|MAKE|MFLAGS$")


@dataclass
class Cloud:
    """An AWS account."""

    access: RootAccess

    def client(self, service: str) -> Any:
        return self.access.client(service)

    def stack(self, stage: str) -> dict[str, Any]:
        [found] = self.client("cloudformation").describe_stacks(StackName=f"imagegate-{stage}")["Stacks"]
        return dict(found)

    def parameters(self, stage: str) -> dict[str, str]:
        return {entry["ParameterKey"]: entry["ParameterValue"] for entry in self.stack(stage)["Parameters"]}

    def run(self, *command: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout, with nothing of AWS in its environment but credentials for this one."""
        environment = {name: value for name, value in os.environ.items() if not _FORGOTTEN.match(name)}
        environment |= self.access.variables()
        return subprocess.run(command, cwd=ROOT, env=environment, input=text, capture_output=True, text=True)

    def make(self, *arguments: str, text: str = "") -> str:
        """What `make` says; it succeeds."""
        done = self.run("make", *arguments, text=text)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = StateFolder(tmp_path_factory.mktemp("ministack"))
    folder.create()
    ministack = MiniStackProcess(folder=folder, listener=listen(0))
    ministack.start()
    yield Cloud(RootAccess(ministack.endpoint, folder.root_credentials()))
    ministack.stop()


def stage_file(folder: Path, values: Mapping[str, str | int]) -> str:
    """A file of parameters, as an option."""
    lines = (f"{name} = {value}" if isinstance(value, int) else f'{name} = "{value}"' for name, value in values.items())
    path = folder / "stage.toml"
    path.write_text("\n".join(lines))
    return f"ARGS=--file {path}"


def test_deployed_twice_changed_and_removed(cloud: Cloud, tmp_path: Path) -> None:
    first = cloud.make("deploy", "STAGE=one", f"PARAMETERS=StandInUrl={STAND_IN} ImageDays=3")
    assert cloud.stack("one")["StackStatus"] == "CREATE_COMPLETE"
    deployed = cloud.parameters("one")
    assert (deployed["StandInUrl"], deployed["ImageDays"], deployed["Stage"]) == (STAND_IN, "3", "one")
    outputs = {entry["OutputKey"]: entry["OutputValue"] for entry in cloud.stack("one")["Outputs"]}
    assert f"curl -sL {outputs['ApiUrl']}/v1/images/generations" in first
    [create] = re.findall(r"export IMAGEGATE_API_KEY=\$\((.*)\)", first)
    key = cloud.run("bash", "-c", create)
    assert re.fullmatch(r"ig_\w+\n", key.stdout), key.stderr

    assert "No changes to deploy" in cloud.make("deploy", "STAGE=one")
    assert cloud.parameters("one") == deployed
    assert not cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]

    changed = cloud.make("deploy", "STAGE=one", stage_file(tmp_path, {"ImageDays": 5, "AlarmEmail": "a@example.com"}))
    assert "ImageDays = 5" in changed
    assert f"StandInUrl = '' (default, was {STAND_IN})" in changed
    assert cloud.stack("one")["StackStatus"] == "UPDATE_COMPLETE"
    now = cloud.parameters("one")
    assert (now["ImageDays"], now["StandInUrl"], now["AlarmEmail"]) == ("5", "", "a@example.com")
    _assert_monitored(cloud, "one")

    table, bucket = outputs["TableName"], outputs["BucketName"]
    running = _start_one_that_waits(cloud, outputs["StateMachineArn"])
    refused = cloud.run("make", "destroy", "STAGE=one", text="n\n")
    assert refused.returncode != 0
    assert "1 operations under way" in refused.stdout
    assert cloud.stack("one")["StackStatus"] == "UPDATE_COMPLETE"
    removed = cloud.make("destroy", "STAGE=one", text="y\n")
    ended = cloud.client("stepfunctions").describe_execution(executionArn=running)
    assert (ended["status"], ended["error"]) == ("ABORTED", "Removed")
    assert f"delete-table --table-name {table} --region {REGION}" in removed
    assert f"aws s3 rb --force s3://{bucket} --region {REGION}" in removed
    assert cloud.client("dynamodb").describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE"
    cloud.client("s3").head_bucket(Bucket=bucket)
    assert not cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    again = cloud.run("make", "destroy", "STAGE=one", "ARGS=--yes")
    assert (again.returncode, "There is no stack 'imagegate-one'" in again.stderr) == (2, True)


def test_deployed_after_a_failed_first_try(cloud: Cloud) -> None:
    events = cloud.client("events")
    events.create_event_bus(Name="imagegate-two")
    failed = cloud.run("make", "deploy", "STAGE=two")
    assert failed.returncode != 0
    assert "Bus (AWS::Events::EventBus): " in failed.stderr
    assert cloud.stack("two")["StackStatus"] == "ROLLBACK_COMPLETE"
    events.delete_event_bus(Name="imagegate-two")
    message = cloud.make("deploy", "STAGE=two")
    assert "imagegate-two was never complete (ROLLBACK_COMPLETE)" in message
    assert cloud.stack("two")["StackStatus"] == "CREATE_COMPLETE"


def test_what_is_wrong_is_said_before_anything_is_built_or_made(cloud: Cloud) -> None:
    refused = cloud.run("make", "deploy", "STAGE=three", "PARAMETERS=StandInUrl={openai:http://x}")
    assert refused.returncode != 0
    assert "StandInUrl must be a URL without a final slash" in refused.stderr
    assert "==>" not in refused.stdout
    checked = cloud.make("deploy", "STAGE=three", "ARGS=--check HoldSeconds=5")
    assert "HoldSeconds = 5 (the command line)" in checked
    assert "==>" not in checked


def _assert_monitored(cloud: Cloud, stage: str) -> None:
    """The nested stack's alarms watch what the stack has made, and notify the topic; there is a dashboard."""
    expected = {
        name
        for name, entry in load_yaml(MONITORING)["Resources"].items()
        if entry["Type"] == ALARM and "Condition" not in entry
    }
    alarms = cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert len(alarms) == len(expected)
    resources = cloud.client("cloudformation").describe_stack_resources(StackName=f"imagegate-{stage}")
    made = {entry["LogicalResourceId"]: entry["PhysicalResourceId"] for entry in resources["StackResources"]}
    watched = {dimension["Value"] for alarm in alarms for dimension in alarm["Dimensions"]}
    queues = {made[name].rpartition("/")[2] for name in ("UndeliveredQueue", "UnpublishedQueue", "UnsweptQueue")}
    assert {made["ApiFunction"], made["SweepFunction"], made["Workflow"], *queues} <= watched
    assert {action for alarm in alarms for action in alarm["AlarmActions"]} == {made["AlarmTopic"]}
    dashboards = cloud.client("cloudwatch").list_dashboards()["DashboardEntries"]
    assert [entry["DashboardName"] for entry in dashboards] == [f"imagegate-{stage}-{REGION}"]


def _start_one_that_waits(cloud: Cloud, machine: str) -> str:
    """An execution that waits for minutes, whatever its functions do."""
    workflows = cloud.client("stepfunctions")
    role = workflows.describe_state_machine(stateMachineArn=machine)["roleArn"]
    waiting = '{"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 900, "End": true}}}'
    workflows.update_state_machine(stateMachineArn=machine, definition=waiting, roleArn=role)
    arn: str = workflows.start_execution(stateMachineArn=machine)["executionArn"]
    until = time.monotonic() + 30
    while workflows.describe_execution(executionArn=arn)["status"] != "RUNNING":
        assert time.monotonic() < until
    return arn
