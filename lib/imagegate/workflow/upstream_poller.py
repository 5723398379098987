"""Ask upstreams for the jobs they have: all at once, and a stream by one listener only."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace

from imagegate.domain.errors import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.outcome import Check, Failed, Pending, Ready, Ticket
from imagegate.domain.request.limits import Waits
from imagegate.domain.timing.schedule import LONGEST_WAIT
from imagegate.ports.runtime import Clock
from imagegate.ports.upstreams import ProviderFor
from imagegate.usecases.update import Revise
from imagegate.workflow.next_step import RARER, ROUNDING, Plan, Visit

_LOST_SUBMITTER = Failure(
    FailureCode.AMBIGUOUS, "The submission was interrupted; whether the upstream has the job is not known."
)
_FORGOTTEN = Failure(FailureCode.EXPIRED, "The upstream keeps results no longer than this.")
_HOLD_MARGIN = 60.0
_AFTERMATH = 120.0
"""Seconds for which a stream is kept open after the deadline: let go, its picture would be lost for good."""
_SECOND_HEARING = 30.0
"""Seconds, two heartbeats: a stream whose result was told before, to a listener that died, says no more."""
_OPENING = 120.0
"""Seconds after a job has ended for nearly certain in which its stream is still tried to be opened."""
_AT_ONCE = 1.0
"""Seconds after its opening within which a stream tells what it had to say before."""
_BRINGING_HOME = 60.0
"""Seconds of a visit that are kept for fetching what a stream has told of."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What an upstream says of a job."""

    check: Check
    silent_until: float | None = None
    """When a stream, which tells its result at once, was last without one, in seconds since the epoch; 0: nobody knows.
    `None` for jobs that are no streams."""


Answer = tuple[Attempt, Future[Heard] | None]


class Look:
    """The questions behind the states Submit and Poll."""

    def __init__(self, providers: ProviderFor, plan: Plan, revise: Revise, clock: Clock) -> None:
        self._providers = providers
        self._plan = plan
        self._revise = revise
        self._clock = clock

    def leased(self, operation: Operation, visit: Visit) -> Operation:
        """Claim the streams that are about to be opened: two listeners would lose the result."""
        now = self._clock.now()
        wanted = [one for one in operation.attempts if not _forgotten(operation, one, now)]
        streams = [one for one in wanted if self._is_stream(one) and self._may_open(one, visit.run, now)]
        if not streams:
            return operation
        holds = {one.number: self._hold_until(operation, one, visit) + _HOLD_MARGIN for one in streams}

        def claim(current: Operation) -> Operation:
            for attempt in current.attempts:
                if attempt.number in holds and self._may_open(attempt, visit.run, now):
                    leased = replace(attempt, lease_until=holds[attempt.number], lease_run=visit.run)
                    current = current.with_attempt(leased)
            return current

        due_in = max(holds.values()) - now + _HOLD_MARGIN
        return self._revise(operation, claim, due_in=due_in)

    def answers(self, operation: Operation, visit: Visit) -> Iterator[Answer]:
        """Every live attempt's answer, as it comes: one stream must not keep another waiting.

        Between them `None` as the answer, when the deadline comes while a stream is still open.
        """
        live = [attempt for attempt in operation.attempts if attempt.live]
        with ThreadPoolExecutor(max_workers=max(1, len(live))) as pool:
            asked = {pool.submit(self._heard, operation, attempt, visit): attempt for attempt in live}
            open_until = None if operation.done else max(operation.deadline - self._clock.now(), 0.0)
            try:
                for answer in as_completed(asked, open_until):
                    yield asked.pop(answer), answer
            except TimeoutError:
                streams = [attempt for attempt in asked.values() if self._is_stream(attempt)]
                yield from ((attempt, None) for attempt in streams[:1])
                for answer in as_completed(asked):
                    yield asked[answer], answer

    def unleased(self, operation: Operation, attempt: Attempt, before: Operation, visit: Visit) -> Operation:
        """Give back the claim to a stream that could not be opened: nobody heard more of it than `before`."""
        if not (attempt.overheard and attempt.lease_run == visit.run):
            return operation
        [earlier] = (one for one in before.attempts if one.number == attempt.number)
        closed = replace(attempt, lease_until=min(earlier.lease_until, self._clock.now()))

        def give_back(current: Operation) -> Operation:
            return current.with_attempt(closed) if attempt in current.attempts else current

        return self._revise(operation, give_back, due_in=LONGEST_WAIT + _HOLD_MARGIN)

    def _heard(self, operation: Operation, attempt: Attempt, visit: Visit) -> Heard:
        """Ask, and note how long a stream was silent. One that spoke at once may have had its result for long."""
        began = self._clock.now()
        check = self._ask(operation, attempt, visit)
        if not isinstance(check, Ready) or not self._is_stream(attempt):
            return Heard(check)
        now = self._clock.now()
        return Heard(check, now if now - began > _AT_ONCE else 0.0)

    def _ask(self, operation: Operation, attempt: Attempt, visit: Visit) -> Check:
        now = self._clock.now()
        if _forgotten(operation, attempt, now):
            return Failed(_FORGOTTEN)
        if attempt.state is AttemptState.READY:
            return Ready(attempt.sources, (), attempt.seed, attempt.revised_prompts, attempt.usage)
        if attempt.state is AttemptState.SUBMITTING:
            return Failed(_LOST_SUBMITTER) if attempt.lease_until <= now else Pending(attempt.lease_until - now)
        if self._is_stream(attempt) and not (attempt.lease_run == visit.run and attempt.lease_until > now):
            return Pending(max(self._plan.opens_at(attempt), attempt.lease_until) - now)
        provider = self._providers(attempt.provider)
        leased = attempt.lease_until - _HOLD_MARGIN
        hold_until = leased if self._is_stream(attempt) else self._hold_until(operation, attempt, visit)
        try:
            return provider.check(Ticket(attempt.ticket or {}), hold_until)
        except UpstreamError as error:
            return self._unanswered(operation, attempt, error.failure)

    def _unanswered(self, operation: Operation, attempt: Attempt, failure: Failure) -> Check:
        """The look failed. While somebody waits, a stream that cannot be opened is given up in favour of another."""
        now = self._clock.now()
        if not self._is_stream(attempt):
            return Pending(failure.retry_after)
        if not operation.done and now > self._plan.done_by(attempt) + _OPENING:
            return Failed(replace(failure, code=FailureCode.UPSTREAM_TIMEOUT))
        return Pending(max(failure.retry_after or 0.0, (now - attempt.started_at) * RARER, _AT_ONCE))

    def _is_stream(self, attempt: Attempt) -> bool:
        submitted = attempt.state is AttemptState.SUBMITTED
        return submitted and self._providers(attempt.provider).limits.waits is Waits.HOLD

    def _may_open(self, attempt: Attempt, run: str, now: float) -> bool:
        free = attempt.lease_until <= now or attempt.lease_run == run
        return attempt.state is AttemptState.SUBMITTED and free and self._plan.opens_at(attempt) <= now + ROUNDING

    def _hold_until(self, operation: Operation, attempt: Attempt, visit: Visit) -> float:
        now = self._clock.now()
        until = min(now + self._providers(attempt.provider).limits.hold_seconds, visit.ends_at - _BRINGING_HOME)
        if not operation.done:
            until = min(until, max(operation.deadline, now) + _AFTERMATH)
        return min(until, max(self._plan.done_by(attempt), now + _SECOND_HEARING)) if attempt.overheard else until


def _forgotten(operation: Operation, attempt: Attempt, now: float) -> bool:
    """True when nobody waits for the job any more and its upstream need not have kept it either."""
    return operation.done and attempt.state is not AttemptState.SUBMITTING and attempt.keep_until <= now
