"""An AWS account as `imagegate deploy` and `destroy` meet it: scripted, because no emulator has these states."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

STACK = "imagegate-dev"
STACK_ID = "arn:aws:cloudformation:eu-central-1:123456789012:stack/imagegate-dev/1"
MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:imagegate-dev"
OUTPUTS = {"ApiUrl": "https://api.invalid", "OpenAiBaseUrl": "https://api.invalid/v1"}


def refusal(code: str, message: str = "", status: int = 400) -> ClientError:
    """What botocore raises."""
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Operation")


@dataclass
class Pages:
    """A paginator of one page."""

    page: Mapping[str, Any]

    def paginate(self, **request: Any) -> Iterator[Mapping[str, Any]]:
        yield self.page


@dataclass
class Exceptions:
    """The exceptions of a client, all one class: what a fake raises of them has their name as its code."""

    StateMachineDoesNotExist: type[Exception] = KeyError
    ExecutionDoesNotExist: type[Exception] = LookupError


@dataclass
class FakeAccount:
    """Call it with a service's name, as a client maker."""

    statuses: list[str] = field(default_factory=list)
    """The stack's, look by look; the last one stays, and where none is there is no stack."""
    parameters: dict[str, str] = field(default_factory=dict)
    resources: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Type and physical id by logical id."""
    events: list[dict[str, str]] = field(default_factory=list)
    """Newest first."""
    quota: int | ClientError = 1000
    unreserved: int = 1000
    subscriptions: dict[str, str] = field(default_factory=dict)
    """ARN, or `PendingConfirmation`, by address."""
    running: list[str] = field(default_factory=list)
    """Executions."""
    late: list[str] = field(default_factory=list)
    """Executions that begin when the stack is being deleted."""
    immortal: bool = False
    """Whether executions go on when they are stopped."""
    throttled_after: int | None = None
    """So many stops later Step Functions takes none, once."""
    machine: str | None = None
    """The state machine's status."""
    log: list[str] = field(default_factory=list)
    """What was done."""

    def __call__(self, service: str) -> Any:
        return _Client(self)


class _Client:
    exceptions = Exceptions()

    meta = SimpleNamespace(region_name="eu-central-1")

    def __init__(self, account: FakeAccount) -> None:
        self._account = account

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/me"}

    def get_account_settings(self) -> dict[str, Any]:
        if isinstance(self._account.quota, ClientError):
            raise self._account.quota
        limit = {"ConcurrentExecutions": self._account.quota}
        return {"AccountLimit": limit | {"UnreservedConcurrentExecutions": self._account.unreserved}}

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        found = self._account.statuses
        status = found.pop(0) if len(found) > 1 else (found[0] if found else "")
        if not status or StackName not in (STACK, STACK_ID):
            raise refusal("ValidationError", f"Stack with id {StackName} does not exist")
        parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in self._account.parameters.items()]
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in OUTPUTS.items()]
        stack = {"StackName": STACK, "StackId": STACK_ID, "StackStatus": status}
        return {"Stacks": [stack | {"Parameters": parameters, "Outputs": outputs}]}

    def delete_stack(self, StackName: str) -> None:
        self._account.log.append(f"delete {StackName}")
        self._account.running += self._account.late

    def get_paginator(self, operation: str) -> Pages:
        account = self._account
        resources = [
            {"LogicalResourceId": name, "ResourceType": kind, "PhysicalResourceId": physical}
            for name, (kind, physical) in account.resources.items()
        ]
        subscriptions = [
            {"Endpoint": subscription, "SubscriptionArn": arn} for subscription, arn in account.subscriptions.items()
        ]
        pages: dict[str, dict[str, Any]] = {
            "list_stack_resources": {"StackResourceSummaries": resources},
            "describe_stack_events": {
                "StackEvents": [{"EventId": str(id(event)), **event} for event in account.events]
            },
            "list_subscriptions_by_topic": {"Subscriptions": subscriptions},
            "get_parameters_by_path": {"Parameters": []},
        }
        return Pages(pages[operation])

    def list_executions(self, stateMachineArn: str, statusFilter: str, maxResults: int) -> dict[str, Any]:
        if self._account.machine is None:
            raise self.exceptions.StateMachineDoesNotExist
        return {"executions": [{"executionArn": entry} for entry in self._account.running[:maxResults]]}

    def stop_execution(self, executionArn: str, error: str, cause: str) -> None:
        account = self._account
        if account.throttled_after == len([line for line in account.log if line.startswith("stop ")]):
            account.throttled_after = None
            raise refusal("ThrottlingException")
        account.log.append(f"stop {executionArn}")
        if not account.immortal:
            account.running.remove(executionArn)
        if not account.running and account.machine == "DELETING":
            account.machine = None

    def describe_state_machine(self, stateMachineArn: str) -> dict[str, str]:
        if self._account.machine is None or stateMachineArn != MACHINE:
            raise self.exceptions.StateMachineDoesNotExist
        return {"status": self._account.machine}
