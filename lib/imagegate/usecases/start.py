"""Accept a request: write it down, set it going, answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from imagegate.domain.ids import new_id
from imagegate.domain.operation import Operation
from imagegate.domain.request import ImageRequest
from imagegate.domain.route import Routes
from imagegate.ports import Clock, OperationStore, Workflow

DEFAULT_DEADLINE = 15 * 60.0
_START_GRACE = 60.0


@dataclass(frozen=True, slots=True)
class Ask:
    """A request as a dialect understood it."""

    request: ImageRequest
    dialect: str
    reply: Mapping[str, str] = field(default_factory=dict)
    """How the dialect has to answer."""
    deadline: float = DEFAULT_DEADLINE
    """Seconds the caller is willing to wait in all."""


class Start:
    """Turns an Ask into a durable, running operation."""

    def __init__(self, store: OperationStore, workflow: Workflow, routes: Routes, clock: Clock) -> None:
        self._store = store
        self._workflow = workflow
        self._routes = routes
        self._clock = clock

    def __call__(self, ask: Ask, owner: str) -> Operation:
        """Write the operation, start its workflow, return it.

        Raises UnknownModel or InvalidRequest before anything is written. Once it is written the
        operation will run: if the workflow cannot be started now, `sweep` does it.
        """
        self._routes.of(ask.request)
        now = self._clock.now()
        operation = Operation(
            id=new_id(now),
            owner=owner,
            dialect=ask.dialect,
            request=ask.request,
            reply=ask.reply,
            created_at=now,
            updated_at=now,
            deadline=now + ask.deadline,
            due_at=now + _START_GRACE,
        )
        self._store.create(operation)
        self._workflow.start(operation.id, run=operation.id)
        return operation
