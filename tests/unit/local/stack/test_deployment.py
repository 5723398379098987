"""What the deployer does with a stack in each of its states; CloudFormation is a double that keeps one stack."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from imagegate.local.stack.deployment import Deployer, DeploymentError

TABLE = {"Type": "AWS::DynamoDB::Table", "Properties": {"KeySchema": [{"AttributeName": "id"}]}}
TEMPLATE = {"Resources": {"Table": TABLE, "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {}}}}


@dataclass
class OneStack:
    """The parts of CloudFormation and S3 that the deployer uses."""

    status: str | None = None
    template: dict[str, Any] = field(default_factory=dict)
    ends_in: dict[str, str | None] = field(default_factory=dict)
    """Operation -> the status it ends in, where that is not success."""
    poll_count: int = 1
    """How often the stack is seen IN_PROGRESS after an operation."""
    failed: list[tuple[str, str]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    stored: dict[str, bytes] = field(default_factory=dict)
    endpoint: str = "http://aws"
    _next: list[str | None] = field(default_factory=list)

    class exceptions:
        BucketAlreadyOwnedByYou = KeyError

    def client(self, service: str) -> "OneStack":
        return self

    def describe_stacks(self, StackName: str) -> Any:
        if self._next:
            self.status = self._next.pop(0)
        if self.status is None:
            error = {"Code": "ValidationError", "Message": f"Stack with id {StackName} does not exist"}
            raise ClientError({"Error": error}, "DescribeStacks")
        outputs = [{"OutputKey": "TableName", "OutputValue": "table-1"}]
        return {"Stacks": [{"StackStatus": self.status, "Outputs": outputs}]}

    def get_template(self, StackName: str, TemplateStage: str) -> Any:
        return {"TemplateBody": self.template}

    def describe_stack_resources(self, StackName: str) -> Any:
        api = {"LogicalResourceId": "Api", "ResourceType": "AWS::ApiGatewayV2::Api"}
        table = {"LogicalResourceId": "Table", "ResourceType": "AWS::DynamoDB::Table"}
        return {
            "StackResources": [
                api | {"PhysicalResourceId": "abcd1234", "ResourceStatus": "CREATE_COMPLETE"},
                table | {"PhysicalResourceId": "table-1", "ResourceStatus": "UPDATE_FAILED"},
            ]
        }

    def describe_stack_events(self, StackName: str) -> Any:
        base = {"ResourceType": "AWS::X::Y", "ResourceStatus": "CREATE_FAILED"}
        events = [base | {"LogicalResourceId": n, "ResourceStatusReason": reason} for n, reason in self.failed]
        begun = {"LogicalResourceId": StackName, "ResourceStatus": "CREATE_IN_PROGRESS"}
        earlier = base | {"LogicalResourceId": "Old", "ResourceStatusReason": "of an earlier operation"}
        return {"StackEvents": [*events, begun | {"ResourceStatusReason": "User Initiated"}, earlier]}

    def create_stack(self, TemplateURL: str, **_: Any) -> None:
        self._operate("create", "CREATE_COMPLETE", self._object_at(TemplateURL))

    def update_stack(self, TemplateURL: str, **_: Any) -> None:
        self._operate("update", "UPDATE_COMPLETE", self._object_at(TemplateURL))

    def delete_stack(self, StackName: str) -> None:
        self._operate("delete", None)

    def continue_update_rollback(self, StackName: str, ResourcesToSkip: list[str]) -> None:
        self._operate(f"continue without {','.join(ResourcesToSkip)}", "UPDATE_ROLLBACK_COMPLETE")

    def create_bucket(self, Bucket: str) -> None: ...

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:
        self.stored[Key] = Body

    def list_objects_v2(self, Bucket: str) -> Any:
        return {"Contents": [{"Key": key} for key in self.stored]}

    def delete_object(self, Bucket: str, Key: str) -> None:
        del self.stored[Key]

    def _object_at(self, url: str) -> bytes:
        return self.stored[url.removeprefix(f"{self.endpoint}/imagegate-artifacts/")]

    def _operate(self, operation: str, success: str | None, body: bytes = b"{}") -> None:
        self.calls.append(operation)
        self._next = ["ANY_IN_PROGRESS"] * self.poll_count + [self.ends_in.get(operation, success)]
        self.template = json.loads(body) or self.template


@pytest.fixture
def stack() -> OneStack:
    return OneStack()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def deployer(stack: OneStack, tmp_path: Path, said: list[str]) -> Deployer:
    (tmp_path / "template.yaml").write_text(json.dumps(TEMPLATE))
    return Deployer(
        access=stack,
        template=tmp_path / "template.yaml",
        stack_name="small",
        parameters={"Stage": "a"},
        say=said.append,
    )  # type: ignore[arg-type]


def test_a_stack_that_is_not_there_is_created(deployer: Deployer, stack: OneStack) -> None:
    deployed = deployer.deploy()
    assert (deployed.change, deployed.api_id, deployed.outputs) == ("created", "abcd1234", {"TableName": "table-1"})
    assert stack.calls == ["create"]


def test_an_equal_stack_is_left_alone(deployer: Deployer, stack: OneStack) -> None:
    deployer.deploy()
    assert deployer.deploy().change == "unchanged"
    assert stack.calls == ["create"]


def test_a_changed_template_updates(deployer: Deployer, stack: OneStack) -> None:
    deployer.deploy()
    deployer.template.write_text(json.dumps(TEMPLATE | {"Description": "new"}))
    assert deployer.deploy().change == "updated"
    assert stack.calls == ["create", "update"]


def test_earlier_artifacts_are_removed(deployer: Deployer, stack: OneStack) -> None:
    stack.stored = {"functions-old.zip": b""}
    deployer.deploy()
    assert [key.partition("-")[0] for key in stack.stored] == ["template"]


def test_a_template_beyond_the_limit_of_a_request_is_taken(deployer: Deployer, stack: OneStack) -> None:
    """CloudFormation takes 51,200 bytes of template in a request."""
    deployer.template.write_text(json.dumps(TEMPLATE | {"Description": "x" * 60_000}))
    assert deployer.deploy().change == "created"
    assert len(stack.template["Description"]) == 60_000


def test_changed_parameters_update(deployer: Deployer, stack: OneStack) -> None:
    deployer.deploy()
    deployer.parameters = {"Stage": "b"}
    assert deployer.deploy().change == "updated"


@pytest.mark.parametrize("status", ["CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"])
def test_what_a_failed_creation_left_is_replaced(
    deployer: Deployer, stack: OneStack, said: list[str], status: str
) -> None:
    stack.status = status
    assert deployer.deploy().change == "created"
    assert stack.calls == ["delete", "create"]
    assert said == [f"removing what a failed creation left ({status})"]


def test_a_stuck_update_is_completed_before_the_next(deployer: Deployer, stack: OneStack, said: list[str]) -> None:
    stack.status, stack.template = "UPDATE_ROLLBACK_FAILED", TEMPLATE | {"Metadata": {"imagegate-digest": "old"}}
    assert deployer.deploy().change == "updated"
    assert stack.calls == ["continue without Table", "update"]
    assert len(said) == 1


def test_a_failed_stack_that_cannot_be_removed_is_an_error(deployer: Deployer, stack: OneStack) -> None:
    stack.status, stack.ends_in = "ROLLBACK_COMPLETE", {"delete": "DELETE_FAILED"}
    with pytest.raises(DeploymentError, match="cannot be removed"):
        deployer.deploy()


def test_a_failure_names_the_resources_and_their_reasons(deployer: Deployer, stack: OneStack) -> None:
    stack.ends_in = {"create": "ROLLBACK_COMPLETE"}
    stack.failed = [("Bucket", "it already exists"), ("Table", "Resource creation cancelled")]
    with pytest.raises(DeploymentError) as failure:
        deployer.deploy()
    assert str(failure.value) == "ROLLBACK_COMPLETE\n  Bucket (AWS::X::Y): it already exists"


@pytest.mark.parametrize(
    "table",
    [
        None,
        {"Type": "AWS::SQS::Queue"},
        {"Type": "AWS::DynamoDB::Table", "Properties": {"KeySchema": [{"AttributeName": "other"}]}},
    ],
    ids=["removed", "other type", "other key"],
)
def test_an_update_that_would_lose_data_is_refused(
    deployer: Deployer, stack: OneStack, table: dict[str, Any] | None
) -> None:
    deployer.deploy()
    resources = {name: value for name, value in (TEMPLATE["Resources"] | {"Table": table}).items() if value}
    deployer.template.write_text(json.dumps({"Resources": resources}))
    with pytest.raises(DeploymentError, match="replaces Table"):
        deployer.deploy()
    assert stack.calls == ["create"]


def test_an_operation_that_does_not_end_is_given_up(deployer: Deployer, stack: OneStack) -> None:
    stack.poll_count, deployer.deadline_seconds = 1000, 0.1
    with pytest.raises(DeploymentError, match="still ANY_IN_PROGRESS"):
        deployer.deploy()


def test_a_dead_ministack_is_a_deployment_error(
    deployer: Deployer, stack: OneStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    monkeypatch.setattr(stack, "describe_stacks", refuse)
    with pytest.raises(DeploymentError, match="Could not connect"):
        deployer.deploy()
