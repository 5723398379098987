"""Take an upstream's hint that a job has ended.

Scenarios: tests/scenarios/test_hints.py.
"""

from dataclasses import dataclass

from imagegate.domain.operation.hook import execution_of, hooked_attempt, is_waited_for
from imagegate.domain.operation.ids import is_id
from imagegate.ports.runtime import Workflow
from imagegate.ports.storage import OperationStore, RequestRate

_PER_MINUTE = 10
"""Hints for one operation that are followed in a minute: each is a request to Step Functions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeHint:
    """Starts an execution that polls the job once; a further hint for the same submission starts none."""

    store: OperationStore
    workflow: Workflow
    request_rate: RequestRate

    def __call__(self, operation_id: str, token: str) -> bool:
        """Have the job polled now, if its end is still news; false when the token is not that of an attempt."""
        operation = self.store.get(operation_id, consistent=True) if is_id(operation_id) else None
        attempt = hooked_attempt(operation, token) if operation else None
        if operation is None or attempt is None:
            return False
        if is_waited_for(operation, attempt) and self._may_follow(operation_id):
            self.workflow.start(operation_id, execution_of(operation, attempt))
        return True

    def _may_follow(self, operation_id: str) -> bool:
        return self.request_rate.take(f"hook#{operation_id}", _PER_MINUTE).retry_after is None
