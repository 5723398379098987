"""Submit an operation's missing pictures to upstreams.

Scenarios: tests/scenarios/test_submissions.py and test_paid_once.py.
"""

from dataclasses import dataclass, replace

from imagegate.domain.errors import QuotaExhausted, RateLimited
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.hook import is_hooked
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.outcome import NOT_POLLED, PollHistory
from imagegate.domain.request.route import Route, Target
from imagegate.domain.request.routes import Routes
from imagegate.domain.timing.failover import Choice, choose, pause_beyond
from imagegate.ports.runtime import Clock
from imagegate.ports.storage import Admission, OperationStore
from imagegate.usecases.update import UpdateWithRetry
from imagegate.workflow.driver import SWEEP_MARGIN, Driver
from imagegate.workflow.next_step import DIRECT_INLINE_LIMIT, POLL_ANY_TIME, Invocation, PollNotBefore, Step
from imagegate.workflow.outcomes import Outcomes
from imagegate.workflow.submit_attempt import SubmitAttempt

_MAX_SUBMITTING = 300.0
"""Seconds after which an invocation begins no further submission: a SYNC upstream takes minutes for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """Runs once per invocation of the workflow's `Submit` state."""

    store: OperationStore
    routes: Routes
    admission: Admission
    submit_attempt: SubmitAttempt
    outcomes: Outcomes
    driver: Driver
    update: UpdateWithRetry
    clock: Clock

    def __call__(self, operation_id: str, invocation: Invocation, without_expansion: str = "") -> Step:
        """Submit every missing slot, poll quick jobs inline, and return the next step.

        `without_expansion`: the workflow's short name of the error for which the state Expand gave up; empty: none.
        """
        operation = self.store.get(operation_id, consistent=True)
        if operation and operation.awaits_expansion and not without_expansion:
            return Step(operation_id, "expand")
        if operation and not operation.done:
            operation = self.driver.fail_if_overdue(operation)
        if operation is None or operation.done:
            return self.driver.settle_after_end(operation_id, operation, invocation)
        if is_hooked(invocation.execution):
            missing = set(operation.missing_slots)
            operation, _ = self.driver.poll_jobs(operation, invocation, PollHistory(self.clock.now()))
            if operation.done or set(operation.missing_slots) <= missing:
                return Step(operation_id, "done")  # the operation's own execution goes on
        poll_not_before, poll_count = POLL_ANY_TIME, 0
        if invocation.direct and operation.attempts:
            poll_count = invocation.direct.poll_count + 1
            history = PollHistory(invocation.direct.last_poll_at, poll_count)
            operation, poll_not_before = self.driver.poll_jobs(operation, invocation, history)

        # A hint's execution ends as soon as nothing new is missing, so it drives nothing from now on.
        drives = invocation.direct is None and not is_hooked(invocation.execution)

        def reopen(current: Operation) -> Operation:
            now = self.clock.now()
            if without_expansion:
                message = f"The prompt could not be expanded ({without_expansion})."
                current = current.without_expansion(Failure(FailureCode.INTERNAL, message))
            if current.by_client and drives:
                current = replace(current, by_client=None)
            return current.reopen_lost(now).complete_if_done(now)

        operation = self.update(operation, reopen, sweep_after=SWEEP_MARGIN)
        operation, submit_not_before = self._submit_all(operation)
        if operation.done:
            return self.driver.settle_after_end(operation_id, operation, invocation)
        history = PollHistory(self.clock.now(), poll_count) if poll_not_before else NOT_POLLED
        operation, poll_not_before = self.driver.poll_inline(operation, invocation, poll_not_before, history)
        if invocation.direct and _pauses(poll_not_before, self.clock.now()) and not operation.done:
            return Step(operation_id, "submit")
        return self.driver.next_step(operation, invocation, poll_not_before, submit_not_before)

    def _submit_all(self, operation: Operation) -> tuple[Operation, float]:
        """Submit every missing slot.

        Returns the operation and the earliest time, in seconds since the epoch, at which a slot that has to wait may
        be submitted.
        """
        until, missing = self.clock.now() + _MAX_SUBMITTING, operation.missing_slots
        retry_at = dict.fromkeys(missing, 0.0)
        route = self.routes.route_of(operation.request, operation.model) if missing else None
        for slot in missing:
            operation = self.driver.fail_if_overdue(operation)
            if operation.done or self.clock.now() >= until:
                return operation, 0.0
            if route and slot in operation.missing_slots:  # else an attempt for another slot has taken it along
                operation, retry_at[slot] = self._submit_slot(operation, route, slot)
        return operation, min((retry_at.get(slot, 0.0) for slot in operation.missing_slots), default=0.0)

    def _submit_slot(self, operation: Operation, route: Route, slot: int) -> tuple[Operation, float]:
        """Submit one slot; returns likewise. A provider whose price exceeds the budget is skipped.

        When every provider that is left has to pause until the deadline, as an upstream said, the operation fails now.
        """
        over_budget = None
        while choice := self._choose(operation, route, slot):
            if choice.at > self.clock.now():
                attempts = [attempt for attempt in operation.counted_attempts if slot in attempt.slots]
                refusal = pause_beyond(attempts, operation.deadline) if choice.at >= operation.deadline else None
                return (self.outcomes.fail(operation, refusal), 0.0) if refusal else (operation, choice.at)
            try:
                return self.submit_attempt(operation, choice.target, _batch(operation, choice.target, slot)), 0.0
            except QuotaExhausted as error:
                route, over_budget = route.without(choice.target.provider), error
            except RateLimited as error:
                return operation, self.clock.now() + (error.retry_after or 0.0)
        return self.outcomes.fail_exhausted(operation, slot, over_budget), 0.0

    def _choose(self, operation: Operation, route: Route, slot: int) -> Choice | None:
        """The next provider for a slot: one with attempts left, and admitted now if there is such a one."""
        attempts = [attempt for attempt in operation.counted_attempts if slot in attempt.slots]
        closed: dict[str, float] = {}
        while True:
            now = self.clock.now()
            choice = choose(route, attempts, closed, now)
            if choice is None or choice.at > now:
                return choice
            until = self.admission.admit(choice.target.provider)
            if until <= now:
                return choice
            closed[choice.target.provider] = until


def _pauses(poll_not_before: PollNotBefore, now: float) -> bool:
    """True when an upstream asked for a pause between polls that its client's requests do not know of."""
    return any(at > now + DIRECT_INLINE_LIMIT for at in poll_not_before.values())


def _batch(operation: Operation, target: Target, slot: int) -> tuple[int, ...]:
    """The slots that go into one submission with `slot`: untried ones, unless each has a seed of its own."""
    if operation.request.seed is not None or target.limits.images_per_call == 1:
        return (slot,)
    tried = {slot for attempt in operation.counted_attempts for slot in attempt.slots}
    if slot in tried:
        return (slot,)
    others = [other for other in operation.missing_slots if other not in tried and other != slot]
    return (slot, *others[: target.limits.images_per_call - 1])
