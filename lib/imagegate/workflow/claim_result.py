"""Let one execution alone store a finished picture, where several may find it.

Scenarios: tests/scenarios/test_client_steps_at_once.py.
"""

from dataclasses import replace

from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.operation import Operation

STORING_SECONDS = 10.0
"""Seconds in which a picture is usually fetched, checked and stored; then another execution may store it."""


def claim_result(operation: Operation, attempt: Attempt, execution: str, now: float) -> Operation:
    """The operation with `attempt`, which is ready, leased to `execution`; unchanged when another one has or had it."""
    [known] = (known for known in operation.attempts if known.number == attempt.number)
    if not known.live or is_claimed(known, execution, now):
        return operation
    # URLs are kept for the next execution; bytes, the upstream has to send again.
    held = attempt if attempt.sources and known.state is not AttemptState.READY else known
    until = max(known.lease_until, now + STORING_SECONDS)
    return operation.with_attempt(replace(held, lease_until=until, lease_run=execution))


def is_claimed(attempt: Attempt, execution: str, now: float) -> bool:
    """True while another execution than `execution` has a lease on the attempt."""
    return attempt.lease_until > now and attempt.lease_run not in ("", execution)
