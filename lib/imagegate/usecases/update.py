"""Write the next version of an operation, and retry when another writer was first."""

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
"""Maximum seconds before the second try, doubled for each further try. The write may be of a ticket, so it is retried
often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateWithRetry:
    """Optimistic locking: applies a change, and applies it again to a version that another writer wrote first."""

    store: OperationStore
    clock: Clock

    def __call__(
        self, operation: Operation, change: Change, *, sweep_after: float, limits: KeyLimits = UNLIMITED
    ) -> Operation:
        """Write `change(operation)` and the API key's usage, and return the operation.

        `sweep_after`: seconds after which `sweep` restarts the operation. `limits`: of the key; they must hold
        afterwards.
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
                operation = self._read_again(operation.id)
                if operation == written:
                    return written  # this very write: its answer was lost, and the SDK repeated it
            else:
                return written
        raise Conflict(f"too many concurrent writers of operation {operation.id}")

    def _read_again(self, operation_id: str) -> Operation:
        operation = self.store.get(operation_id, consistent=True)
        if operation is None:
            raise UnknownOperation(f"operation {operation_id} is gone")
        return operation
