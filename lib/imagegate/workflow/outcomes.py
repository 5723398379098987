"""Record how an attempt ended, and what follows for its operation."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from imagegate.domain.errors import QuotaExhausted
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.attempt import LIVE, Attempt, AttemptState
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.outcome import NOT_POLLED, PollHistory, Ready, Ticket
from imagegate.domain.operation.picture import Picture
from imagegate.domain.request.limits import CompletionMode
from imagegate.domain.timing.failover import last_failure
from imagegate.ports.runtime import Clock, Telemetry
from imagegate.ports.storage import Admission, Latencies
from imagegate.ports.upstreams import Provider, ProviderFor
from imagegate.usecases.update import UpdateWithRetry
from imagegate.workflow.claim_result import claim_result, is_claimed

if TYPE_CHECKING:
    from imagegate.workflow.store_pictures import StoredPictures

_FETCH_GRACE = 300.0
_FETCH_SECONDS = 120.0
"""Seconds for which a finished picture is fetched again before another provider is asked for one."""
_FIRST_HARVEST = 60.0
_STOPPED = Failure(FailureCode.CANCELLED, "No longer needed.")
_WHILE_SUBMITTING = Failure(FailureCode.AMBIGUOUS, "No longer needed while it was being submitted.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """The outcomes that Submit and Poll record."""

    store_pictures: Callable[[Operation, Attempt, Ready, Provider], StoredPictures]
    """`StorePictures`, which is loaded when the first picture is there."""
    providers: ProviderFor
    admission: Admission
    latencies: Latencies
    telemetry: Telemetry
    update: UpdateWithRetry
    clock: Clock

    def record_success(
        self,
        operation: Operation,
        attempt: Attempt,
        ready: Ready,
        history: PollHistory = NOT_POLLED,
        claimed_by: str = "",
    ) -> Operation:
        """Store the pictures that the upstream has made, and complete the operation when none is missing.

        URLs are written before the fetch, because some upstreams return them only once. A fetch whose error may pass
        is repeated at the next poll. `history`: the polls up to the last one that saw the job unfinished.
        `claimed_by`: the execution that finds the result, where others may find it at the same time: one stores it.
        """
        now = self.clock.now()
        noted = self._with_result(operation, attempt, ready, now)
        if claimed_by:
            operation = self.update(
                operation, lambda entry: claim_result(entry, noted, claimed_by, now), sweep_after=_FETCH_GRACE
            )
            [known] = (known for known in operation.attempts if known.number == attempt.number)
            if known.state is AttemptState.DONE or is_claimed(known, claimed_by, now):
                return operation
        elif ready.sources and attempt.state is not AttemptState.READY:
            operation = self.update(operation, lambda entry: entry.merge_attempt(noted), sweep_after=_FETCH_GRACE)
        stored = self.store_pictures(operation, noted, ready, self.providers(attempt.provider_key))
        brought = {picture.slot for picture in (*operation.pictures, *stored.pictures)}
        # While a caller waits, fetching is not retried for as long as the upstream keeps the result.
        fetch_until = noted.keep_until if operation.done else noted.ready_at + _FETCH_SECONDS
        if stored.retryable and now < fetch_until:
            operation = self._write_arrival(operation, noted, stored.pictures)
        elif stored.failure and not brought & set(noted.slots):
            operation = self.record_failure(operation, noted, _fetch_failure(stored.failure))
        else:
            operation = self._record_done(operation, noted, stored, history)
        if attempt.state is not AttemptState.READY:
            with _best_effort():
                earliest = self._earliest_ready(attempt, history.last_poll_at, now) - attempt.started_at
                self.latencies.observe(attempt.provider, attempt.model, earliest, now - attempt.started_at)
        return operation

    def _record_done(
        self, operation: Operation, attempt: Attempt, stored: StoredPictures, history: PollHistory
    ) -> Operation:
        """The attempt has yielded some or all of its pictures. A final refusal of one fails the operation."""
        now = self.clock.now()
        done = replace(
            attempt, state=AttemptState.DONE, failure=stored.failure, ended_at=now, revised_prompts=(), sources=()
        )
        written = self._write_arrival(operation, done, stored.pictures)
        with _best_effort():
            self.admission.report(attempt.provider, None, operation.id)
        with _best_effort():
            unseen = attempt.ready_at - self._earliest_ready(attempt, history.last_poll_at, attempt.ready_at)
            self.telemetry.attempt(written, done, history.poll_count, max(unseen, 0.0))
        since_retry = attempt.number > written.retried_after
        if stored.failure and stored.failure.final and since_retry:
            return self.fail(written, stored.failure)
        return written

    def _with_result(self, operation: Operation, attempt: Attempt, ready: Ready, now: float) -> Attempt:
        """The attempt with the result that the upstream reported."""
        known = attempt.state is AttemptState.READY
        attempt = attempt if known else attempt.reduced(len(ready.bodies) + len(ready.sources))
        return replace(
            attempt,
            state=AttemptState.READY,
            sources=ready.sources[: len(attempt.slots)],
            seed=attempt.seed if ready.seed is None else ready.seed,
            revised_prompts=() if operation.request.private else ready.revised_prompts,
            usage=ready.usage,
            micro_dollars=attempt.micro_dollars if ready.micro_dollars is None else ready.micro_dollars,
            keep_until=attempt.keep_until or now + self.providers(attempt.provider_key).limits.retention_seconds,
            ready_at=attempt.ready_at or now,
            lease_until=0.0,
        )

    def _write_arrival(self, operation: Operation, attempt: Attempt, pictures: tuple[Picture, ...]) -> Operation:
        """Write the attempt and the pictures that are now in S3."""
        now = self.clock.now()

        def arrive(current: Operation) -> Operation:
            arrived = tuple(replace(picture, late=current.done) for picture in pictures)
            changed = current.merge_attempt(attempt)
            return (changed.with_pictures(arrived) if arrived else changed).complete_if_done(now)

        return self.update(operation, arrive, sweep_after=_FETCH_GRACE)

    def record_failure(self, operation: Operation, attempt: Attempt, failure: Failure) -> Operation:
        """Record a failed attempt. Another provider is tried next, unless the request itself was refused."""
        if operation.request.private:
            failure = failure.redacted(attempt.provider)
        written, ended = self._write_failure(operation, attempt, failure)
        with _best_effort():
            self.admission.report(attempt.provider, failure.code, operation.id)
        with _best_effort():
            self.telemetry.attempt(written, ended)
        return written

    def _write_failure(self, operation: Operation, attempt: Attempt, failure: Failure) -> tuple[Operation, Attempt]:
        """Write the attempt as ended by `failure`; returns the operation and that attempt."""
        now = self.clock.now()
        unknown = failure.code is FailureCode.AMBIGUOUS and attempt.state is AttemptState.SUBMITTING
        partly = attempt.ready_at and any(picture.slot in attempt.slots for picture in operation.pictures)
        ended = replace(
            attempt,
            state=AttemptState.DONE if partly else AttemptState.UNKNOWN if unknown else AttemptState.FAILED,
            failure=failure,
            ended_at=now,
            lease_until=0.0,
            sources=(),
        )

        def end(current: Operation) -> Operation:
            noted = current.merge_attempt(ended)
            since_retry = attempt.number > current.retried_after
            if failure.final and since_retry and noted is not current and not noted.done:
                return noted.moved(State.FAILED, now, failure=failure)
            return noted

        return self.update(operation, end, sweep_after=_FETCH_GRACE), ended

    def cancel_jobs(self, operation: Operation) -> Operation:
        """Cancel the jobs of an operation that needs no more pictures, at upstreams that can cancel.

        An attempt that is still being submitted is recorded without blaming its provider; its submitter reports the
        outcome.
        """
        for attempt in operation.attempts:
            if attempt.ticket is not None and attempt.state in (*LIVE, AttemptState.UNKNOWN):
                with _best_effort():
                    self.providers(attempt.provider_key).cancel(Ticket(attempt.ticket))
            if attempt.state is AttemptState.SUBMITTING:
                operation, _ = self._write_failure(operation, attempt, _WHILE_SUBMITTING)
            elif attempt.live:
                operation = self.record_failure(operation, attempt, _STOPPED)
        return operation

    def fail_exhausted(self, operation: Operation, slot: int, over_budget: QuotaExhausted | None = None) -> Operation:
        """Fail the operation with the providers' last failure, after each has used up its attempts for `slot`.

        `over_budget`: the error for which some of them were not asked again.
        """
        attempts = [attempt for attempt in operation.counted_attempts if slot in attempt.slots]
        return self.fail(operation, _unaffordable(over_budget, attempts) if over_budget else last_failure(attempts))

    def fail_overdue(self, operation: Operation) -> Operation:
        """Fail the operation at its deadline. When no provider has accepted a job, their refusal is the reason."""
        late = Failure(FailureCode.DEADLINE_EXCEEDED, _overdue_message(operation))
        if operation.may_have_cost or not any(attempt.failure for attempt in operation.attempts):
            for attempt in operation.attempts:
                if attempt.state is AttemptState.SUBMITTED:
                    with _best_effort():
                        self.latencies.censor(attempt.provider, attempt.model, self.clock.now() - attempt.started_at)
            return self.fail(operation, late)
        return self.fail(operation, last_failure(operation.attempts))

    def fail(self, operation: Operation, failure: Failure) -> Operation:
        """Fail the operation for `failure`, unless it has already ended."""
        now = self.clock.now()

        def end(current: Operation) -> Operation:
            return current if current.done else current.moved(State.FAILED, now, failure=failure)

        return self.update(operation, end, sweep_after=_FIRST_HARVEST)

    def _earliest_ready(self, attempt: Attempt, last_poll_at: float, now: float) -> float:
        """The earliest time at which a job that is finished at `now` may have finished."""
        if self.providers(attempt.provider_key).limits.completion is CompletionMode.SYNC:
            return now
        return max(attempt.started_at, last_poll_at)


@contextmanager
def _best_effort() -> Iterator[None]:
    """Log the error of a side effect, which must never cost a picture."""
    try:
        yield
    except Exception:
        logging.exception("a side effect of an operation failed")


def _overdue_message(operation: Operation) -> str:
    """How long the operation had, the last failure of a provider, and how to allow more time."""
    seconds = round(operation.deadline - operation.waiting_since)
    message = f"No picture within the deadline of {seconds} s."
    if any(attempt.failure for attempt in operation.attempts):
        reason = last_failure(operation.attempts)
        message += f" The last reason: {reason.code}, {reason.message.rstrip('.')}."
    return f"{message} To allow more, set `deadline` in the request, or the deployment's DeadlineSeconds."


def _unaffordable(over_budget: QuotaExhausted, attempts: Sequence[Attempt]) -> Failure:
    """The failure of an operation whose budget allows no further attempt, after the providers' last failure."""
    text = f"{last_failure(attempts).message} " if attempts else ""
    return Failure(FailureCode.BUDGET_EXCEEDED, f"{text}No further attempt: {over_budget.message}")


def _fetch_failure(failure: Failure) -> Failure:
    """The failure of a fetch. Never a code that means that nothing was charged: the picture has been made."""
    return replace(failure, code=FailureCode.UPSTREAM_FAILED) if failure.certainly_free else failure
