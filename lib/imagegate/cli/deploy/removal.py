"""One run of `imagegate destroy`."""

from imagegate.adapters import aws
from imagegate.adapters.clock import SystemClock
from imagegate.cli.deploy import screen
from imagegate.cli.deploy.account import Clients, identify
from imagegate.cli.deploy.executions import Executions
from imagegate.cli.deploy.remains import Leftovers
from imagegate.cli.deploy.stack import Formation, StackStateError
from imagegate.domain.errors import MisconfiguredError
from imagegate.ports.runtime import Clock

_STOPPING = 300.0
"""Seconds spent on stopping executions before the deletion begins; stopping goes on during it."""
_DELETING = 1200.0
"""Seconds that CloudFormation gets before the command stops waiting."""
_COUNTED = 1000


class Removal:
    """Call `question`, then `run`."""

    def __init__(self, stage: str, clients: Clients = aws.client, clock: Clock | None = None) -> None:
        """Raises MisconfiguredError when the deployment does not exist."""
        self._clients, self._clock = clients, clock or SystemClock()
        self._formation = Formation(clients, self._clock)
        self._account = identify(clients)
        stack = self._formation.find(f"imagegate-{stage}")
        if stack is None:
            where = f"account {self._account.id}, {self._account.region}"
            raise MisconfiguredError(f"There is no stack 'imagegate-{stage}' in {where}. Name another --stage.")
        self._stack = stack
        resources = self._formation.resources(stack)
        self._leftovers = Leftovers(clients, stage, self._account.region, resources)
        machines = [
            resource for resource in resources if resource["ResourceType"] == "AWS::StepFunctions::StateMachine"
        ]
        self._executions = [
            Executions(clients("stepfunctions"), machine["PhysicalResourceId"], self._clock)
            for machine in machines
            if machine.get("PhysicalResourceId")
        ]

    def question(self) -> str:
        """The question to confirm, with what will happen."""
        running = sum(len(execution.running(_COUNTED)) for execution in self._executions)
        more = " or more" if running >= _COUNTED else ""
        ending = f" {running}{more} operations under way end without a picture." if running else ""
        return f"Remove {self._stack.name} from account {self._account.id}, {self._account.region}?{ending}"

    def run(self) -> None:
        """Stop executions, delete the stack, and show what AWS keeps. Raises StackStateError when it is not deleted."""
        steps = screen.DeploySteps(2)
        with steps.step("stop running executions"):
            for execution in self._executions:
                execution.stop_all(_STOPPING)
        with steps.step(f"delete {self._stack.name}"):
            self._formation.delete(self._stack)
            status = self._formation.wait_deleted(self._stack, _DELETING, self._stop_late_ones)
        if status == "DELETE_FAILED":
            for line in self._formation.failures(self._stack):
                screen.say(f"  {line}")
            raise StackStateError(
                f"{self._stack.name} could not be deleted. Remove what is in the way, then run this again."
            )
        if status != "DELETE_COMPLETE":
            waited = f"after {_DELETING / 60:.0f} minutes ({status})"
            raise StackStateError(f"{self._stack.name} is not deleted {waited}. AWS goes on; run this again to wait.")
        screen.show_remains(self._leftovers.find())

    def _stop_late_ones(self) -> None:
        """Stop executions that began meanwhile: the gateway takes requests until its functions are deleted."""
        for execution in self._executions:
            execution.stop_some()
