"""Start an operation's workflow, or have the next sweep do it."""

from contextlib import suppress
from dataclasses import dataclass, replace

from imagegate.domain.errors import Conflict
from imagegate.ports.runtime import Clock, Workflow
from imagegate.ports.storage import OperationStore


@dataclass(frozen=True, slots=True, kw_only=True)
class StartWorkflow:
    """Starts executions of written operations (docs/adr/0035)."""

    store: OperationStore
    workflow: Workflow
    clock: Clock

    def __call__(self, operation_id: str, execution: str) -> None:
        """Start driving. If the workflow is refused, the next sweep starts it, not one after the time of a start."""
        if self.workflow.start(operation_id, execution):
            return
        operation, now = self.store.get(operation_id, consistent=True), self.clock.now()
        if operation is None or (operation.done and not operation.has_live_jobs):
            return
        with suppress(Conflict):  # another process drives it after all
            self.store.replace(replace(operation, version=operation.version + 1, updated_at=now, due_at=now))
