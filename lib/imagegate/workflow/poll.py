"""Poll the upstreams that have an operation's jobs.

Scenarios: tests/scenarios/test_main_path.py and test_overtaken_drivers.py.
"""

from dataclasses import dataclass, replace

from imagegate.domain.operation.outcome import PollHistory
from imagegate.ports.runtime import Clock
from imagegate.ports.storage import OperationStore
from imagegate.workflow.driver import Driver
from imagegate.workflow.next_step import ROUNDING, Invocation, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """Runs once per invocation of the workflow's `Poll` state."""

    store: OperationStore
    driver: Driver
    clock: Clock

    def __call__(self, step: Step, invocation: Invocation) -> Step:
        """Poll every job of the operation, store what is finished, and return the step after `step`."""
        operation = self.store.get(step.operation_id, consistent=True)
        if operation is None or operation.done:
            return self.driver.settle_after_end(step.operation_id, operation, invocation)
        missing, poll_count = operation.missing_slots, step.poll_count + 1
        history = PollHistory(step.last_poll_at, poll_count)
        operation, poll_not_before = self.driver.poll_jobs(operation, invocation, history)
        history = PollHistory(self.clock.now(), poll_count)
        operation, poll_not_before = self.driver.poll_inline(operation, invocation, poll_not_before, history)
        operation = self.driver.fail_if_overdue(operation)
        # A slot that has become free in this invocation may be submitted at once.
        same = set(operation.missing_slots) <= set(missing)
        submit_not_before = step.submit_not_before - ROUNDING if same else 0.0
        following = self.driver.next_step(operation, invocation, poll_not_before, submit_not_before)
        return replace(following, poll_count=poll_count)
