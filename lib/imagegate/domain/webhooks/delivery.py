"""The delivery of one announcement to a webhook: what was tried, and when to try next. Pure."""

from dataclasses import dataclass, replace
from enum import StrEnum

WAITS = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds from one attempt to the next: ten attempts in about three days, as Standard Webhooks suggests."""
LONGEST_WAIT = 86_400.0
_JITTER = 0.1
_KEPT = 30
"""Attempts that are remembered; only redelivery by hand makes more than ten."""
_GONE = 410
MOST_POSTS = 100
"""POSTs that one operation may make in all, because its receiver need not have agreed to any."""
LEASE_SECONDS = 25.0
"""How long one delivery may keep its host to itself: an attempt takes 18 s at most, its function has 30."""
_LONGEST_TURN = 300.0


def turn_wait(receives: int) -> float:
    """Seconds until a delivery asks again for its turn, the longer the more often it has come in vain."""
    return min(float(receives), _LONGEST_TURN)


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    """Every attempt failed; it lies in the dead-letter queue."""
    DISABLED = "disabled"
    """The receiver said 410 to this announcement or an earlier one: nothing more is sent there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAttempt:
    """One attempt."""

    at: float
    """Seconds since the epoch."""
    seconds: float
    """How long it took."""
    status: int | None = None
    """Of the response; `None` when there was none."""
    error: str | None = None
    """Why there was none, in a sentence."""
    retry_after: float | None = None
    """The receiver's `Retry-After` in seconds."""

    @property
    def succeeded(self) -> bool:
        """True when the receiver has taken it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def taken_or_gone(self) -> bool:
        """True when the receiver is well: it has taken it, or said that it wants no more."""
        return self.succeeded or self.status == _GONE

    @classmethod
    def spared(cls, now: float, until: float) -> "DeliveryAttempt":
        """An attempt that was not made, because the circuit of the host is open until `until`."""
        error = "Not sent: the last deliveries to this host have failed, so it is left alone for a while."
        return cls(at=now, seconds=0.0, error=error, retry_after=until - now)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How the waits are stretched."""

    scale: float = 1.0
    """Below 1 only to try things out."""
    chance: float = 0.5
    """A random number from 0 to 1, so that receivers that failed together are not retried together."""

    def delay(self, failures: int, retry_after: float | None) -> float | None:
        """Seconds to wait after so many failures in a row (1 or more); `None` when that was the last attempt."""
        if failures > len(WAITS):
            return None
        planned = WAITS[failures - 1] * self.scale * (1 - _JITTER + 2 * _JITTER * self.chance)
        return round(min(max(planned, retry_after or 0), LONGEST_WAIT * (1 + _JITTER)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An announcement on its way to a webhook. `usecases.deliver` writes the next `version`."""

    operation_id: str
    sequence: int
    event: str
    """Of `webhook.EVENTS`."""
    event_id: str
    body: str
    """What is sent, the same each time."""
    announced_at: float
    """When what it announces happened."""
    expires_at: float
    """When its operation's record goes."""
    message_id: str = ""
    """The message of the queue that drives it; another one of the same announcement is a duplicate."""
    state: DeliveryState = DeliveryState.PENDING
    tries: tuple[DeliveryAttempt, ...] = ()
    failures: int = 0
    """Since it was last begun."""
    next_at: float = 0.0
    version: int = 0

    @property
    def webhook_id(self) -> str:
        """`webhook-id`: the event's, without the full stop that separates what is signed."""
        return self.event_id.replace(".", "-")

    @property
    def at_last_attempt(self) -> bool:
        """True when the next attempt is the last one, unless the delivery is restarted."""
        return self.failures == len(WAITS)

    @property
    def outcome(self) -> str:
        """How many attempts there were since it was last begun, and how the last one ended."""
        last = self.tries[-1] if self.tries else None
        return f"{self.failures} attempts" + (f"; the last: {last.error}" if last and last.error else "")

    def restarted(self, message_id: str) -> "Delivery":
        """Restarted, and driven by that message."""
        return replace(self, message_id=message_id, state=DeliveryState.PENDING, failures=0, next_at=0.0)

    def with_attempt(self, attempt: DeliveryAttempt, retry_policy: RetryPolicy) -> "Delivery":
        """After one more attempt."""
        known = replace(self, tries=(*self.tries, attempt)[-_KEPT:])
        if attempt.succeeded:
            return replace(known, state=DeliveryState.DELIVERED)
        if attempt.status == _GONE:
            return known.disabled()
        wait = retry_policy.delay(self.failures + 1, attempt.retry_after)
        if wait is None:
            return replace(known, state=DeliveryState.DEAD, failures=self.failures + 1)
        return replace(known, failures=self.failures + 1, next_at=attempt.at + attempt.seconds + wait)

    def exhausted(self, now: float) -> "Delivery":
        """Given up, for its operation has made all the POSTs that it may."""
        attempt = DeliveryAttempt(
            at=now, seconds=0.0, error=f"Not sent: this operation has made the {MOST_POSTS} POSTs that it may."
        )
        return replace(self, tries=(*self.tries, attempt)[-_KEPT:], state=DeliveryState.DEAD)

    def disabled(self) -> "Delivery":
        """Given up, for the receiver wants no more."""
        return replace(self, state=DeliveryState.DISABLED)
