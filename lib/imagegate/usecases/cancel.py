"""Cancel an operation for its owner."""

from dataclasses import dataclass

from imagegate.domain.errors import WrongState
from imagegate.domain.operation.operation import Operation, State
from imagegate.ports.runtime import Clock
from imagegate.usecases.start_workflow import StartWorkflow
from imagegate.usecases.update import UpdateWithRetry

_RELEASE_GRACE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Ends an operation at once; the workflow then cancels its jobs at upstreams that can cancel."""

    update: UpdateWithRetry
    start_workflow: StartWorkflow
    clock: Clock

    def __call__(self, operation: Operation) -> Operation:
        """Cancel an operation and return it; one that was already cancelled is returned unchanged.

        Raises WrongState when it has ended otherwise.
        """
        now = self.clock.now()

        def end(current: Operation) -> Operation:
            if current.state in (State.SUCCEEDED, State.FAILED):
                raise WrongState(
                    f"Operation {current.id} has {current.state}.", remedy="There is nothing left to cancel."
                )
            return current if current.state is State.CANCELLED else current.moved(State.CANCELLED, now)

        cancelled = self.update(operation, end, sweep_after=_RELEASE_GRACE)
        if any(attempt.live for attempt in cancelled.attempts):
            self.start_workflow(cancelled.id, execution=f"{cancelled.id}-{cancelled.version}")
        return cancelled
