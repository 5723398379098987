"""The clock, the workflow, telemetry, and links."""

from collections.abc import Callable
from typing import Protocol

from imagegate.domain.failure import Failure
from imagegate.domain.operation.attempt import Attempt
from imagegate.domain.operation.operation import Operation


class Clock(Protocol):
    """Time."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Workflow(Protocol):
    """Runs an operation's executions."""

    def start(self, operation_id: str, execution: str) -> bool:
        """Start driving. Doing it twice with the same `execution` (<= 80 characters) starts once.

        False after an error that will pass: `sweep` starts the written operation when it is due. An error that does not
        pass by itself (rights, configuration) raises.
        """


class Steps(Protocol):
    """Has steps taken without an execution, which would keep the time until the next one."""

    def take(self, operation_id: str, last_poll_at: float = 0.0, poll_count: int = 0) -> None:
        """Have the operation submitted or polled now, in another function; returns without waiting for it.

        `last_poll_at`: time of the poll before, in seconds since the epoch; 0: there was none. `poll_count`: how many
        there were. Does not raise for an error that will pass, because `sweep` restarts the operation when it is due.
        """


class Telemetry(Protocol):
    """Metrics for the operator of the deployment; never a prompt."""

    def attempt(self, operation: Operation, attempt: Attempt, poll_count: int = 0, unseen: float = 0.0) -> None:
        """An attempt ended.

        `poll_count`: invocations of Poll for it, or steps of its client; 0 when its submission polled inline. `unseen`:
        seconds for which its picture may have been ready before it was seen (an upper bound: the time between two
        polls).
        """

    def expansion(self, operation: Operation, seconds: float, failure: Failure | None) -> None:
        """A prompt was expanded after so many seconds, or not for `failure`; reported at least once."""

    def ended(self, operation: Operation) -> None:
        """An operation has ended; reported at least once, rarely twice."""

    def unknown_delivery(self, operation_id: str, sequence: int) -> None:
        """A message named a delivery that was never recorded, or is no longer kept; nothing was sent."""

    def swept(self, restarted: int, overdue: float) -> None:
        """A sweep restarted so many operations; the oldest was due `overdue` seconds ago. Zeros: all is well."""


QueueRedelivery = Callable[[str, int], None]
"""Queues the delivery of an operation's event, by operation id and sequence."""


PictureLink = Callable[[Operation, int], str]
"""Makes the path of the picture in a slot."""
