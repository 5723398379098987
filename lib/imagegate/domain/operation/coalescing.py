"""When a repeated request belongs to an operation that is already there. Pure.

Two kinds of key lead from a request to its operation. A caller's Idempotency-Key says outright what is a
repetition. Without one, a synchronous client's retry is recognised by what it repeats: owner, dialect and
canonical body; such clients post again after a 503, a timeout or a broken connection, and only some say so.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagegate.domain.errors import ImagegateError
from imagegate.domain.operation.operation import Operation

AFTERLIFE = 600.0
"""Seconds after its end during which an operation still answers a request that repeats its body."""


KEY_LIFE = 24 * 3600.0
"""Seconds, at least, for which an Idempotency-Key leads to its operation."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The operation that owns a key."""

    operation_id: str
    waiting: int = 0
    """Callers that were answered "still waiting" and have not seen the end."""


class Claimed(ImagegateError):
    """The key already belongs to an operation."""

    def __init__(self, claim: Claim) -> None:
        super().__init__(f"owned by operation {claim.operation_id}")
        self.claim = claim


def key_claim(owner: str, idempotency_key: str) -> str:
    """The claim that an Idempotency-Key makes."""
    return f"key#{owner}#{hashlib.sha256(idempotency_key.encode()).hexdigest()[:32]}"


def body_claim(owner: str, dialect: str, body_digest: str) -> str:
    """The claim that a synchronous client's body makes."""
    return f"same#{owner}#{dialect}#{body_digest}"


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


def resumes_wait(claim: Claim, repeated: bool) -> bool:
    """True when a request continues an interrupted wait: it is marked as a retry, or a caller is still waiting."""
    return repeated or claim.waiting > 0


def answers_repeat(
    existing: Operation, claim: Claim, repeated: bool, now: float, *, retry_invited: bool = True
) -> bool:
    """True when a request with the same claim is answered by `existing` instead of a new operation.

    `retry_invited`: a failure that cost nothing was answered with "try again", so a repetition makes a new attempt. In
    all other cases an Idempotency-Key finds its operation. For a body, `repeated`: the client marks it as a retry. An
    unmarked repetition after a delivered answer is a new request.
    """
    if not existing.done:
        return True
    if retry_invited and existing.failure and existing.failure.certainly_free:
        return False
    if (existing.claim or "").startswith("key#"):
        return True
    return now - (existing.ended_at or 0) <= AFTERLIFE and resumes_wait(claim, repeated)
