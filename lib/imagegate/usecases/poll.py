"""Look for an operation's pictures at the upstreams that have its jobs."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace

from imagegate.domain.errors import Failure, FailureCode, UpstreamError
from imagegate.domain.operation import Attempt, AttemptState, Operation
from imagegate.domain.outcome import Check, Failed, Pending, Ready, Ticket
from imagegate.ports import Clock, OperationStore, ProviderFor
from imagegate.usecases.conclude import Conclude
from imagegate.usecases.revise import Revise
from imagegate.usecases.step import SUBMIT_LEASE, Step, step_after

_LOST_SUBMITTER = Failure(
    FailureCode.AMBIGUOUS, "The submission was interrupted; whether the upstream has the job is not known."
)
_SWEEP_MARGIN = 600.0
Look = tuple[Attempt, Check]


class Poll:
    """Runs once per visit of the workflow's `Poll` state."""

    def __init__(
        self,
        store: OperationStore,
        providers: ProviderFor,
        conclude: Conclude,
        revise: Revise,
        clock: Clock,
    ) -> None:
        self._store = store
        self._providers = providers
        self._conclude = conclude
        self._revise = revise
        self._clock = clock

    def __call__(self, operation_id: str) -> Step:
        """Look once at every job, bring home what is finished, say what comes next."""
        operation = self._store.get(operation_id, consistent=True)
        if operation is None or operation.done:
            return self._conclude.released(operation_id, operation)
        at_least = 0.0
        for attempt, check in self._looks(operation):
            if isinstance(check, Pending):
                at_least = max(at_least, check.retry_after or 1.0)
            else:
                operation = self._conclusion(operation, attempt, check)
        operation = self._overdue(operation)
        return step_after(operation, self._clock.now(), at_least if not operation.missing_slots else 0.0)

    def _looks(self, operation: Operation) -> Iterator[Look]:
        """Every live attempt's answer, as it comes: one stream must not keep another waiting."""
        live = [attempt for attempt in operation.attempts if attempt.live]
        with ThreadPoolExecutor(max_workers=max(1, len(live))) as pool:
            asked = [pool.submit(self._look, operation, attempt) for attempt in live]
            for answer in as_completed(asked):
                yield answer.result()

    def _look(self, operation: Operation, attempt: Attempt) -> Look:
        if attempt.state is AttemptState.SUBMITTING:
            return attempt, self._lost(attempt)
        if attempt.state is AttemptState.READY:
            return attempt, Ready(sources=attempt.sources, seed=attempt.seed)
        provider = self._providers(attempt.provider)
        hold_until = min(operation.deadline, self._clock.now() + provider.limits.hold_seconds)
        try:
            return attempt, provider.check(Ticket(attempt.ticket or {}), hold_until)
        except UpstreamError as error:
            return attempt, Pending(error.failure.retry_after)

    def _lost(self, attempt: Attempt) -> Check:
        if attempt.started_at + SUBMIT_LEASE < self._clock.now():
            return Failed(_LOST_SUBMITTER)
        return Pending(SUBMIT_LEASE / 4)

    def _conclusion(self, operation: Operation, attempt: Attempt, check: Ready | Failed) -> Operation:
        if isinstance(check, Ready):
            return self._conclude.ready(operation, attempt, check)
        return self._conclude.failed(operation, attempt, check.failure)

    def _overdue(self, operation: Operation) -> Operation:
        """End an operation whose time is up; push back the sweep of one that goes on."""
        now = self._clock.now()
        if operation.done:
            return operation
        if now >= operation.deadline:
            seconds = round(operation.deadline - operation.created_at)
            late = Failure(FailureCode.DEADLINE_EXCEEDED, f"No picture within the deadline of {seconds} s.")
            return self._conclude.ended(operation, late)
        if operation.due_at > now + _SWEEP_MARGIN:
            return operation
        return self._revise(operation, lambda one: replace(one, due_at=0), due_in=2 * _SWEEP_MARGIN)
