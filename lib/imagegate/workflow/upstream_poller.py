"""Ask upstreams for the jobs they have: all at once, and a stream by one listener only."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace

from imagegate.domain.errors import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.outcome import Check, Failed, Pending, Ready, Ticket
from imagegate.domain.request.limits import CompletionMode
from imagegate.domain.timing.schedule import LONGEST_WAIT
from imagegate.ports.runtime import Clock
from imagegate.ports.upstreams import ProviderFor
from imagegate.usecases.update import UpdateWithRetry
from imagegate.workflow.next_step import MIN_WAIT_SHARE, ROUNDING, Invocation, Planner

_LOST_SUBMITTER = Failure(
    FailureCode.AMBIGUOUS, "The submission was interrupted; whether the upstream has the job is not known."
)
_RESULT_EXPIRED = Failure(FailureCode.EXPIRED, "The upstream keeps results no longer than this.")
_HOLD_MARGIN = 60.0
_DEADLINE_GRACE = 120.0
"""Seconds for which a stream is kept open after the deadline: let go, its picture would be lost for good."""
_SECOND_LISTEN = 30.0
"""Seconds, two heartbeats: a stream whose result was told before, to a listener that died, says no more."""
_OPENING = 120.0
"""Seconds after a job has ended for nearly certain in which its stream is still tried to be opened."""
_AT_ONCE = 1.0
"""Seconds after its opening within which a stream tells what it had to say before."""
_FETCH_RESERVE = 60.0
"""Seconds of a visit that are kept for fetching what a stream has told of."""


@dataclass(frozen=True, slots=True)
class PollResult:
    """What an upstream says of a job."""

    check: Check
    silent_until: float | None = None
    """When a stream, which tells its result at once, was last without one, in seconds since the epoch; 0: nobody knows.
    `None` for jobs that are no streams."""


AttemptPoll = tuple[Attempt, Future[PollResult] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamPoller:
    """The questions behind the states Submit and Poll."""

    providers: ProviderFor
    planner: Planner
    update: UpdateWithRetry
    clock: Clock

    def with_lease(self, operation: Operation, invocation: Invocation) -> Operation:
        """Claim the streams that are about to be opened: two listeners would lose the result."""
        now = self.clock.now()
        wanted = [attempt for attempt in operation.attempts if not _is_forgotten(operation, attempt, now)]
        streams = [
            attempt
            for attempt in wanted
            if self._is_stream(attempt) and self._may_open(attempt, invocation.execution, now)
        ]
        if not streams:
            return operation
        holds = {attempt.number: self._hold_until(operation, attempt, invocation) + _HOLD_MARGIN for attempt in streams}

        def claim(current: Operation) -> Operation:
            for attempt in current.attempts:
                if attempt.number in holds and self._may_open(attempt, invocation.execution, now):
                    with_lease = replace(attempt, lease_until=holds[attempt.number], lease_run=invocation.execution)
                    current = current.with_attempt(with_lease)
            return current

        sweep_after = max(holds.values()) - now + _HOLD_MARGIN
        return self.update(operation, claim, sweep_after=sweep_after)

    def poll(self, operation: Operation, invocation: Invocation) -> Iterator[AttemptPoll]:
        """Every live attempt's answer, as it comes: one stream must not keep another waiting.

        Between them `None` as the answer, when the deadline comes while a stream is still open.
        """
        live = [attempt for attempt in operation.attempts if attempt.live]
        with ThreadPoolExecutor(max_workers=max(1, len(live))) as pool:
            pending = {pool.submit(self._poll, operation, attempt, invocation): attempt for attempt in live}
            open_until = None if operation.done else max(operation.deadline - self.clock.now(), 0.0)
            try:
                for answer in as_completed(pending, open_until):
                    yield pending.pop(answer), answer
            except TimeoutError:
                streams = [attempt for attempt in pending.values() if self._is_stream(attempt)]
                yield from ((attempt, None) for attempt in streams[:1])
                for answer in as_completed(pending):
                    yield pending[answer], answer

    def release_lease(
        self, operation: Operation, attempt: Attempt, before: Operation, invocation: Invocation
    ) -> Operation:
        """Give back the claim to a stream that could not be opened: nobody heard more of it than `before`."""
        if not (attempt.stream_already_read and attempt.lease_run == invocation.execution):
            return operation
        [earlier] = (known for known in before.attempts if known.number == attempt.number)
        closed = replace(attempt, lease_until=min(earlier.lease_until, self.clock.now()))

        def give_back(current: Operation) -> Operation:
            return current.with_attempt(closed) if attempt in current.attempts else current

        return self.update(operation, give_back, sweep_after=LONGEST_WAIT + _HOLD_MARGIN)

    def _poll(self, operation: Operation, attempt: Attempt, invocation: Invocation) -> PollResult:
        """Ask, and note how long a stream was silent. One that spoke at once may have had its result for long."""
        began = self.clock.now()
        check = self._check(operation, attempt, invocation)
        if not isinstance(check, Ready) or not self._is_stream(attempt):
            return PollResult(check)
        now = self.clock.now()
        return PollResult(check, now if now - began > _AT_ONCE else 0.0)

    def _check(self, operation: Operation, attempt: Attempt, invocation: Invocation) -> Check:
        now = self.clock.now()
        if _is_forgotten(operation, attempt, now):
            return Failed(_RESULT_EXPIRED)
        if attempt.state is AttemptState.READY:
            return Ready(
                sources=attempt.sources,
                bodies=(),
                seed=attempt.seed,
                revised_prompts=attempt.revised_prompts,
                usage=attempt.usage,
            )
        if attempt.state is AttemptState.SUBMITTING:
            return Failed(_LOST_SUBMITTER) if attempt.lease_until <= now else Pending(attempt.lease_until - now)
        if self._is_stream(attempt) and not (attempt.lease_run == invocation.execution and attempt.lease_until > now):
            return Pending(max(self.planner.stream_opens_at(attempt), attempt.lease_until) - now)
        provider = self.providers(attempt.provider)
        with_lease = attempt.lease_until - _HOLD_MARGIN
        hold_until = with_lease if self._is_stream(attempt) else self._hold_until(operation, attempt, invocation)
        try:
            return provider.check(Ticket(attempt.ticket or {}), hold_until)
        except UpstreamError as error:
            return self._check_failed(operation, attempt, error.failure)

    def _check_failed(self, operation: Operation, attempt: Attempt, failure: Failure) -> Check:
        """The look failed. While somebody waits, a stream that cannot be opened is given up in favour of another."""
        now = self.clock.now()
        if not self._is_stream(attempt):
            return Pending(failure.retry_after)
        if not operation.done and now > self.planner.likely_done_at(attempt) + _OPENING:
            return Failed(replace(failure, code=FailureCode.UPSTREAM_TIMEOUT))
        return Pending(max(failure.retry_after or 0.0, (now - attempt.started_at) * MIN_WAIT_SHARE, _AT_ONCE))

    def _is_stream(self, attempt: Attempt) -> bool:
        submitted = attempt.state is AttemptState.SUBMITTED
        return submitted and self.providers(attempt.provider).limits.completion is CompletionMode.STREAM

    def _may_open(self, attempt: Attempt, execution: str, now: float) -> bool:
        free = attempt.lease_until <= now or attempt.lease_run == execution
        return (
            attempt.state is AttemptState.SUBMITTED and free and self.planner.stream_opens_at(attempt) <= now + ROUNDING
        )

    def _hold_until(self, operation: Operation, attempt: Attempt, invocation: Invocation) -> float:
        now = self.clock.now()
        until = min(now + self.providers(attempt.provider).limits.hold_seconds, invocation.ends_at - _FETCH_RESERVE)
        if not operation.done:
            until = min(until, max(operation.deadline, now) + _DEADLINE_GRACE)
        return (
            min(until, max(self.planner.likely_done_at(attempt), now + _SECOND_LISTEN))
            if attempt.stream_already_read
            else until
        )


def _is_forgotten(operation: Operation, attempt: Attempt, now: float) -> bool:
    """True when nobody waits for the job any more and its upstream need not have kept it either."""
    return operation.done and attempt.state is not AttemptState.SUBMITTING and attempt.keep_until <= now
