"""The operation: one durable request for pictures, and the one table of its transitions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from imagegate.domain.errors import WrongState
from imagegate.domain.failure import Failure
from imagegate.domain.operation.account import Account
from imagegate.domain.operation.attempt import STATE_RANK, Attempt, AttemptState
from imagegate.domain.operation.partial import Partial
from imagegate.domain.operation.picture import Picture
from imagegate.domain.operation.usage import Usage, sum_usage
from imagegate.domain.request.request import ImageRequest
from imagegate.domain.webhooks.webhook import Webhook


class State(StrEnum):
    """Where an operation stands; it only moves forward."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


TRANSITIONS: Mapping[State, frozenset[State]] = {
    # Directly to its end when it was retried and its earlier jobs yielded every picture after all.
    State.QUEUED: frozenset({State.RUNNING, State.SUCCEEDED, State.FAILED, State.CANCELLED}),
    State.RUNNING: frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED}),
    State.SUCCEEDED: frozenset(),
    # Only a caller's retry (docs/adr/0004) leads back.
    State.FAILED: frozenset({State.QUEUED}),
    State.CANCELLED: frozenset({State.QUEUED}),
}
ENDED = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A durable request. Values are never changed: `usecases.update` writes the next `version`."""

    id: str
    owner: str
    dialect: str
    request: ImageRequest
    created_at: float
    deadline: float
    """Seconds since the epoch after which waiting ends."""
    due_at: float
    """When `sweep` restarts it unless it has been written since."""
    reply: Mapping[str, str] = field(default_factory=dict)
    """What the dialect needs to render the answer, for instance `response_format`."""
    model: str = ""
    """The route that serves it; `request.model` may be one of its aliases."""
    claim: str | None = None
    """The key under which repeated requests find this operation (domain/operation/coalescing.py)."""
    digest: str = ""
    """Digest of the canonical body; tells a repetition from another request."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """The caller's own metadata, returned and announced."""
    revised_prompt: str | None = None
    """The expanded prompt; written once, so that every submission uses the same."""
    not_expanded: Failure | None = None
    """Why the prompt was not expanded although the caller requested it."""
    webhook: Webhook | None = None
    """The receiver of its announcements, besides the bus."""
    retried_after: int = 0
    """The number of attempts at the caller's last retry."""
    retries: int = 0
    """The number of the caller's retries."""
    queued_at: float = 0.0
    """Time of the last retry; 0: none."""
    state: State = State.QUEUED
    version: int = 1
    updated_at: float = 0.0
    started_at: float | None = None
    ended_at: float | None = None
    attempts: tuple[Attempt, ...] = ()
    pictures: tuple[Picture, ...] = ()
    partials: tuple[Partial, ...] = ()
    """Partial pictures in the order in which they came."""
    failure: Failure | None = None
    account: Account | None = None
    """`None` when its API key has no limit that counts its usage."""
    by_client: bool | None = None
    """True while no execution drives it: the requests of the client that waits have each of its steps taken."""

    @property
    def done(self) -> bool:
        """True in the three final states."""
        return self.state in ENDED

    @property
    def untouched(self) -> bool:
        """True until the first step of its workflow has run."""
        return self.version == 1

    @property
    def waiting_since(self) -> float:
        """When its deadline began to run."""
        return self.queued_at or self.created_at

    @property
    def has_live_jobs(self) -> bool:
        """True when the operation has ended and still has jobs to poll or to cancel."""
        return self.done and any(attempt.live for attempt in self.attempts)

    def prompt_for(self, attempt: Attempt) -> str | None:
        """The prompt that replaces the caller's for the attempt's provider; `None`: the caller's own."""
        return attempt.prompt or self.revised_prompt

    @property
    def awaits_expansion(self) -> bool:
        """True while nothing may be submitted because the prompt is still to be expanded."""
        is_expanded = self.revised_prompt is not None or self.not_expanded is not None
        return self.request.expand and not is_expanded and not self.done

    @property
    def late_pictures(self) -> tuple[Picture, ...]:
        """Pictures that came after the end."""
        return tuple(picture for picture in self.pictures if picture.late)

    @property
    def may_have_cost(self) -> bool:
        """True when an upstream has, or may have, begun to work, and may charge for it."""
        return any(attempt.may_have_cost for attempt in self.attempts)

    @property
    def counted_attempts(self) -> tuple[Attempt, ...]:
        """The attempts since the caller's last retry: those before it do not use up a provider's turns."""
        return self.attempts[self.retried_after :]

    @property
    def provider(self) -> str | None:
        """The provider that made the first picture."""
        return self.pictures[0].provider if self.pictures else None

    @property
    def usage(self) -> Usage | None:
        """The tokens of all pictures, when every upstream that made one reports them."""
        return sum_usage(attempt.usage for attempt in self.attempts if attempt.state is AttemptState.DONE)

    @property
    def missing_slots(self) -> tuple[int, ...]:
        """Slots with neither a picture nor a live attempt."""
        covered = {picture.slot for picture in self.pictures}
        covered.update(slot for attempt in self.attempts if attempt.live for slot in attempt.slots)
        return tuple(slot for slot in range(self.request.n) if slot not in covered)

    def moved(self, state: State, now: float, **changes: Any) -> Self:
        """The operation in another state, with `changes` applied at `now` (seconds since the epoch).

        Raises WrongState when the transition table has no such step.
        """
        if state not in TRANSITIONS[self.state]:
            raise WrongState(f"operation {self.id} is {self.state} and cannot become {state}")
        if state is State.QUEUED:
            changes |= {"started_at": None, "ended_at": None, "queued_at": now}
        else:
            changes["started_at" if state is State.RUNNING else "ended_at"] = now
        if self.request.private and state in ENDED:
            changes |= {"request": self.request.redacted(), "revised_prompt": None}
            changes["attempts"] = tuple(attempt.redacted() for attempt in self.attempts)
        return replace(self, state=state, **changes)

    def expanded(self, prompt: str) -> Self:
        """The operation with its expanded prompt, unless its prompt is already decided."""
        return replace(self, revised_prompt=prompt) if self.awaits_expansion else self

    def without_expansion(self, failure: Failure) -> Self:
        """The operation with the caller's own prompt, unless its prompt is already decided."""
        return replace(self, not_expanded=failure) if self.awaits_expansion else self

    def with_attempt(self, attempt: Attempt) -> Self:
        """The operation with `attempt` added, or put in place of the one with its number."""
        if self.done and self.request.private:
            attempt = attempt.redacted()
        others = tuple(other for other in self.attempts if other.number != attempt.number)
        return replace(self, attempts=tuple(sorted((*others, attempt), key=lambda attempt: attempt.number)))

    def merge_attempt(self, attempt: Attempt) -> Self:
        """The operation with an execution's report on one of its attempts, unless it knows more (STATE_RANK).

        An unknown attempt becomes live again when its ticket arrives late, unless its slots are taken.
        """
        [known] = (known for known in self.attempts if known.number == attempt.number)
        if attempt.repeats < known.repeats:
            return self
        given_up = known.state is AttemptState.UNKNOWN and attempt.live
        taken = given_up and not set(attempt.slots) <= set(self.missing_slots)
        if not taken and STATE_RANK.index(attempt.state) > STATE_RANK.index(known.state):
            return self.with_attempt(attempt)
        if attempt.ticket is not None and known.ticket is None:
            return self.with_attempt(replace(known, ticket=attempt.ticket, keep_until=attempt.keep_until))
        return self

    def reopen_lost(self, now: float) -> Self:
        """The operation with unknown attempts reopened whose tickets arrived late.

        Only those whose slots are free and whose upstream still keeps the result at `now`.
        """
        operation = self
        for attempt in self.attempts:
            found = attempt.state is AttemptState.UNKNOWN and attempt.ticket is not None and attempt.keep_until > now
            if found and set(attempt.slots) <= set(operation.missing_slots):
                submitted = replace(attempt, state=AttemptState.SUBMITTED, failure=None, ended_at=None)
                operation = operation.with_attempt(submitted)
        return operation

    def with_pictures(self, pictures: tuple[Picture, ...]) -> Self:
        """The operation with `pictures` in their slots; a slot already filled keeps its picture."""
        filled = {picture.slot for picture in self.pictures}
        added = tuple(picture for picture in pictures if picture.slot not in filled)
        return replace(self, pictures=tuple(sorted((*self.pictures, *added), key=lambda picture: picture.slot)))

    def with_partial(self, partial: Partial) -> Self:
        """The operation with one more partial picture, unless it has ended."""
        return self if self.done else replace(self, partials=(*self.partials, partial))

    def complete_if_done(self, now: float) -> Self:
        """The operation, succeeded if every slot has its picture and it has not ended otherwise."""
        if self.done or len(self.pictures) < self.request.n:
            return self
        return self.moved(State.SUCCEEDED, now)
