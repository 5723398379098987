"""Write the next version of an operation, whoever else is writing."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from imagegate.domain.access.api_key import KeyLimits
from imagegate.domain.access.ledger import UNLIMITED, reserve
from imagegate.domain.errors import Conflict, UnknownOperation
from imagegate.domain.operation.operation import Operation
from imagegate.ports.runtime import Clock
from imagegate.ports.storage import OperationStore

Change = Callable[[Operation], Operation]
_TRIES = 8
_PAUSE = 0.01
"""Seconds, at most, before the second try; doubled for each further one. What is to be written may be a ticket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateWithRetry:
    """Optimistic writing: apply a change, and apply it anew to what somebody else wrote first."""

    store: OperationStore
    clock: Clock

    def __call__(
        self, operation: Operation, change: Change, *, sweep_after: float, limits: KeyLimits = UNLIMITED
    ) -> Operation:
        """Write `change(operation)`, book what it changes for its API key, and return it.

        `sweep_after`: seconds after which `sweep` may take the operation for abandoned. `limits`: those of the key that
        must hold afterwards.
        Raises whatever `change` raises, RateLimited when `limits` would not hold, and Conflict after eight lost races.
        """
        for lost in range(_TRIES):
            now = self.clock.now()
            changed = change(operation)
            if changed is operation:
                return operation
            written = replace(changed, version=operation.version + 1, updated_at=now, due_at=now + sweep_after)
            written, reservation = reserve(written, limits)
            try:
                self.store.replace(written, reservation)
            except Conflict:
                self.clock.sleep(random.uniform(0, _PAUSE * 2**lost))  # noqa: S311 - spreads writers, no secret
                operation = self._again(operation.id)
                if operation == written:
                    return written  # it was ours: the answer was lost, and the SDK wrote once more
            else:
                return written
        raise Conflict(f"operation {operation.id} is written by too many at once")

    def _again(self, operation_id: str) -> Operation:
        operation = self.store.get(operation_id, consistent=True)
        if operation is None:
            raise UnknownOperation(f"operation {operation_id} is gone")
        return operation
