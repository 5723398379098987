"""A deployment as CloudFormation has it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from imagegate.cli.deploy.account import Clients
from imagegate.domain.errors import ImagegateError
from imagegate.ports.runtime import Clock

_STACK = "AWS::CloudFormation::Stack"
_STARTED = "User Initiated"
"""The reason of the event with which an operation on a stack begins."""
_PAUSE = 5.0
"""Seconds between two requests for the state of a stack that changes."""
_FAILED_FIRST_TRY = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED")
"""States of a stack that has never been complete; CloudFormation only lets it be deleted."""


class StackStateError(ImagegateError):
    """The stack is in a state that must end first; the message says how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudFormationStack:
    """A stack that CloudFormation has."""

    name: str
    id: str
    status: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def failed_first_try(self) -> bool:
        """True when its creation failed: it serves nothing, and has to be deleted before another try."""
        return self.status in _FAILED_FIRST_TRY

    def require_updatable(self, stage: str) -> None:
        """Raise StackStateError when it has to be left alone, or repaired by hand."""
        if self.status in ("DELETE_IN_PROGRESS", "DELETE_FAILED"):
            remedy = f"'make destroy STAGE={stage}' continues the removal and says what blocks it; then deploy again."
            raise StackStateError(f"{self.name} is being removed ({self.status}). {remedy}")
        if self.status == "UPDATE_ROLLBACK_FAILED":
            command = f"aws cloudformation continue-update-rollback --stack-name {self.name}"
            raise StackStateError(
                f"{self.name} is stuck between two versions ({self.status}). Run '{command}', then deploy again."
            )
        if self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS":
            raise StackStateError(
                f"{self.name} is being changed by another deployment ({self.status}). Wait until it has ended."
            )


class Formation:
    """CloudFormation, for stacks."""

    def __init__(self, clients: Clients, clock: Clock) -> None:
        self._client = clients("cloudformation")
        self._clock = clock

    def find(self, name: str) -> CloudFormationStack | None:
        """The stack of that name, or with that id, even if it is already deleted; `None` when there is none."""
        try:
            [found] = self._client.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if "does not exist" not in error.response["Error"]["Message"]:
                raise
            return None
        return CloudFormationStack(
            name=found["StackName"],
            id=found["StackId"],
            status=found["StackStatus"],
            parameters={entry["ParameterKey"]: entry["ParameterValue"] for entry in found.get("Parameters", ())},
            outputs={entry["OutputKey"]: entry["OutputValue"] for entry in found.get("Outputs", ())},
        )

    def resources(self, stack: CloudFormationStack) -> list[Mapping[str, Any]]:
        """The stack's resources, each with `LogicalResourceId`, `ResourceType` and perhaps `PhysicalResourceId`."""
        pages = self._client.get_paginator("list_stack_resources").paginate(StackName=stack.id)
        return [entry for page in pages for entry in page["StackResourceSummaries"]]

    def last_event(self, stack: CloudFormationStack) -> str:
        """The id of the newest event of the stack."""
        return next((str(event["EventId"]) for event in self._events(stack)), "")

    def failures(self, stack: CloudFormationStack, after: str = "") -> list[str]:
        """Why the last operation on the stack failed, in the order of time, a line for each resource.

        `after`: the id of an event; what is older does not count.
        """
        lines: list[str] = []
        for event in self._events(stack):
            began = event["ResourceType"] == _STACK and event.get("ResourceStatusReason") == _STARTED
            if began or event["EventId"] == after:
                break
            reason = event.get("ResourceStatusReason", "")
            if event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in reason:
                lines.insert(0, f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}")
        return lines

    def _events(self, stack: CloudFormationStack) -> Iterator[Mapping[str, Any]]:
        """Newest first."""
        for page in self._client.get_paginator("describe_stack_events").paginate(StackName=stack.id):
            yield from page["StackEvents"]

    def delete(self, stack: CloudFormationStack) -> None:
        """Begin the deletion; it goes on when it had already begun."""
        self._client.delete_stack(StackName=stack.id)

    def wait_deleted(self, stack: CloudFormationStack, seconds: float, meanwhile: Any = None) -> str:
        """Wait for the deletion, at most so long. Returns the stack's last status.

        `meanwhile` is called before each look.
        """
        until = self._clock.now() + seconds
        while True:
            if meanwhile:
                meanwhile()
            found = self.find(stack.id)
            status = found.status if found else "DELETE_COMPLETE"
            if status in ("DELETE_COMPLETE", "DELETE_FAILED") or self._clock.now() >= until:
                return status
            self._clock.sleep(_PAUSE)
