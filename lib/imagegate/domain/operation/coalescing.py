"""When a repeated request belongs to an operation that is already there. Pure (docs/adr/0028).

Two kinds of key lead from a request to its operation. A caller's Idempotency-Key says outright what is a
repetition. Without one, a synchronous client's retry repeats owner, dialect and canonical body. Second orders do that
too, so retries and orders are told apart by what has happened (docs/waiting.md#identical-requests).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagegate.domain.errors import ImagegateError
from imagegate.domain.operation.operation import Operation

BURST = 4.0
"""Seconds between arrivals within which identical requests are orders of their own. Clients that send several requests
at once need less than one; no client's default time limit is shorter than 5 s."""
AFTERLIFE = 600.0
"""Seconds after its end during which an operation still answers a request that repeats its body."""
KEY_LIFE = 24 * 3600.0
"""Seconds, at least, for which an Idempotency-Key leads to its operation."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The operation that owns an Idempotency-Key."""

    operation_id: str


class Claimed(ImagegateError):
    """The key already belongs to an operation."""

    def __init__(self, claim: Claim) -> None:
        super().__init__(f"owned by operation {claim.operation_id}")
        self.claim = claim


class BodyClaimChanged(ImagegateError):
    """A request that may be the same one has registered an operation since the claim was read."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """When and how a request came."""

    at: float
    """When API Gateway received it, in seconds since the epoch."""
    retry_count: int = 0
    """The client's own count of its retries; 0 for a request that is not marked as a retry."""

    def in_burst_with(self, moment: float) -> bool:
        """True when the request came so shortly after (or before) `moment` that it cannot follow a time-out."""
        return abs(self.at - moment) < BURST


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An operation that a request with the same body may repeat."""

    operation_id: str
    begun_at: float
    """When the request arrived that started the operation, in seconds since the epoch."""
    taken_at: float
    """When the last request arrived that the operation was given to."""
    retry_count: int = 0
    """The count of that request."""
    waiting: int = 0
    """Callers that were answered "still waiting" and have not seen the end."""
    invited: int = 0
    """Callers that were told to repeat their request and have not done so."""
    answered_at: float = 0.0
    """When a repetition or a redirected request was last answered with the operation's end; 0 if none was."""

    @property
    def owed(self) -> bool:
        """True when a caller has not seen the operation's end yet."""
        held = self.taken_at > self.begun_at and self.answered_at < self.taken_at
        return held or self.waiting > 0 or self.invited > 0

    def unanswered_until(self, ended_at: float) -> float:
        """Until when (seconds since the epoch) the last caller had no answer: who waited longest may have left."""
        return max(self.answered_at, ended_at)

    def suits(self, arrival: Arrival) -> bool:
        """True when the request may be a repetition of the one that this operation was last given to."""
        if self.invited:
            return True
        if arrival.retry_count > self.retry_count:
            return True
        # Other retries of the same count that come at once began with it when even the first requests were lost.
        return not arrival.in_burst_with(self.begun_at if arrival.retry_count else self.taken_at)


@dataclass(frozen=True, slots=True)
class BodyClaim:
    """The operations with the same owner, dialect and body."""

    candidates: Sequence[Candidate] = ()
    version: int = 0
    """Counts the registered operations."""
    expires_at: float = 0.0

    def choose(self, arrival: Arrival) -> list[Candidate]:
        """The candidates that suit, best first: callers told to come back, then the longest without a new request."""
        suiting = [candidate for candidate in self.candidates if candidate.suits(arrival)]
        return sorted(
            suiting, key=lambda each: (not each.invited, each.retry_count >= arrival.retry_count > 0, each.taken_at)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """How a new operation is added to the claim of its body."""

    arrival: Arrival
    seen: BodyClaim
    """The claim as it was read. BodyClaimChanged is raised if another request than one of the same burst changed it."""
    superseded: Sequence[str] = ()
    """Operations to remove from the claim: they answer no further request."""
    unread: bool = False
    """True when the claim was not read: BodyClaimChanged is raised if there is one."""


def key_claim(owner: str, idempotency_key: str) -> str:
    """The claim that an Idempotency-Key makes."""
    return f"key#{owner}#{hashlib.sha256(idempotency_key.encode()).hexdigest()[:32]}"


def body_claim(owner: str, dialect: str, body_digest: str) -> str:
    """The claim that a synchronous client's body makes."""
    return f"same#{owner}#{dialect}#{body_digest}"


def has_body_claim(operation: Operation) -> bool:
    """True when repetitions of the operation's body may find it."""
    return (operation.claim or "").startswith("same#")


def claim_expires_at(operation: Operation) -> float:
    """When the operation's claim expires, in seconds since the epoch."""
    if (operation.claim or "").startswith("key#"):
        return max(operation.deadline, operation.created_at + KEY_LIFE)
    return operation.deadline + AFTERLIFE


def digest(document: Mapping[str, Any]) -> str:
    """The canonical body as 32 hex digits: order of keys and nulls make no difference."""
    present = {name: value for name, value in document.items() if value is not None}
    canonical = json.dumps(present, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(canonical).hexdigest()[:32]


def answers_key(existing: Operation, *, retry_invited: bool) -> bool:
    """True when a request with the same Idempotency-Key is answered by `existing`.

    `retry_invited`: a failure that cost nothing was answered with "try again", so a repetition makes a new attempt.
    """
    return not (retry_invited and existing.failure and existing.failure.certainly_free)


def answers_body(existing: Operation, candidate: Candidate, arrival: Arrival, now: float) -> bool:
    """True when a request that `candidate` suits is answered by its operation, `existing`.

    An unmarked repetition after a delivered answer is a new request.
    """
    if not existing.done:
        return True
    if existing.failure and existing.failure.certainly_free:
        return False
    return now - (existing.ended_at or 0) <= AFTERLIFE and (arrival.retry_count > 0 or candidate.owed)
