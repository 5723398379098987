"""When a repeated request belongs to an operation that is already there. Pure (DESIGN.md §6.5).

Clients repeat a POST after a 503, a timeout or a broken connection, and only some say so. The key is what
they repeat: owner, dialect and canonical body.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagegate.domain.errors import ImagegateError
from imagegate.domain.operation import Operation

AFTERLIFE = 600.0
"""Seconds after its end during which an operation still answers a repeated request."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The operation that holds a key."""

    operation_id: str
    waiting: int = 0
    """How many callers were told "still waiting" and not yet how it ended."""


class Claimed(ImagegateError):
    """The key already has a holder."""

    def __init__(self, claim: Claim) -> None:
        super().__init__(f"held by operation {claim.operation_id}")
        self.claim = claim


def digest(document: Mapping[str, Any]) -> str:
    """The canonical body as 32 hex digits: order of keys and nulls make no difference."""
    present = {name: value for name, value in document.items() if value is not None}
    canonical = json.dumps(present, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(canonical).hexdigest()[:32]


def continues(claim: Claim, repeated: bool) -> bool:
    """True when a request takes up a wait that was broken off: it says so, or somebody was put off."""
    return repeated or claim.waiting > 0


def attaches(holder: Operation, claim: Claim, repeated: bool, now: float) -> bool:
    """True when a request with the holder's key is answered by it instead of making a new operation.

    `repeated`: the client says that this is a retry. A second prompt after a delivered answer is deliberate,
    and so is one after a failure that cost nothing and invited a second try.
    """
    if not holder.done:
        return True
    if holder.failure and holder.failure.surely_free:
        return False
    return now - (holder.ended_at or 0) <= AFTERLIFE and continues(claim, repeated)
