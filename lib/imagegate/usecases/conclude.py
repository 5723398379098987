"""Write down how an attempt ended, and what that means for its operation."""

from dataclasses import replace

from imagegate.domain.errors import Failure, FailureCode, UpstreamError
from imagegate.domain.operation import Attempt, AttemptState, Operation, State
from imagegate.domain.outcome import Ready, Ticket
from imagegate.ports import Clock, ProviderFor
from imagegate.usecases.keep import Keep
from imagegate.usecases.revise import Revise
from imagegate.usecases.step import Step

_FETCH_GRACE = 180.0


class Conclude:
    """The endings shared by `submit` and `poll`."""

    def __init__(self, keep: Keep, providers: ProviderFor, revise: Revise, clock: Clock) -> None:
        self._keep = keep
        self._providers = providers
        self._revise = revise
        self._clock = clock

    def ready(self, operation: Operation, attempt: Attempt, ready: Ready) -> Operation:
        """The upstream has the pictures: note where, bring them home, and end when all are there.

        Addresses are written before the fetch: some upstreams tell them only once.
        """
        noted = replace(attempt, state=AttemptState.READY, sources=ready.sources, seed=ready.seed or attempt.seed)
        if ready.sources and attempt.state is not AttemptState.READY:
            operation = self._revise(operation, lambda one: one.with_attempt(noted), due_in=_FETCH_GRACE)
        try:
            base = self._providers(attempt.provider).base_url
            pictures = self._keep(operation, noted, ready, base)
        except UpstreamError as error:
            return self.failed(operation, noted, error.failure)
        now = self._clock.now()
        done = replace(noted, state=AttemptState.DONE, ended_at=now)
        return self._revise(
            operation,
            lambda one: one.with_attempt(done).with_pictures(pictures).settled(now),
            due_in=_FETCH_GRACE,
        )

    def failed(self, operation: Operation, attempt: Attempt, failure: Failure) -> Operation:
        """The attempt failed: another provider gets its turn, unless the request itself was refused."""
        now = self._clock.now()
        unknown = failure.code is FailureCode.AMBIGUOUS
        ended = replace(
            attempt,
            state=AttemptState.UNKNOWN if unknown else AttemptState.FAILED,
            failure=failure,
            ended_at=now,
        )

        def end(current: Operation) -> Operation:
            noted = current.with_attempt(ended)
            if failure.final and not noted.done:
                return noted.moved(State.FAILED, now, failure=failure)
            return noted

        return self._revise(operation, end, due_in=_FETCH_GRACE)

    def released(self, operation_id: str, operation: Operation | None) -> Step:
        """Nothing is left to do; upstreams still at work for a cancelled operation are told to stop."""
        if operation and operation.state is State.CANCELLED:
            for attempt in operation.attempts:
                if attempt.live:
                    operation = self._stop(operation, attempt)
        return Step(operation_id, "done")

    def _stop(self, operation: Operation, attempt: Attempt) -> Operation:
        if attempt.ticket is not None:
            self._providers(attempt.provider).cancel(Ticket(attempt.ticket))
        return self.failed(operation, attempt, Failure(FailureCode.CANCELLED, "Cancelled."))

    def exhausted(self, operation: Operation, slot: int) -> Operation:
        """Every provider of the route has had its turns: the last reason becomes the operation's."""
        reasons = [one.failure for one in operation.attempts if slot in one.slots and one.failure]
        return self.ended(operation, reasons[-1])

    def ended(self, operation: Operation, failure: Failure) -> Operation:
        """The operation fails for `failure`, unless it has ended already."""
        now = self._clock.now()

        def end(current: Operation) -> Operation:
            return current if current.done else current.moved(State.FAILED, now, failure=failure)

        return self._revise(operation, end, due_in=_FETCH_GRACE)
