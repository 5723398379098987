"""Hand an operation's missing pictures to upstreams."""

from dataclasses import replace

from imagegate.domain.errors import UpstreamError
from imagegate.domain.failover import next_target
from imagegate.domain.operation import Attempt, AttemptState, Operation, State
from imagegate.domain.order import Order
from imagegate.domain.outcome import Ready, Ticket
from imagegate.domain.route import Routes, Target
from imagegate.ports import Clock, OperationStore, ProviderFor
from imagegate.usecases.conclude import Conclude
from imagegate.usecases.revise import Revise
from imagegate.usecases.step import SUBMIT_LEASE, Step, step_after


class Submit:
    """Runs once per visit of the workflow's `Submit` state."""

    def __init__(
        self,
        store: OperationStore,
        routes: Routes,
        providers: ProviderFor,
        conclude: Conclude,
        revise: Revise,
        clock: Clock,
    ) -> None:
        self._store = store
        self._routes = routes
        self._providers = providers
        self._conclude = conclude
        self._revise = revise
        self._clock = clock

    def __call__(self, operation_id: str) -> Step:
        """Submit every missing slot once and say what comes next."""
        operation = self._store.get(operation_id, consistent=True)
        if operation is None or operation.done:
            return self._conclude.released(operation_id, operation)
        operation = self._try_all(operation)
        return step_after(operation, self._clock.now())

    def _try_all(self, operation: Operation) -> Operation:
        for slot in operation.missing_slots:
            if not operation.done:
                operation = self._try(operation, slot)
        return operation

    def _try(self, operation: Operation, slot: int) -> Operation:
        route = self._routes.of(operation.request)
        target = next_target(route, tuple(one for one in operation.counted_attempts if slot in one.slots))
        if target is None:
            return self._conclude.exhausted(operation, slot)
        operation, attempt = self._begin(operation, target, slot)
        if operation.done:
            return operation
        provider = self._providers(target.provider)
        request = operation.request
        seed = None if request.seed is None else (request.seed + slot) % (provider.limits.seed_maximum + 1)
        try:
            outcome = provider.submit(Order(replace(request, seed=seed), target.model, 1))
        except UpstreamError as error:
            return self._conclude.failed(operation, attempt, error.failure)
        return self._record(operation, attempt, outcome)

    def _begin(self, operation: Operation, target: Target, slot: int) -> tuple[Operation, Attempt]:
        """Write the attempt before the call, so that a crash in between is seen."""
        now = self._clock.now()
        attempt = Attempt(
            number=len(operation.attempts) + 1,
            provider=target.provider,
            model=target.model,
            slots=(slot,),
            state=AttemptState.SUBMITTING,
            started_at=now,
        )

        def begin(current: Operation) -> Operation:
            if current.done:
                return current
            running = current if current.state is State.RUNNING else current.moved(State.RUNNING, now)
            return running.with_attempt(attempt)

        return self._revise(operation, begin, due_in=SUBMIT_LEASE + 60), attempt

    def _record(self, operation: Operation, attempt: Attempt, outcome: Ticket | Ready) -> Operation:
        if isinstance(outcome, Ready):
            return self._conclude.ready(operation, attempt, outcome)
        hold = self._providers(attempt.provider).limits.hold_seconds
        submitted = replace(attempt, state=AttemptState.SUBMITTED, ticket=outcome.data)
        return self._revise(operation, lambda current: current.with_attempt(submitted), due_in=hold + 120)
