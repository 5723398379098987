"""Brings the project's SAM template to MiniStack's CloudFormation, and keeps it up to date there."""

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from imagegate.local.stack.packaging import Artifact, Package, Template, package
from imagegate.local.stack.root_access import RootAccess
from imagegate.local.state_folder import ARTIFACT_BUCKET

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef
    from mypy_boto3_s3 import S3Client

_DIGEST = "imagegate-digest"
_UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
_NEVER_COMPLETE = (
    "CREATE_FAILED",
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
    "DELETE_FAILED",
    "REVIEW_IN_PROGRESS",
)
_STUCK_UPDATE = ("UPDATE_ROLLBACK_FAILED", "UPDATE_FAILED")
_MAKES_A_NEW_ONE = {
    "AWS::DynamoDB::Table": ("TableName", "KeySchema", "LocalSecondaryIndexes"),
    "AWS::S3::Bucket": ("BucketName",),
}
"""The resources that hold data, and the properties whose change replaces them."""
_POLL_SECONDS = 0.05


class DeploymentError(Exception):
    """The stack is not what the template says; the message names each resource and its reason."""


@dataclass(frozen=True)
class Deployed:
    """A stack that is as the template says."""

    outputs: Mapping[str, str]
    """The template's Outputs."""
    api_id: str
    """The id of its HTTP API, "" when it has none."""
    change: str
    """What was done: "created", "updated" or "unchanged"."""


@dataclass(kw_only=True)
class Deployer:
    """Creates or updates one stack from one template."""

    access: RootAccess
    template: Path
    stack_name: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    deadline_seconds: float = 120.0
    say: Callable[[str], None] = print
    """Called with a line of text about a repair or a removal."""

    def __post_init__(self) -> None:
        self._formation: CloudFormationClient = self.access.client("cloudformation")
        self._storage: S3Client = self.access.client("s3")
        self._until = 0.0

    def deploy(self) -> Deployed:
        """Make the stack what template and parameters say, and return when it is.

        Data of the stack's table and bucket stays. A stack whose creation had failed is removed first.

        Raises:
            PackagingError: the template cannot be packaged.
            DeploymentError: CloudFormation refused or failed, took longer than the deadline, or the template
                would replace a table or bucket that holds data.
        """
        try:
            return self._deploy()
        except (BotoCoreError, ClientError) as error:
            raise DeploymentError(f"MiniStack: {error}") from error

    def _deploy(self) -> Deployed:
        self._until = time.monotonic() + self.deadline_seconds
        packaged = package(self.template, ARTIFACT_BUCKET)
        digest = _digest(packaged, self.parameters)
        stack = self._repaired(self._stack())
        if stack and stack["StackStatus"] in _UPDATABLE and self._deployed_digest() == digest:
            return self._deployed("unchanged")
        template = _template_artifact(packaged.template, digest)
        artifacts = (*packaged.artifacts, template)
        self._upload(artifacts)
        if stack:
            self._refuse_data_loss(packaged.template)
        deployed = self._update(template) if stack else self._create(template)
        self._remove_all_but(artifacts)
        return deployed

    def _create(self, template: Artifact) -> Deployed:
        self._formation.create_stack(**self._request(template), RetainExceptOnCreate=True)
        return self._deployed("created", ("CREATE_COMPLETE",))

    def _update(self, template: Artifact) -> Deployed:
        try:
            self._formation.update_stack(**self._request(template))
        except ClientError as error:
            if "No updates are to be performed" in error.response["Error"]["Message"]:
                return self._deployed("unchanged")
            raise
        return self._deployed("updated", ("UPDATE_COMPLETE",))

    def _request(self, template: Artifact) -> dict[str, Any]:
        return {
            "StackName": self.stack_name,
            "TemplateURL": f"{self.access.endpoint}/{ARTIFACT_BUCKET}/{template.key}",
            "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in self.parameters.items()],
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        }

    def _stack(self) -> "StackTypeDef | None":
        """Return the stack, None when there is none."""
        try:
            return self._formation.describe_stacks(StackName=self.stack_name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in error.response["Error"]["Message"]:
                return None
            raise

    def _deployed_template(self) -> Template:
        answer = self._formation.get_template(StackName=self.stack_name, TemplateStage="Original")
        template: Any = answer["TemplateBody"]  # boto3 parses a JSON body
        return dict(template)

    def _deployed_digest(self) -> str:
        return str(self._deployed_template().get("Metadata", {}).get(_DIGEST, ""))

    def _wait_until_stable(self) -> "StackTypeDef | None":
        """Wait until no operation on the stack is under way, and return it."""
        while (stack := self._stack()) and stack["StackStatus"].endswith("_IN_PROGRESS"):
            if time.monotonic() > self._until:
                raise DeploymentError(f"the stack is still {stack['StackStatus']} after {self.deadline_seconds:.0f} s")
            time.sleep(_POLL_SECONDS)
        return stack

    def _repaired(self, stack: "StackTypeDef | None") -> "StackTypeDef | None":
        """Return the stack in a state that can be updated, or None when there is none (any more)."""
        if stack and stack["StackStatus"].endswith("_IN_PROGRESS"):
            stack = self._wait_until_stable()
        if stack and stack["StackStatus"] in _STUCK_UPDATE:
            stack = self._unstuck(stack)
        if stack and stack["StackStatus"] in _NEVER_COMPLETE:
            self.say(f"removing what a failed creation left ({stack['StackStatus']})")
            self._formation.delete_stack(StackName=self.stack_name)
            stack = self._wait_until_stable()
            if stack:
                raise DeploymentError(f"the failed stack cannot be removed: {self._failures('')}")
        return stack

    def _unstuck(self, stack: "StackTypeDef") -> "StackTypeDef | None":
        self.say(f"completing the rollback of a failed update ({stack['StackStatus']})")
        resources = self._formation.describe_stack_resources(StackName=self.stack_name)["StackResources"]
        failed = [r["LogicalResourceId"] for r in resources if r["ResourceStatus"].endswith("_FAILED")]
        self._formation.continue_update_rollback(StackName=self.stack_name, ResourcesToSkip=failed)
        return self._wait_until_stable()

    def _refuse_data_loss(self, new: Template) -> None:
        """Raise when the update would remove or replace a table or bucket."""
        old = self._deployed_template()["Resources"]
        lost = [name for name, resource in old.items() if _replaces(resource, new["Resources"].get(name))]
        if lost:
            raise DeploymentError(
                f"the changed template replaces {' and '.join(lost)}, and the data kept there would be lost. "
                "Use another --state-dir for it, or move the present one away."
            )

    def _deployed(self, change: str, wanted: tuple[str, ...] = _UPDATABLE) -> Deployed:
        """Wait for the operation and return its result, or raise with the resources that failed."""
        stack = self._wait_until_stable()
        if stack is None or stack["StackStatus"] not in wanted:
            raise DeploymentError(self._failures(stack["StackStatus"] if stack else "the stack is gone"))
        resources = self._formation.describe_stack_resources(StackName=self.stack_name)["StackResources"]
        apis = (r["PhysicalResourceId"] for r in resources if r["ResourceType"] == "AWS::ApiGatewayV2::Api")
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        return Deployed(outputs, next(apis, ""), change)

    def _failures(self, status: str) -> str:
        """Return the failures of the last operation, one resource a line."""
        lines = [status]
        for event in self._formation.describe_stack_events(StackName=self.stack_name)["StackEvents"]:
            if event.get("ResourceStatusReason") == "User Initiated":
                break
            reason = event.get("ResourceStatusReason", "no reason given")
            if event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in reason:
                lines.append(f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}")
        return "\n  ".join(lines)

    def _upload(self, artifacts: Iterable[Artifact]) -> None:
        with contextlib.suppress(self._storage.exceptions.BucketAlreadyOwnedByYou):
            self._storage.create_bucket(Bucket=ARTIFACT_BUCKET)
        for artifact in artifacts:
            self._storage.put_object(Bucket=ARTIFACT_BUCKET, Key=artifact.key, Body=artifact.content)

    def _remove_all_but(self, artifacts: Iterable[Artifact]) -> None:
        """Remove earlier artifacts: MiniStack keeps the code in use itself, and a rollback is past."""
        kept = {artifact.key for artifact in artifacts}
        for stored in self._storage.list_objects_v2(Bucket=ARTIFACT_BUCKET).get("Contents", []):
            if stored["Key"] not in kept:
                self._storage.delete_object(Bucket=ARTIFACT_BUCKET, Key=stored["Key"])


def _digest(packaged: Package, parameters: Mapping[str, str]) -> str:
    """Return a digest of all that decides what the stack is."""
    content = json.dumps([packaged.template, dict(parameters)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _template_artifact(template: Template, digest: str) -> Artifact:
    """Return the template as an object of the artifact bucket.

    In a request CloudFormation takes 51,200 bytes of template, from a bucket 1 MB.
    """
    marked = template | {"Metadata": template.get("Metadata", {}) | {_DIGEST: digest}}
    return Artifact(f"template-{digest}.json", json.dumps(marked).encode())


def _replaces(old: Template, new: Template | None) -> bool:
    """Whether `new` in the place of the resource `old` would lose the data kept there."""
    properties = _MAKES_A_NEW_ONE.get(old["Type"], ())
    if new is None or new["Type"] != old["Type"]:
        return bool(properties)
    before, after = old.get("Properties", {}), new.get("Properties", {})
    return any(before.get(name) != after.get(name) for name in properties)
