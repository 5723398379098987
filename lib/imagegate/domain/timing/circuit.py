"""A circuit breaker for a provider that keeps failing. Pure.

Closed: requests pass. After FAILURES failed operations in a row it opens, and no request passes. Then one request
probes (half-open), and its outcome closes the circuit or opens it for longer.
"""

from dataclasses import dataclass, replace
from typing import Self

from imagegate.domain.failure import FailureCode

FAILURES = 5
_FIRST_OPEN = 15.0
_LONGEST_OPEN = 300.0
_PROBE = 60.0
"""Seconds for which one request has the half-open circuit to itself."""
PROVIDER_FAULTS = {
    FailureCode.UPSTREAM_FAILED,
    FailureCode.UPSTREAM_TIMEOUT,
    FailureCode.AMBIGUOUS,
    FailureCode.BAD_PAYLOAD,
    FailureCode.NOT_FOUND,
}
"""Failures that are the fault of the provider, not of the request or of our account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """What is remembered of a provider's last failures. Times are seconds since the epoch."""

    failures: int = 0
    """In a row, of one operation after another: what fails again and again may be at fault itself."""
    open_until: float = 0.0
    operations: tuple[str, ...] = ()
    """Those that failed last, FAILURES at most."""
    probed: bool = False
    """True since one request began to try whether it is well again, until that is known."""

    def failed(self, now: float, operation_id: str) -> "Circuit":
        """One failure more, unless one of that operation was counted already.

        While it is open that counts for nothing: the jobs that it had when it fell ill may fail by the hundred.
        """
        repeated = self.failures < FAILURES and operation_id in self.operations
        spared = self.failures >= FAILURES and now < self.open_until and not self.probed
        if repeated or spared:
            return self
        failures, operations = self.failures + 1, (*self.operations, operation_id)[-FAILURES:]
        if failures < FAILURES:
            return replace(self, failures=failures, operations=operations)
        seconds = min(_FIRST_OPEN * 2 ** min(failures - FAILURES, 10), _LONGEST_OPEN)
        return Circuit(failures=failures, open_until=now + seconds, operations=operations)

    def probing(self, now: float) -> Self | None:
        """The circuit while one request probes; `None` when there is nothing to probe."""
        if self.failures < FAILURES or now < self.open_until:
            return None
        return replace(self, open_until=now + _PROBE, probed=True)
