"""`imagegate deploy` in accounts where something is in the way. SAM itself is tried in tests/deploy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from imagegate.cli.deploy.choices import ParameterError
from imagegate.cli.deploy.deployment import DeployCommand
from imagegate.cli.deploy.sam import Sam, ToolError
from imagegate.cli.deploy.stack import StackStateError
from support.fake_account import OUTPUTS, STACK, STACK_ID, FakeAccount
from support.fakes import FakeClock
from support.stack_settings import TEMPLATE

LOST = {"LogicalResourceId": "Bus", "ResourceType": "AWS::Events::EventBus", "ResourceStatus": "CREATE_FAILED"}
BEGUN = {
    "LogicalResourceId": STACK,
    "ResourceType": "AWS::CloudFormation::Stack",
    "ResourceStatus": "CREATE_IN_PROGRESS",
    "ResourceStatusReason": "User Initiated",
}


@dataclass
class FakeSam(Sam):
    """Notes what it is asked for."""

    account: FakeAccount
    after: list[str] = field(default_factory=lambda: ["CREATE_COMPLETE"])
    """The stack's statuses when it has deployed."""
    fails: bool = False
    installed: bool = True  # type: ignore[assignment]
    given: Mapping[str, str] = field(default_factory=dict)

    def build(self) -> None:
        self.account.log.append("build")

    def deploy(self, stack: str, region: str, parameters: Mapping[str, str]) -> None:
        self.account.log.append(f"deploy {stack} {region}")
        self.given = parameters
        self.account.statuses = [*self.after]
        if self.fails:
            raise ToolError("sam deploy failed.")


def checkout(folder: Path, **stages: str) -> Path:
    """A checkout with the template's parameters and these stages' files."""
    (folder / "template.yaml").write_text(TEMPLATE.read_text().partition("\nGlobals:")[0])
    (folder / "infra" / "stages").mkdir(parents=True)
    for stage, text in stages.items():
        (folder / "infra" / "stages" / f"{stage}.toml").write_text(text)
    return folder


def deployed(root: Path, sam: FakeSam, words: str = "", stage: str = "dev") -> None:
    deployment = DeployCommand(root, stage, sam, sam.account, FakeClock())
    deployment.choose(None, words, ())
    deployment.ask_first()
    deployment.run()


def test_the_first_deployment_ends_with_what_to_do_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sam = FakeSam(FakeAccount())
    deployed(checkout(tmp_path), sam, "HoldSeconds=5")
    message = capsys.readouterr().out
    assert "account 123456789012, eu-central-1, as arn:aws:iam::123456789012:user/me" in message
    assert sam.account.log == ["build", f"deploy {STACK} eu-central-1"]
    assert sam.given == {"Stage": "dev", "HoldSeconds": "5"}
    assert "export IMAGEGATE_API_KEY=$(imagegate keys create --name first)" in message
    assert f"curl -sL {OUTPUTS['ApiUrl']}/v1/images/generations" in message


def test_what_is_open_needs_no_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deployed(checkout(tmp_path, dev='Access = "open"'), FakeSam(FakeAccount()))
    assert "API_KEY=" not in capsys.readouterr().out


def test_an_update_keeps_what_is_deployed_and_shows_the_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sam = FakeSam(FakeAccount(["UPDATE_COMPLETE"], {"Access": "open"}))
    deployed(checkout(tmp_path), sam)
    message = capsys.readouterr().out
    assert sam.given == {"Stage": "dev"}
    assert "Access = open (as deployed)" in message
    assert message.count(OUTPUTS["ApiUrl"]) == 2


def test_a_file_of_the_stage_is_read_and_the_command_line_goes_before(tmp_path: Path) -> None:
    sam = FakeSam(FakeAccount())
    deployed(checkout(tmp_path, dev="HoldSeconds = 5\nImageDays = 3", prod="ImageDays = 9"), sam, "HoldSeconds=6")
    assert (sam.given["HoldSeconds"], sam.given["ImageDays"], sam.given["LogDays"]) == ("6", "3", "14")


def test_a_wrong_value_is_refused_even_where_the_command_line_replaces_it(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"dev\.toml: HoldSeconds"):
        deployed(checkout(tmp_path, dev="HoldSeconds = 50"), FakeSam(FakeAccount()), "HoldSeconds=5")


def test_a_stage_that_cannot_be_one(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="Stage must be"):
        DeployCommand(checkout(tmp_path), "../dev", FakeSam(FakeAccount()))


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"])
def test_what_a_failed_first_try_left_is_removed_and_why_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], status: str
) -> None:
    older = LOST | {"ResourceStatusReason": "an earlier try"}
    cancelled = LOST | {"LogicalResourceId": "Table", "ResourceStatusReason": "Resource creation cancelled"}
    events = [cancelled, LOST | {"ResourceStatusReason": "it exists"}, BEGUN, older]
    account = FakeAccount([status, "DELETE_IN_PROGRESS", "DELETE_COMPLETE"], {"Access": "open"}, events=events)
    deployed(checkout(tmp_path), sam := FakeSam(account))
    message = capsys.readouterr().out
    assert account.log == ["build", f"delete {STACK_ID}", f"deploy {STACK} eu-central-1"]
    assert "Bus (AWS::Events::EventBus): it exists" in message
    assert "earlier try" not in message
    assert "cancelled" not in message
    assert "Access = open" not in message, "a stack that never was keeps nothing"
    assert "An API key:" in message
    assert sam.given == {"Stage": "dev"}


@pytest.mark.parametrize("end", ["DELETE_FAILED", "DELETE_IN_PROGRESS"])
def test_what_cannot_be_removed_is_said_after_a_while(tmp_path: Path, end: str) -> None:
    account = FakeAccount(["ROLLBACK_COMPLETE", end])
    with pytest.raises(StackStateError, match=f"{end}.*make destroy STAGE=dev"):
        deployed(checkout(tmp_path), FakeSam(account))
    assert account.log[-1] == f"delete {STACK_ID}"


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        ("DELETE_IN_PROGRESS", "make destroy STAGE=dev"),
        ("DELETE_FAILED", "make destroy STAGE=dev"),
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation continue-update-rollback --stack-name imagegate-dev"),
        ("UPDATE_IN_PROGRESS", "Wait until it has ended"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "Wait until it has ended"),
        ("CREATE_IN_PROGRESS", "Wait until it has ended"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "Wait until it has ended"),
    ],
)
def test_a_stack_that_cannot_be_updated_is_left_alone(tmp_path: Path, status: str, remedy: str) -> None:
    account = FakeAccount([status])
    with pytest.raises(StackStateError, match=remedy):
        deployed(checkout(tmp_path), FakeSam(account))
    assert account.log == []


@pytest.mark.parametrize(
    "status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS", "UPDATE_FAILED"]
)
def test_others_are_deployed_to(tmp_path: Path, status: str) -> None:
    account = FakeAccount([status])
    deployed(checkout(tmp_path), FakeSam(account))
    assert account.log == ["build", f"deploy {STACK} eu-central-1"]


def test_a_state_machine_that_is_still_deleting_is_waited_for(tmp_path: Path) -> None:
    account = FakeAccount(machine="DELETING", running=["e1", "e2"])
    deployed(checkout(tmp_path), FakeSam(account))
    assert account.log == ["build", "stop e1", "stop e2", f"deploy {STACK} eu-central-1"]


def test_one_that_never_ends_is_not_waited_for_forever(tmp_path: Path) -> None:
    account = FakeAccount(machine="DELETING", running=["e1"], immortal=True)
    with pytest.raises(StackStateError, match="still DELETING"):
        deployed(checkout(tmp_path), FakeSam(account))
    assert f"deploy {STACK} eu-central-1" not in account.log


def test_a_deployment_that_fails_says_what_failed(tmp_path: Path) -> None:
    events = [LOST | {"ResourceStatusReason": "it exists"}, BEGUN]
    sam = FakeSam(FakeAccount(events=events), ["ROLLBACK_COMPLETE"], fails=True)
    with pytest.raises(ToolError, match=r"sam deploy failed\.[^$]*Bus \(AWS::Events::EventBus\): it exists[^$]*again"):
        deployed(checkout(tmp_path), sam)


@pytest.mark.parametrize("earlier", [[], [LOST | {"ResourceStatusReason": "the update before"}, BEGUN]])
def test_a_deployment_that_fails_before_anything_is_changed_says_so(
    tmp_path: Path, earlier: list[dict[str, str]]
) -> None:
    account = FakeAccount(["UPDATE_ROLLBACK_COMPLETE"] if earlier else [], events=earlier)
    with pytest.raises(ToolError, match=r"^sam deploy failed\.$"):
        deployed(checkout(tmp_path), FakeSam(account, account.statuses, fails=True))


def test_an_unconfirmed_address_is_said_before_and_after(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    account = FakeAccount(["UPDATE_COMPLETE"], subscriptions={"a@b.c": "PendingConfirmation"})
    account.resources = {"AlarmTopic": ("AWS::SNS::Topic", "arn:aws:sns:t")}
    deployed(checkout(tmp_path), FakeSam(account, ["UPDATE_COMPLETE"]), "AlarmEmail=a@b.c")
    assert capsys.readouterr().out.count("a@b.c has not confirmed") == 2
