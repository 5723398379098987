"""The hint of an upstream that a job has ended: its token, and the workflow execution that it starts. Pure.

A hint only makes the workflow poll now. What it says beyond that is not read; polling remains the truth.
"""

import hashlib
import hmac

from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.operation import Operation

HOOK_PATH = "/v1/hooks"
_EXECUTION = "-hook-"


def digest_of(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def hooked_attempt(operation: Operation, token: str) -> Attempt | None:
    """The attempt whose upstream was given that token; `None` when there is none."""
    digest = digest_of(token)
    return next((each for each in operation.attempts if hmac.compare_digest(each.hook_digest, digest)), None)


def is_waited_for(operation: Operation, attempt: Attempt) -> bool:
    """True while the attempt's job can be polled and its end is news."""
    return not operation.done and attempt.state is AttemptState.SUBMITTED


def execution_of(operation: Operation, attempt: Attempt) -> str:
    """The name of the execution that a hint starts: the same for each hint of one submission."""
    return f"{operation.id}{_EXECUTION}{attempt.number}-{attempt.repeats}"


def is_hooked(execution: str) -> bool:
    """True for an execution that a hint started."""
    return _EXECUTION in execution
