"""Poll upstreams for their jobs: all jobs at once, and each stream by a single listener.

Scenarios: tests/scenarios/test_overtaken_drivers.py and test_concurrency.py.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.outcome import Check, Failed, Pending, Ready, Ticket
from imagegate.domain.request.limits import CompletionMode
from imagegate.domain.timing.schedule import LONGEST_WAIT
from imagegate.ports.runtime import Clock
from imagegate.ports.upstreams import ProviderFor
from imagegate.usecases.update import UpdateWithRetry
from imagegate.workflow.claim_result import is_claimed
from imagegate.workflow.next_step import MIN_WAIT_SHARE, ROUNDING, Invocation, Planner

_LOST_SUBMITTER = Failure(
    FailureCode.AMBIGUOUS, "The submission was interrupted; whether the upstream has the job is not known."
)
_RESULT_EXPIRED = Failure(FailureCode.EXPIRED, "The upstream keeps results no longer than this.")
_HOLD_MARGIN = 60.0
_DEADLINE_GRACE = 120.0
"""Seconds for which a stream stays open after the deadline: if it is closed, its picture is lost."""
_SECOND_LISTEN = 30.0
"""Seconds, two heartbeats: a stream whose result went to a listener that died is silent from then on."""
_OPENING = 120.0
"""Seconds past the likely end of a job during which opening its stream is still tried."""
_AT_ONCE = 1.0
"""Seconds after its opening within which a stream sends a result that it already had."""
_FETCH_RESERVE = 60.0
"""Seconds of an invocation reserved for fetching the pictures that a stream announces."""


@dataclass(frozen=True, slots=True)
class PollResult:
    """The result of polling one job."""

    check: Check
    silent_until: float | None = None
    """When a stream was last without a result, in seconds since the epoch; 0: not known. `None` for jobs without a
    stream."""


AttemptPoll = tuple[Attempt, Future[PollResult] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamPoller:
    """Polls the live attempts of an operation, and leases those that are streams."""

    providers: ProviderFor
    planner: Planner
    update: UpdateWithRetry
    clock: Clock

    def with_lease(self, operation: Operation, invocation: Invocation) -> Operation:
        """Lease the streams that are about to be opened, because two listeners would lose the result."""
        now = self.clock.now()
        wanted = [attempt for attempt in operation.attempts if not _has_expired(operation, attempt, now)]
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
        """The result of every live attempt as it arrives, so that no stream delays another.

        When the deadline passes while a stream is open, one attempt comes with `None` first.
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
        """Release the lease on a stream that could not be opened, back to what it was in `before`."""
        if not (attempt.stream_already_read and attempt.lease_run == invocation.execution):
            return operation
        [earlier] = (known for known in before.attempts if known.number == attempt.number)
        closed = replace(attempt, lease_until=min(earlier.lease_until, self.clock.now()))

        def give_back(current: Operation) -> Operation:
            return current.with_attempt(closed) if attempt in current.attempts else current

        return self.update(operation, give_back, sweep_after=LONGEST_WAIT + _HOLD_MARGIN)

    def _poll(self, operation: Operation, attempt: Attempt, invocation: Invocation) -> PollResult:
        """Check the job, and note how long a stream was silent. One that answers at once may have finished long ago."""
        began = self.clock.now()
        check = self._check(operation, attempt, invocation)
        if not isinstance(check, Ready) or not self._is_stream(attempt):
            return PollResult(check)
        now = self.clock.now()
        return PollResult(check, now if now - began > _AT_ONCE else 0.0)

    def _check(self, operation: Operation, attempt: Attempt, invocation: Invocation) -> Check:
        now = self.clock.now()
        if _has_expired(operation, attempt, now):
            return Failed(_RESULT_EXPIRED)
        if attempt.state is not AttemptState.SUBMITTING and is_claimed(attempt, invocation.execution, now):
            return Pending()
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
            return Pending(self.planner.stream_opens_at(attempt) - now)
        provider = self.providers(attempt.provider_key)
        with_lease = attempt.lease_until - _HOLD_MARGIN
        hold_until = with_lease if self._is_stream(attempt) else self._hold_until(operation, attempt, invocation)
        try:
            return provider.check(Ticket(attempt.ticket or {}), hold_until)
        except UpstreamError as error:
            return self._check_failed(operation, attempt, error.failure)

    def _check_failed(self, operation: Operation, attempt: Attempt, failure: Failure) -> Check:
        """The result of a failed check. While a caller waits, a stream that cannot be opened is given up."""
        now = self.clock.now()
        if not self._is_stream(attempt):
            return Pending(failure.retry_after)
        if not operation.done and now > self.planner.likely_done_at(attempt) + _OPENING:
            return Failed(replace(failure, code=FailureCode.UPSTREAM_TIMEOUT))
        return Pending(max(failure.retry_after or 0.0, (now - attempt.started_at) * MIN_WAIT_SHARE, _AT_ONCE))

    def _is_stream(self, attempt: Attempt) -> bool:
        submitted = attempt.state is AttemptState.SUBMITTED
        return submitted and self.providers(attempt.provider_key).limits.completion is CompletionMode.STREAM

    def _may_open(self, attempt: Attempt, execution: str, now: float) -> bool:
        free = attempt.lease_until <= now or attempt.lease_run == execution
        return (
            attempt.state is AttemptState.SUBMITTED and free and self.planner.stream_opens_at(attempt) <= now + ROUNDING
        )

    def _hold_until(self, operation: Operation, attempt: Attempt, invocation: Invocation) -> float:
        now = self.clock.now()
        limits = self.providers(attempt.provider_key).limits
        until = min(now + limits.hold_seconds, invocation.ends_at - _FETCH_RESERVE)
        if not operation.done:
            until = min(until, max(operation.deadline, now) + _DEADLINE_GRACE)
        return (
            min(until, max(self.planner.likely_done_at(attempt), now + _SECOND_LISTEN))
            if attempt.stream_already_read
            else until
        )


def _has_expired(operation: Operation, attempt: Attempt, now: float) -> bool:
    """True when the operation has ended and the upstream no longer keeps the result."""
    return operation.done and attempt.state is not AttemptState.SUBMITTING and attempt.keep_until <= now
