"""Look for an operation's pictures at the upstreams that have its jobs."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace

from imagegate.domain.attempt import Attempt, AttemptState
from imagegate.domain.errors import Failure, FailureCode, UpstreamError
from imagegate.domain.limits import Waits
from imagegate.domain.operation import Operation, State
from imagegate.domain.outcome import NEVER, Check, Failed, Looked, Pending, Ready, Ticket
from imagegate.ports.keeping import Clock, OperationStore
from imagegate.ports.making import ProviderFor
from imagegate.usecases.conclude import Conclude
from imagegate.usecases.plan import Plan, Step
from imagegate.usecases.revise import Revise

_LOST_SUBMITTER = Failure(
    FailureCode.AMBIGUOUS, "The submission was interrupted; whether the upstream has the job is not known."
)
_HOLD_MARGIN = 60.0
_AFTERMATH = 120.0
"""Seconds for which a stream is kept open after the deadline: let go, its picture would be lost for good."""
_LONGEST_STAY = 60.0
"""Seconds; a function has other things to do within its time limit as well."""
SWEEP_MARGIN = 4 * _LONGEST_STAY
"""Seconds after a planned look when `sweep` takes the run for lost: it may have stayed, died and begun anew."""
_ROUNDING = 0.5
"""The workflow waits whole seconds, so it may come that much too early."""
Look = tuple[Attempt, Check | None]


class Poll:
    """Runs once per visit of the workflow's `Poll` state."""

    def __init__(
        self,
        store: OperationStore,
        providers: ProviderFor,
        conclude: Conclude,
        plan: Plan,
        revise: Revise,
        clock: Clock,
    ) -> None:
        self._store = store
        self._providers = providers
        self._conclude = conclude
        self._plan = plan
        self._revise = revise
        self._clock = clock

    def __call__(self, operation_id: str, run: str, looked_at: float = 0.0, looks: int = 0) -> Step:
        """Look once at every job, bring home what is finished, say what comes next.

        `run`: the workflow execution's name. `looked_at`: when it last looked (seconds since the epoch), so
        that completion times are learned as exactly as they can be known. `looks`: how often it has looked before.
        """
        operation = self._store.get(operation_id, consistent=True)
        if operation is None or operation.done:
            return self.after_the_end(operation_id, operation, run)
        operation, not_before = self._look(operation, run, Looked(looked_at, looks + 1))
        operation, not_before = self.stay(operation, run, not_before, Looked(self._clock.now(), looks + 1))
        operation = self._overdue(operation)
        step = self._plan.step(operation, not_before, run)
        self._pushed_back(operation, step)
        return replace(step, looks=looks + 1)

    def stay(
        self, operation: Operation, run: str, not_before: float = 0.0, looked: Looked = NEVER
    ) -> tuple[Operation, float]:
        """Look again and again while that is cheaper than leaving; also when the next look may be.

        `not_before`: seconds since the epoch before which an upstream does not want to be asked. `looked`: when the
        jobs were last seen unfinished.
        """
        until = self._clock.now() + _LONGEST_STAY
        while not operation.done and not operation.missing_slots and self._clock.now() < until:
            wait = self._plan.stay(operation, not_before, run)
            if wait is None:
                break
            self._clock.sleep(wait)
            operation = self._store.get(operation.id, consistent=True) or operation
            if operation.done:
                self.after_the_end(operation.id, operation, run)
                break
            operation, not_before = self._look(operation, run, looked)
            looked = Looked(self._clock.now(), looked.times)
        return operation, not_before

    def after_the_end(self, operation_id: str, operation: Operation | None, run: str) -> Step:
        """Nobody waits any more: stop the jobs of a cancelled operation, harvest those of a failed one."""
        if operation and operation.state is State.CANCELLED:
            self._conclude.released(operation)
        elif operation and operation.harvest_until > self._clock.now():
            self._look(operation, run, NEVER)
        return Step(operation_id, "done")

    def _look(self, operation: Operation, run: str, looked: Looked) -> tuple[Operation, float]:
        """Look at every job that is due; also when the one that said so longest wants to be asked again."""
        operation = self._leased(operation, run)
        not_before = 0.0
        for attempt, check in self._answers(operation, run):
            if check is None:
                operation = self._overdue(operation)
            elif isinstance(check, Pending):
                not_before = max(not_before, self._clock.now() + (check.retry_after or 0.0))
            elif isinstance(check, Ready):
                operation = self._conclude.ready(operation, attempt, check, looked)
            else:
                operation = self._conclude.failed(operation, attempt, check.failure)
        return operation, 0.0 if operation.missing_slots else not_before

    def _leased(self, operation: Operation, run: str) -> Operation:
        """Claim the streams that are about to be opened: two listeners would lose the result."""
        now = self._clock.now()
        streams = [one for one in operation.attempts if self._is_stream(one) and self._may_open(one, run, now)]
        if not streams:
            return operation
        holds = {one.number: self._hold_until(operation, one) + _HOLD_MARGIN for one in streams}

        def claim(current: Operation) -> Operation:
            for attempt in current.attempts:
                if attempt.number in holds and self._may_open(attempt, run, now):
                    leased = replace(attempt, lease_until=holds[attempt.number], lease_run=run)
                    current = current.with_attempt(leased)
            return current

        due_in = max(holds.values()) - now + _HOLD_MARGIN
        return self._revise(operation, claim, due_in=due_in)

    def _answers(self, operation: Operation, run: str) -> Iterator[Look]:
        """Every live attempt's answer, as it comes: one stream must not keep another waiting.

        Between them `None` as the answer, when the deadline comes while a stream is still open.
        """
        live = [attempt for attempt in operation.attempts if attempt.live]
        with ThreadPoolExecutor(max_workers=max(1, len(live))) as pool:
            asked = {pool.submit(self._ask, operation, attempt, run): attempt for attempt in live}
            open_until = None if operation.done else max(operation.deadline - self._clock.now(), 0.0)
            try:
                for answer in as_completed(asked, open_until):
                    yield asked.pop(answer), answer.result()
            except TimeoutError:
                yield next(iter(asked.values())), None
                for answer in as_completed(asked):
                    yield asked[answer], answer.result()

    def _ask(self, operation: Operation, attempt: Attempt, run: str) -> Check:
        now = self._clock.now()
        if attempt.state is AttemptState.READY:
            return Ready(attempt.sources, (), attempt.seed, attempt.revised_prompts, attempt.usage)
        if attempt.state is AttemptState.SUBMITTING:
            return Failed(_LOST_SUBMITTER) if attempt.lease_until <= now else Pending(attempt.lease_until - now)
        if self._is_stream(attempt) and not (attempt.lease_run == run and attempt.lease_until > now):
            return Pending(max(self._plan.opens_at(attempt), attempt.lease_until) - now)
        provider = self._providers(attempt.provider)
        try:
            return provider.check(Ticket(attempt.ticket or {}), self._hold_until(operation, attempt))
        except UpstreamError as error:
            return Pending(error.failure.retry_after)

    def _is_stream(self, attempt: Attempt) -> bool:
        submitted = attempt.state is AttemptState.SUBMITTED
        return submitted and self._providers(attempt.provider).limits.waits is Waits.HOLD

    def _may_open(self, attempt: Attempt, run: str, now: float) -> bool:
        free = attempt.lease_until <= now or attempt.lease_run == run
        return attempt.state is AttemptState.SUBMITTED and free and self._plan.opens_at(attempt) <= now + _ROUNDING

    def _hold_until(self, operation: Operation, attempt: Attempt) -> float:
        now = self._clock.now()
        longest = now + self._providers(attempt.provider).limits.hold_seconds
        return longest if operation.done else min(max(operation.deadline, now) + _AFTERMATH, longest)

    def _overdue(self, operation: Operation) -> Operation:
        """End an operation whose time is up."""
        if operation.done or self._clock.now() < operation.deadline:
            return operation
        return self._conclude.out_of_time(operation)

    def _pushed_back(self, operation: Operation, step: Step) -> None:
        """Keep `sweep` from an operation that goes on; written down seldom, as writing costs as much as looking."""
        if step.next == "wait" and operation.due_at < self._clock.now() + step.wait + SWEEP_MARGIN / 2:
            self._revise(operation, lambda one: replace(one, due_at=0), due_in=2 * step.wait + SWEEP_MARGIN)
