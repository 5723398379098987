"""Write down how an attempt ended, and what that means for its operation."""

from dataclasses import replace

from imagegate.domain.attempt import Attempt, AttemptState
from imagegate.domain.errors import Failure, FailureCode, UpstreamError
from imagegate.domain.failover import last_word
from imagegate.domain.limits import Waits
from imagegate.domain.operation import Operation, Picture, State
from imagegate.domain.outcome import NEVER, Looked, Ready, Ticket
from imagegate.ports.keeping import Admission, Clock, Latencies, Telemetry
from imagegate.ports.making import ProviderFor
from imagegate.usecases.keep import Keep
from imagegate.usecases.revise import Revise

_FETCH_GRACE = 300.0
_FIRST_HARVEST = 60.0
_CANCELLED = Failure(FailureCode.CANCELLED, "Cancelled.")
_WHILE_SUBMITTING = Failure(FailureCode.AMBIGUOUS, "Cancelled while it was being submitted.")


class Conclude:
    """The endings shared by `submit` and `poll`."""

    def __init__(
        self,
        keep: Keep,
        providers: ProviderFor,
        admission: Admission,
        latencies: Latencies,
        telemetry: Telemetry,
        revise: Revise,
        clock: Clock,
    ) -> None:
        self._keep = keep
        self._providers = providers
        self._admission = admission
        self._latencies = latencies
        self._telemetry = telemetry
        self._revise = revise
        self._clock = clock

    def ready(self, operation: Operation, attempt: Attempt, ready: Ready, looked: Looked = NEVER) -> Operation:
        """The upstream has the pictures: note where, bring them home, and end when all are there.

        Addresses are written before the fetch: some upstreams tell them only once. `looked`: when the job was
        last seen unfinished.
        """
        now = self._clock.now()
        if operation.request.private:
            ready = replace(ready, revised_prompts=())
        noted = replace(
            attempt,
            state=AttemptState.READY,
            sources=ready.sources,
            seed=attempt.seed if ready.seed is None else ready.seed,
            revised_prompts=ready.revised_prompts,
            usage=ready.usage,
            lease_until=0.0,
        )
        if attempt.state is not AttemptState.READY:
            self._learn(attempt, looked.at)
            if ready.sources:
                operation = self._revise(operation, lambda one: one.informed(noted), due_in=_FETCH_GRACE)
        try:
            base = self._providers(attempt.provider).base_url
            pictures = self._keep(operation, noted, ready, base)
        except UpstreamError as error:
            return self.failed(operation, noted, error.failure)
        unseen = now - self._earliest(attempt, looked.at, now)
        return self._succeeded(operation, noted, pictures, looked.times, unseen)

    def _succeeded(
        self, operation: Operation, attempt: Attempt, pictures: tuple[Picture, ...], looks: int, unseen: float
    ) -> Operation:
        now = self._clock.now()
        done = replace(attempt, state=AttemptState.DONE, ended_at=now, revised_prompts=())

        def end(current: Operation) -> Operation:
            arrived = tuple(replace(one, late=current.done) for one in pictures)
            return current.informed(done).with_pictures(arrived).settled(now)

        self._admission.report(attempt.provider, None)
        ended = self._revise(operation, end, due_in=_FETCH_GRACE)
        self._telemetry.attempt(ended, done, looks, unseen)
        return ended

    def failed(self, operation: Operation, attempt: Attempt, failure: Failure) -> Operation:
        """The attempt failed: another provider gets its turn, unless the request itself was refused."""
        now = self._clock.now()
        failure = replace(failure, message=_unquoted(operation, attempt, failure.message))
        unknown = failure.code is FailureCode.AMBIGUOUS
        ended = replace(
            attempt,
            state=AttemptState.UNKNOWN if unknown else AttemptState.FAILED,
            failure=failure,
            ended_at=now,
            lease_until=0.0,
        )

        def end(current: Operation) -> Operation:
            noted = current.informed(ended)
            of_this_try = attempt.number > current.retried_after
            if failure.final and of_this_try and noted is not current and not noted.done:
                return noted.moved(State.FAILED, now, failure=failure)
            return noted

        self._admission.report(attempt.provider, failure.code)
        written = self._revise(operation, end, due_in=_FETCH_GRACE)
        self._telemetry.attempt(written, ended)
        return written

    def released(self, operation: Operation) -> Operation:
        """Upstreams still at work for a cancelled operation are told to stop, where they can be."""
        for attempt in operation.attempts:
            if attempt.live:
                if attempt.ticket is not None:
                    self._providers(attempt.provider).cancel(Ticket(attempt.ticket))
                submitting = attempt.state is AttemptState.SUBMITTING
                operation = self.failed(operation, attempt, _WHILE_SUBMITTING if submitting else _CANCELLED)
        return operation

    def exhausted(self, operation: Operation, slot: int) -> Operation:
        """Every provider of the route has had its turns: what they said last becomes the operation's reason."""
        return self.ended(operation, last_word([one for one in operation.counted_attempts if slot in one.slots]))

    def out_of_time(self, operation: Operation) -> Operation:
        """The deadline has come. Where nobody would take the job, that is the reason, and nothing was spent."""
        seconds = round(operation.deadline - operation.created_at)
        late = Failure(FailureCode.DEADLINE_EXCEEDED, f"No picture within the deadline of {seconds} s.")
        if operation.may_have_cost or not any(one.failure for one in operation.attempts):
            for attempt in operation.attempts:
                if attempt.live and attempt.ticket is not None:
                    self._latencies.censor(attempt.provider, attempt.model, self._clock.now() - attempt.started_at)
            return self.ended(operation, late)
        return self.ended(operation, last_word(operation.attempts))

    def ended(self, operation: Operation, failure: Failure) -> Operation:
        """The operation fails for `failure`, unless it has ended already."""
        now = self._clock.now()

        def end(current: Operation) -> Operation:
            return current if current.done else current.moved(State.FAILED, now, failure=failure)

        return self._revise(operation, end, due_in=_FIRST_HARVEST)

    def _learn(self, attempt: Attempt, looked_at: float) -> None:
        """Remember how long the job took, as exactly as it is known."""
        now = self._clock.now()
        earliest = self._earliest(attempt, looked_at, now) - attempt.started_at
        self._latencies.observe(attempt.provider, attempt.model, earliest, now - attempt.started_at)

    def _earliest(self, attempt: Attempt, looked_at: float, now: float) -> float:
        """When a job seen finished at `now` may have been so: between two looks nobody knows, streams tell at once."""
        if self._providers(attempt.provider).limits.waits is not Waits.POLL:
            return now
        return max(attempt.started_at, looked_at)


def _unquoted(operation: Operation, attempt: Attempt, message: str) -> str:
    """The message without a private request's words, nor those that a language model made of them."""
    words = operation.words_for(attempt)
    message = operation.request.reworded(words).unquoted(message) if words else message
    return operation.request.unquoted(message)
