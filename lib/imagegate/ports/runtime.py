"""What operations run on: time, the workflow, figures, links."""

from collections.abc import Callable
from typing import Protocol

from imagegate.domain.errors import Failure
from imagegate.domain.operation.attempt import Attempt
from imagegate.domain.operation.operation import Operation


class Clock(Protocol):
    """Time."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Workflow(Protocol):
    """What drives an operation to its end."""

    def start(self, operation_id: str, run: str) -> None:
        """Start driving. Doing it twice with the same `run` (<= 80 characters) starts once.

        Returns also when it cannot be started now, for what will pass: the operation is written, and `sweep` starts
        it when it is due. What does not pass by itself (rights, configuration) raises.
        """


class Telemetry(Protocol):
    """Figures for whoever runs the deployment; never a prompt."""

    def attempt(self, operation: Operation, attempt: Attempt, poll_count: int = 0, unseen: float = 0.0) -> None:
        """An attempt ended.

        `looks`: how often the workflow visited Poll for it; 0 when its submission stayed for it. `unseen`: how many
        seconds its picture may have been ready before it was seen (an upper bound: the time between two looks).
        """

    def expansion(self, operation: Operation, seconds: float, failure: Failure | None) -> None:
        """A prompt was expanded, or why it was not, after so many seconds; told at least once."""

    def ended(self, operation: Operation) -> None:
        """An operation has reached one of its last states; told at least once, rarely twice."""

    def unknown_delivery(self, operation_id: str, sequence: int) -> None:
        """Somebody asked for a delivery that was never recorded, or is no longer kept; nothing was sent."""

    def swept(self, restarted: int, overdue: float) -> None:
        """A sweep restarted so many operations; somebody should have touched the worst `overdue` seconds ago."""


QueueRedelivery = Callable[[str, int], None]
"""Has the delivery of an operation's event (its sequence) begun anew."""


PictureLink = Callable[[Operation, int], str]
"""The path that leads to the picture in a slot."""
