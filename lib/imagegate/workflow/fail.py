"""End an operation whose workflow failed.

Scenarios: tests/scenarios/test_endings.py.
"""

from dataclasses import dataclass, replace

from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.operation import Operation, State
from imagegate.ports.runtime import Clock
from imagegate.ports.storage import OperationStore
from imagegate.usecases.update import Change, UpdateWithRetry
from imagegate.workflow.next_step import Step

_NO_SWEEP = 0.0
_NEXT_CHANCE = 60.0
"""Seconds until `sweep` restarts a workflow that an outage of Lambda has ended."""
OUTAGES = frozenset(
    {
        "Lambda.TooManyRequestsException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.ClientExecutionTimeoutException",
    }
)
"""The workflow's error names for a step that never ran, because Lambda had no capacity or failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """Runs in the workflow's `Fail` state, after `Catch`."""

    store: OperationStore
    update: UpdateWithRetry
    clock: Clock

    def __call__(self, operation_id: str, error: str) -> Step:
        """Mark the operation failed; `error` is the workflow's short error name.

        After an outage of Lambda, before the operation's deadline, `sweep` restarts it instead.
        """
        operation = self.store.get(operation_id, consistent=True)
        if operation is None:
            return Step(operation_id, "done")
        if error in OUTAGES and self.clock.now() < operation.deadline:
            self.update(operation, _leave_to_sweep, sweep_after=_NEXT_CHANCE)
        else:
            message = f"imagegate could not finish this operation ({error}); its logs say more."
            self.update(operation, self._ending(Failure(FailureCode.INTERNAL, message)), sweep_after=_NO_SWEEP)
        return Step(operation_id, "done")

    def _ending(self, failure: Failure) -> Change:
        now = self.clock.now()

        def end(current: Operation) -> Operation:
            return current if current.done else current.moved(State.FAILED, now, failure=failure)

        return end


def _leave_to_sweep(current: Operation) -> Operation:
    return current if current.done else replace(current, due_at=0.0)
