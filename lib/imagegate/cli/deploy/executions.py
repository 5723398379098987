"""The running executions of a deployment's workflow."""

from typing import Any

from botocore.exceptions import ClientError

from imagegate.ports.runtime import Clock

_CAUSE = "The deployment is removed."
_PAUSE = 5.0


class Executions:
    """Those of one state machine. Step Functions keeps it, `DELETING`, until the last of them has ended."""

    def __init__(self, client: Any, state_machine: str, clock: Clock) -> None:
        """`state_machine`: its ARN."""
        self._client = client
        self._state_machine = state_machine
        self._clock = clock

    def running(self, most: int = 1000) -> list[str]:
        """ARNs of running executions, at most so many. None where there is no such state machine."""
        request = {"stateMachineArn": self._state_machine, "statusFilter": "RUNNING", "maxResults": most}
        try:
            found = self._client.list_executions(**request)["executions"]
        except self._client.exceptions.StateMachineDoesNotExist:
            return []
        return [entry["executionArn"] for entry in found]

    def stop_some(self) -> int:
        """Stop those that run now, up to a thousand; how many there were."""
        found = self.running()
        for arn in found:
            if not self._stop(arn):
                break
        return len(found)

    def stop_all(self, seconds: float) -> int:
        """Stop until none runs, at most so long; how many run still."""
        until = self._clock.now() + seconds
        while left := self.stop_some():
            if self._clock.now() >= until:
                return left
            self._clock.sleep(_PAUSE)
        return 0

    def deleting(self) -> bool:
        """True while the state machine is deleted but not gone: none of its name can be made."""
        try:
            found = self._client.describe_state_machine(stateMachineArn=self._state_machine)
        except self._client.exceptions.StateMachineDoesNotExist:
            return False
        return bool(found["status"] == "DELETING")

    def wait_deleted(self, seconds: float) -> bool:
        """Stop what keeps the state machine `DELETING`, and wait for its end, at most so long. True when it is gone."""
        until = self._clock.now() + seconds
        while self.deleting():
            if self._clock.now() >= until:
                return False
            self.stop_some()
            self._clock.sleep(_PAUSE)
        return True

    def _stop(self, arn: str) -> bool:
        """Stop one; False when Step Functions takes no more at the moment."""
        try:
            self._client.stop_execution(executionArn=arn, error="Removed", cause=_CAUSE)
        except self._client.exceptions.ExecutionDoesNotExist:
            return True
        except ClientError as error:
            if error.response["Error"]["Code"] != "ThrottlingException":
                raise
            return False
        return True
