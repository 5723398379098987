"""What lets a wait go on from one request to the next, and how many requests may wait at once. Pure (docs/adr/0019).

A wait begins with a request that shows an API key, and goes on over the links of its redirects. A link lives for ten
minutes since the key was last shown, and no longer than the key.
"""

import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from imagegate.domain.access.api_key import ApiKey

LIFE = 600.0
"""Seconds for which a wait goes on without its key."""
_PER_WAIT = 2
_PER_OPERATION = 2
"""How many requests may wait all the time; more than twice as many may for a moment."""
_LONGEST_HOLD = 60
"""Seconds of a bucket's minute that one request takes at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitPass:
    """The right to wait for one operation."""

    key: ApiKey
    """The key that was shown last."""
    wait_id: str
    """What all the links of one wait have in common."""
    expires: float
    """When its links cease to work, in seconds since the epoch."""
    shown: bool = True
    """False when the request came by a link and showed no key."""
    linked: bool = False
    """True when the request came by a link."""

    @classmethod
    def begin(cls, key: ApiKey, now: float) -> Self:
        """For a request that shows `key`."""
        return cls(key=key, wait_id=secrets.token_hex(6), expires=now + LIFE)

    def renewed(self, key: ApiKey, now: float) -> Self:
        """For a request that came by a link and shows `key` as well."""
        return replace(self, key=key, expires=now + LIFE, shown=True)

    @property
    def buckets(self) -> Mapping[str, int]:
        """What the request is counted in, and how many seconds of waiting each takes a minute."""
        limits, buckets = self.key.limits, dict[str, int]()
        if self.linked and (not self.shown or limits.requests_per_minute):
            buckets[f"wait#{self.wait_id}"] = 60 * _PER_WAIT
        if limits.concurrent:
            buckets[f"waits#{self.key.id}"] = 60 * _PER_OPERATION * limits.concurrent
        return buckets


def cost_of(seconds: float) -> int:
    """What a request that waits for so many seconds takes from its buckets."""
    return min(_LONGEST_HOLD, math.ceil(seconds))
