"""Retry a failed or cancelled operation under the same id."""

from dataclasses import dataclass, replace

from imagegate.domain.access.api_key import ApiKey
from imagegate.domain.access.ledger import UNLIMITED, open_account
from imagegate.domain.errors import WrongState
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.request.routes import Routes
from imagegate.ports.runtime import Clock
from imagegate.usecases.start_workflow import StartWorkflow
from imagegate.usecases.update import UpdateWithRetry

_START_GRACE = 60.0
MOST_ATTEMPTS = 100
"""Attempts after which an operation cannot be retried: a DynamoDB item has at most 400 KB."""

MOST_RETRIES = 10
"""Retries of an operation: each makes three announcements and at least one upstream job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Queues an ended operation again; its pictures and attempts are kept."""

    update: UpdateWithRetry
    start_workflow: StartWorkflow
    routes: Routes
    clock: Clock

    def __call__(self, operation: Operation, key: ApiKey | None = None) -> Operation:
        """Queue the operation again, with as much time as at first; its further use is reserved for `key`.

        Raises WrongState, RateLimited, and UnknownModel, ModelNotAvailable or InvalidRequest when its route changed.
        """
        # With the current routes: a change of them may be what lets it succeed.
        request = self.routes.accept(replace(operation.request, routes=None))
        now, route = self.clock.now(), self.routes.resolve(request, operation.model)

        def queue(current: Operation) -> Operation:
            if current.done and current.request.private:
                raise WrongState(
                    f"The prompt of operation {current.id} was not kept because of x-data-logging-enabled.",
                    remedy="Send the request again.",
                )
            if len(current.attempts) >= MOST_ATTEMPTS:
                raise WrongState(
                    f"Operation {current.id} has been tried {len(current.attempts)} times.", remedy="Start a new one."
                )
            if current.retries >= MOST_RETRIES:
                raise WrongState(
                    f"Operation {current.id} has been retried {current.retries} times.", remedy="Start a new one."
                )
            if current.state not in (State.FAILED, State.CANCELLED):
                raise _wrong_state(current)
            account = open_account(key, route, current.request.n - len(current.pictures), now)
            changes = {
                "failure": None,
                "retried_after": len(current.attempts),
                "account": account,
                "model": route.model,
            }
            again = current.moved(State.QUEUED, now, request=replace(current.request, routes=request.routes), **changes)
            deadline = now + current.deadline - current.waiting_since
            return replace(again, deadline=deadline, retries=current.retries + 1)

        limits = key.limits if key else UNLIMITED
        queued = self.update(operation, queue, sweep_after=_START_GRACE, limits=limits)
        self.start_workflow(queued.id, execution=f"{queued.id}-{queued.version}")
        return queued


def _wrong_state(operation: Operation) -> WrongState:
    if operation.state is State.SUCCEEDED:
        return WrongState(f"Operation {operation.id} has succeeded.", remedy="For other pictures start a new one.")
    return WrongState(f"Operation {operation.id} is {operation.state}.", remedy="Wait until it has ended.")
