"""The running executions of a deployment's workflow."""

from typing import Any

from botocore.exceptions import ClientError

from imagegate.ports.runtime import Clock

_CAUSE = "The deployment is removed."
_PAUSE = 5.0


class Executions:
    """The executions of a state machine. Step Functions keeps it, `DELETING`, until the last of them has ended."""

    def __init__(self, client: Any, state_machine: str, clock: Clock) -> None:
        """`state_machine`: its ARN."""
        self._client = client
        self._state_machine = state_machine
        self._clock = clock

    def running(self, most: int = 1000) -> list[str]:
        """ARNs of running executions, at most so many; empty when the state machine does not exist."""
        request = {"stateMachineArn": self._state_machine, "statusFilter": "RUNNING", "maxResults": most}
        try:
            found = self._client.list_executions(**request)["executions"]
        except self._client.exceptions.StateMachineDoesNotExist:
            return []
        return [entry["executionArn"] for entry in found]

    def stop_some(self) -> int:
        """Stop the executions that run now, up to 1,000. Returns how many there were."""
        found = self.running()
        for arn in found:
            if not self._stop(arn):
                break
        return len(found)

    def stop_all(self, seconds: float) -> int:
        """Stop executions until none runs, at most so long. Returns how many still run."""
        until = self._clock.now() + seconds
        while left := self.stop_some():
            if self._clock.now() >= until:
                return left
            self._clock.sleep(_PAUSE)
        return 0

    def deleting(self) -> bool:
        """True while the state machine is being deleted: another of its name cannot be made."""
        try:
            found = self._client.describe_state_machine(stateMachineArn=self._state_machine)
        except self._client.exceptions.StateMachineDoesNotExist:
            return False
        return bool(found["status"] == "DELETING")

    def wait_deleted(self, seconds: float) -> bool:
        """Stop the executions that keep it `DELETING`, and wait for its end, at most so long. True when it is gone."""
        until = self._clock.now() + seconds
        while self.deleting():
            if self._clock.now() >= until:
                return False
            self.stop_some()
            self._clock.sleep(_PAUSE)
        return True

    def _stop(self, arn: str) -> bool:
        """Stop an execution. False while Step Functions throttles."""
        try:
            self._client.stop_execution(executionArn=arn, error="Removed", cause=_CAUSE)
        except self._client.exceptions.ExecutionDoesNotExist:
            return True
        except ClientError as error:
            if error.response["Error"]["Code"] != "ThrottlingException":
                raise
            return False
        return True
