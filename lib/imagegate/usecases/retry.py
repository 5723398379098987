"""Try a failed or cancelled operation again, under the same id."""

from dataclasses import replace

from imagegate.domain.operation import Operation, State
from imagegate.ports import Clock, Workflow
from imagegate.usecases.revise import Revise

_START_GRACE = 60.0


class Retry:
    """Puts an operation back to its beginning; pictures it has are kept, attempts stay on record."""

    def __init__(self, revise: Revise, workflow: Workflow, clock: Clock) -> None:
        self._revise = revise
        self._workflow = workflow
        self._clock = clock

    def __call__(self, operation: Operation) -> Operation:
        """The operation, queued again with a deadline as long as its first. Raises WrongState."""
        now = self._clock.now()

        def queue(current: Operation) -> Operation:
            again = current.moved(State.QUEUED, now, failure=None, retried_after=len(current.attempts))
            return replace(again, deadline=now + current.deadline - current.created_at)

        queued = self._revise(operation, queue, due_in=_START_GRACE)
        self._workflow.start(queued.id, run=f"{queued.id}-{queued.version}")
        return queued
