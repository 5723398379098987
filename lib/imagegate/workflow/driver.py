"""What Submit and Poll share: polling the jobs, ending what is overdue, and saying what comes next."""

from dataclasses import dataclass, replace

from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.outcome import NOT_POLLED, Pending, PollHistory, Ready
from imagegate.domain.timing.schedule import LONGEST_WAIT
from imagegate.ports.runtime import Clock
from imagegate.ports.storage import OperationStore
from imagegate.usecases.update import UpdateWithRetry
from imagegate.workflow.next_step import (
    INLINE_LIMIT,
    POLL_ANY_TIME,
    Invocation,
    Planner,
    PollNotBefore,
    Step,
)
from imagegate.workflow.outcomes import Outcomes
from imagegate.workflow.upstream_poller import UpstreamPoller

_MAX_INLINE = 60.0
"""Seconds that one invocation polls inline at most; it has other work within its time limit."""
_INLINE_RESERVE = 720.0
"""Seconds that must remain before an inline poll: it may open a stream, and a stream that is let go is lost."""
SWEEP_MARGIN = 4 * _MAX_INLINE
"""Seconds past the planned poll before `sweep` assumes that the execution is dead: an invocation may poll inline,
die, and be repeated."""
_CLIENT_MARGIN = 120.0
"""Seconds past the planned poll before `sweep` assumes that the client has left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """Drives the jobs of one operation within one invocation of Submit or Poll."""

    store: OperationStore
    poller: UpstreamPoller
    outcomes: Outcomes
    planner: Planner
    update: UpdateWithRetry
    clock: Clock

    def poll_jobs(
        self, operation: Operation, invocation: Invocation, history: PollHistory
    ) -> tuple[Operation, PollNotBefore]:
        """Poll every job that is due.

        Returns the operation and, for each job whose upstream asked for a pause, the time of the next poll. An error
        of one job is raised after the results of the others are written, because some upstreams tell a result only
        once.
        """
        before, operation = operation, self.poller.with_lease(operation, invocation)
        poll_not_before, errors = dict[int, float](), list[Exception]()
        for attempt, answer in self.poller.poll(operation, invocation):
            try:
                if answer is None:
                    operation = self.fail_if_overdue(operation)
                    continue
                result = answer.result()
                if isinstance(result.check, Pending):
                    pause = min(result.check.retry_after or 0.0, LONGEST_WAIT)
                    poll_not_before[attempt.number] = self.clock.now() + pause
                    operation = self.poller.release_lease(operation, attempt, before, invocation)
                elif isinstance(result.check, Ready):
                    silent = result.silent_until
                    seen = history if silent is None else PollHistory(silent, history.poll_count)
                    claimed_by = invocation.execution if operation.by_client else ""
                    operation = self.outcomes.record_success(operation, attempt, result.check, seen, claimed_by)
                else:
                    operation = self.outcomes.record_failure(operation, attempt, result.check.failure)
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]
        return operation, poll_not_before

    def poll_inline(
        self,
        operation: Operation,
        invocation: Invocation,
        poll_not_before: PollNotBefore = POLL_ANY_TIME,
        history: PollHistory = NOT_POLLED,
    ) -> tuple[Operation, PollNotBefore]:
        """Poll repeatedly while that is cheaper than returning to the workflow; returns what `poll_jobs` does.

        Without an execution, until the client has the next step taken.
        `history`: of the jobs, up to the poll that last saw them unfinished.
        """
        until = min(self.clock.now() + _MAX_INLINE, invocation.ends_at - _INLINE_RESERVE)
        while not operation.done and not operation.missing_slots and self.clock.now() < until:
            polled = history != NOT_POLLED
            limit = INLINE_LIMIT if invocation.direct is None else self.planner.client_step_delay(operation)
            wait = self.planner.inline_delay(
                operation, invocation.execution, poll_not_before, polled=polled, limit=limit
            )
            if wait is None:
                break
            self.clock.sleep(wait)
            operation = self.store.get(operation.id, consistent=True) or operation
            if operation.done:
                self.settle_after_end(operation.id, operation, invocation)
                break
            operation, poll_not_before = self.poll_jobs(operation, invocation, history)
            history = PollHistory(self.clock.now(), history.poll_count)
        return operation, poll_not_before

    def fail_if_overdue(self, operation: Operation) -> Operation:
        """The operation, failed if its deadline has passed."""
        if operation.done or self.clock.now() < operation.deadline:
            return operation
        return self.outcomes.fail_overdue(operation)

    def settle_after_end(self, operation_id: str, operation: Operation | None, invocation: Invocation) -> Step:
        """Deal with the live jobs of an ended operation: poll those of a failed one, cancel those of any other."""
        if operation and operation.has_live_jobs:
            if operation.state is State.FAILED:
                self.poll_jobs(operation, invocation, NOT_POLLED)
            else:
                self.outcomes.cancel_jobs(operation)
        return Step(operation_id, "done")

    def next_step(
        self,
        operation: Operation,
        invocation: Invocation,
        poll_not_before: PollNotBefore,
        submit_not_before: float,
    ) -> Step:
        """What the workflow does next; see `Planner.next_step`. Before a wait, `sweep` is postponed."""
        step = self.planner.next_step(operation, invocation.execution, poll_not_before, submit_not_before)
        if step.next == "wait":
            self._postpone_sweep(operation, step.wait, invocation)
        return step

    def _postpone_sweep(self, operation: Operation, wait: int, invocation: Invocation) -> None:
        """Move `due_at` past the planned poll. Far enough to do it seldom: a write costs as much as a poll.

        Less far where a client drives the operation, because clients leave.
        """
        margin, further = (SWEEP_MARGIN, wait) if invocation.direct is None else (_CLIENT_MARGIN, 0)
        if operation.due_at < self.clock.now() + wait + margin / 2:
            sweep_after = wait + further + margin
            self.update(operation, lambda current: replace(current, due_at=0), sweep_after=sweep_after)
