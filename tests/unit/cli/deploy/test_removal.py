"""`imagegate destroy`: what runs is stopped first, it ends, and what stays is said."""

from typing import Any

import boto3
import pytest

from imagegate.cli.deploy.executions import Executions
from imagegate.cli.deploy.remains import Leftovers
from imagegate.cli.deploy.removal import Removal
from imagegate.cli.deploy.stack import StackStateError
from imagegate.domain.errors import MisconfiguredError
from support.deployed import operations_table
from support.fake_account import MACHINE, STACK_ID, FakeAccount
from support.fakes import FakeClock

WORKFLOW = {"Workflow": ("AWS::StepFunctions::StateMachine", MACHINE)}

VENDED = "/aws/vendedlogs/imagegate"


def account(*statuses: str, **more: Any) -> FakeAccount:
    fake = FakeAccount(["CREATE_COMPLETE", *statuses], resources=WORKFLOW, machine="ACTIVE", **more)
    fake.parameters = {}
    return fake


def test_executions_are_stopped_before_the_stack_is_deleted(capsys: pytest.CaptureFixture[str]) -> None:
    fake = account("DELETE_COMPLETE", running=["e1", "e2"])
    removal = Removal("dev", fake, FakeClock())
    assert removal.question().endswith("eu-central-1? 2 operations under way end without a picture.")
    removal.run()
    assert fake.log == ["stop e1", "stop e2", f"delete {STACK_ID}"]
    assert "AWS keeps nothing of it." in capsys.readouterr().out


def test_what_begins_while_the_stack_is_deleted_is_stopped_too() -> None:
    fake = account("DELETE_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_COMPLETE", late=["late"], throttled_after=0)
    Removal("dev", fake, FakeClock()).run()
    assert fake.log == [f"delete {STACK_ID}", "stop late"]


def test_executions_that_do_not_end_do_not_hold_up_the_deletion() -> None:
    clock = FakeClock()
    fake = account("DELETE_COMPLETE", running=["e1"], immortal=True)
    Removal("dev", fake, clock).run()
    assert f"delete {STACK_ID}" in fake.log
    assert clock.now() - FakeClock().now() < 400


def test_a_deletion_that_does_not_end_is_not_waited_for_forever() -> None:
    clock = FakeClock()
    with pytest.raises(StackStateError, match=r"not deleted after 20 minutes .* run this again"):
        Removal("dev", account("DELETE_IN_PROGRESS"), clock).run()
    assert clock.now() - FakeClock().now() < 1300


def test_a_deletion_that_fails_says_of_what(capsys: pytest.CaptureFixture[str]) -> None:
    event = {"LogicalResourceId": "Bus", "ResourceType": "AWS::Events::EventBus", "ResourceStatus": "DELETE_FAILED"}
    fake = account("DELETE_FAILED", events=[event | {"ResourceStatusReason": "it has rules"}])
    with pytest.raises(StackStateError, match="run this again"):
        Removal("dev", fake, FakeClock()).run()
    assert "Bus (AWS::Events::EventBus): it has rules" in capsys.readouterr().out


def test_no_deployment_of_that_stage() -> None:
    with pytest.raises(MisconfiguredError, match=r"no stack 'imagegate-prod' in account 123456789012, eu-central-1"):
        Removal("prod", account())


def test_many_executions_are_counted_and_stopped_by_the_thousand() -> None:
    fake = account("DELETE_COMPLETE", running=[f"e{number}" for number in range(1500)], throttled_after=700)
    removal = Removal("dev", fake, FakeClock())
    assert "1000 or more operations" in removal.question()
    removal.run()
    assert sorted(fake.log[:-1]) == sorted(f"stop e{number}" for number in range(1500))


def test_a_state_machine_that_is_not_there_has_no_executions() -> None:
    executions = Executions(FakeAccount()("stepfunctions"), MACHINE, FakeClock())
    assert executions.running() == []
    assert executions.wait_deleted(1)


@pytest.mark.usefixtures("mocked_aws")
def test_what_stays_is_what_is_still_there() -> None:
    def clients(service: str) -> Any:
        return FakeAccount()(service) if service == "cloudformation" else boto3.client(service)  # type: ignore[call-overload]

    table = operations_table()
    boto3.client("dynamodb").update_table(TableName=table, DeletionProtectionEnabled=True)
    boto3.client("s3").create_bucket(
        Bucket="pictures", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    for group in ("api-log", "gone-log-of-another", f"{VENDED}-dev", f"{VENDED}-dev2", f"{VENDED}-gone2"):
        boto3.client("logs").create_log_group(logGroupName=group)
    for number in range(11):
        boto3.client("ssm").put_parameter(Name=f"/imagegate/dev/upstreams/K{number:02}", Value="v", Type="SecureString")
    boto3.client("ssm").put_parameter(Name="/imagegate/dev/signing", Value="v", Type="SecureString", Tier="Advanced")
    boto3.client("ssm").put_parameter(Name="/imagegate/dev2/upstreams/K", Value="v", Type="SecureString")
    named = {
        "AWS::DynamoDB::Table": (table, "gone"),
        "AWS::S3::Bucket": ("pictures", "gone-bucket"),
        "AWS::Logs::LogGroup": ("api-log", "gone-log", f"{VENDED}-dev", f"{VENDED}-gone"),
    }
    resources = [{"ResourceType": kind, "PhysicalResourceId": name} for kind, names in named.items() for name in names]
    remains = Leftovers(clients, "dev", "eu-central-1", [*resources, {"ResourceType": "AWS::S3::Bucket"}]).find()
    commands = [command for remain in remains for command in remain.commands]
    region = "--region eu-central-1"
    assert commands[:5] == [
        f"aws dynamodb update-table --no-deletion-protection-enabled --table-name {table} {region}",
        f"aws dynamodb delete-table --table-name {table} {region}",
        f"aws s3 rb --force s3://pictures {region}",
        f"aws logs delete-log-group --log-group-name api-log {region}",
        f"aws logs delete-log-group --log-group-name {VENDED}-dev {region}",
    ]
    assert [command.count("/imagegate/dev/upstreams/K") for command in commands[5:]] == [9, 2]
    assert "/imagegate/dev/signing" in commands[5]
    assert any("/imagegate/dev/signing" in remain.what for remain in remains)
    assert not any("gone" in command or "dev2" in command for command in commands)
