"""Look for an operation's pictures at the upstreams that have its jobs."""

from dataclasses import replace

from imagegate.domain.operation.attempt import Attempt
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.outcome import NOT_POLLED, Failed, Pending, PollHistory, Ready
from imagegate.domain.timing.schedule import LONGEST_WAIT
from imagegate.ports.runtime import Clock
from imagegate.ports.storage import OperationStore
from imagegate.ports.upstreams import ProviderFor
from imagegate.usecases.update import UpdateWithRetry
from imagegate.workflow.next_step import POLL_ANY_TIME, ROUNDING, Invocation, Planner, PollNotBefore, Step
from imagegate.workflow.outcomes import Outcomes
from imagegate.workflow.upstream_poller import UpstreamPoller

_MAX_INLINE = 60.0
"""Seconds; a function has other things to do within its time limit as well."""
_INLINE_RESERVE = 720.0
"""Seconds that a visit must have left for a stay: a stream may be opened in it, and let go it is lost."""
SWEEP_MARGIN = 4 * _MAX_INLINE
"""Seconds after a planned look when `sweep` takes the run for lost: it may have stayed, died and begun anew."""


class Poll:
    """Runs once per visit of the workflow's `Poll` state."""

    def __init__(
        self,
        store: OperationStore,
        providers: ProviderFor,
        outcomes: Outcomes,
        planner: Planner,
        update_with_retry: UpdateWithRetry,
        clock: Clock,
    ) -> None:
        self._store = store
        self._poller = UpstreamPoller(providers, planner, update_with_retry, clock)
        self._outcomes = outcomes
        self._planner = planner
        self._update = update_with_retry
        self._clock = clock

    def __call__(
        self,
        operation_id: str,
        invocation: Invocation,
        last_poll_at: float = 0.0,
        poll_count: int = 0,
        submit_not_before: float = 0.0,
    ) -> Step:
        """Look once at every job, bring home what is finished, say what comes next.

        `looked_at`: when it last looked (seconds since the epoch), so that completion times are learned as exactly as
        they can be known. `looks`: how often it has looked before. `again_at`: before when (likewise) nobody can be
        asked for the slots that were missing then.
        """
        operation = self._store.get(operation_id, consistent=True)
        if operation is None or operation.done:
            return self.settle_after_end(operation_id, operation, invocation)
        missing = operation.missing_slots
        operation, poll_not_before = self._poll_jobs(operation, invocation, PollHistory(last_poll_at, poll_count + 1))
        operation, poll_not_before = self.poll_inline(
            operation, invocation, poll_not_before, PollHistory(self._clock.now(), poll_count + 1)
        )
        operation = self.fail_if_overdue(operation)
        submit_not_before = submit_not_before - ROUNDING if set(operation.missing_slots) <= set(missing) else 0.0
        step = self._planner.next_step(operation, invocation.execution, poll_not_before, submit_not_before)
        self.postpone_sweep(operation, step)
        return replace(step, poll_count=poll_count + 1)

    def poll_inline(
        self,
        operation: Operation,
        invocation: Invocation,
        poll_not_before: PollNotBefore = POLL_ANY_TIME,
        history: PollHistory = NOT_POLLED,
    ) -> tuple[Operation, PollNotBefore]:
        """Look again and again while that is cheaper than leaving; also which jobs are not to be asked for when.

        `looked`: when the jobs were last seen unfinished.
        """
        until = min(self._clock.now() + _MAX_INLINE, invocation.ends_at - _INLINE_RESERVE)
        while not operation.done and not operation.missing_slots and self._clock.now() < until:
            wait = self._planner.inline_delay(operation, invocation.execution, poll_not_before)
            if wait is None:
                break
            self._clock.sleep(wait)
            operation = self._store.get(operation.id, consistent=True) or operation
            if operation.done:
                self.settle_after_end(operation.id, operation, invocation)
                break
            operation, poll_not_before = self._poll_jobs(operation, invocation, history)
            history = PollHistory(self._clock.now(), history.poll_count)
        return operation, poll_not_before

    def settle_after_end(self, operation_id: str, operation: Operation | None, invocation: Invocation) -> Step:
        """Nobody waits any more: harvest the jobs of a failed operation, stop those of any other."""
        if operation and operation.has_live_jobs and operation.state is State.FAILED:
            self._poll_jobs(operation, invocation, NOT_POLLED)
        elif operation and operation.has_live_jobs:
            self._outcomes.cancel_jobs(operation)
        return Step(operation_id, "done")

    def _poll_jobs(
        self, operation: Operation, invocation: Invocation, history: PollHistory
    ) -> tuple[Operation, PollNotBefore]:
        """Look at every job that is due; also which of them do not want to be asked for before when.

        What goes wrong with one is raised when the others' results, some of them told only once, are written down.
        """
        before, operation = operation, self._poller.with_lease(operation, invocation)
        poll_not_before, errors = dict[int, float](), list[Exception]()
        for attempt, answer in self._poller.poll(operation, invocation):
            try:
                if answer is None:
                    operation = self.fail_if_overdue(operation)
                    continue
                poll_result = answer.result()
                if isinstance(poll_result.check, Pending):
                    poll_not_before[attempt.number] = self._clock.now() + min(
                        poll_result.check.retry_after or 0.0, LONGEST_WAIT
                    )
                    operation = self._poller.release_lease(operation, attempt, before, invocation)
                else:
                    silent = poll_result.silent_until
                    seen = history if silent is None else PollHistory(silent, history.poll_count)
                    operation = self._record(operation, attempt, poll_result.check, seen)
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]
        return operation, poll_not_before

    def _record(self, operation: Operation, attempt: Attempt, check: Ready | Failed, history: PollHistory) -> Operation:
        if isinstance(check, Ready):
            return self._outcomes.record_success(operation, attempt, check, history)
        return self._outcomes.record_failure(operation, attempt, check.failure)

    def fail_if_overdue(self, operation: Operation) -> Operation:
        """End an operation whose time is up."""
        if operation.done or self._clock.now() < operation.deadline:
            return operation
        return self._outcomes.fail_overdue(operation)

    def postpone_sweep(self, operation: Operation, step: Step) -> None:
        """Keep `sweep` from an operation that goes on; written down seldom, as writing costs as much as looking."""
        if step.next == "wait" and operation.due_at < self._clock.now() + step.wait + SWEEP_MARGIN / 2:
            self._update(
                operation, lambda current: replace(current, due_at=0), sweep_after=2 * step.wait + SWEEP_MARGIN
            )
