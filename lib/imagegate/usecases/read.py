"""Read an operation that belongs to the caller."""

from dataclasses import dataclass

from imagegate.domain.errors import Gone, UnknownOperation
from imagegate.domain.operation.ids import created_at, is_id
from imagegate.domain.operation.operation import Operation
from imagegate.ports.runtime import Clock
from imagegate.ports.storage import OperationStore

_DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Finds operations; an operation of another owner does not exist for the caller."""

    store: OperationStore
    clock: Clock
    retention_days: float

    def __call__(self, operation_id: str, owner: str, *, consistent: bool = False) -> Operation:
        """The operation.

        Raises UnknownOperation for a malformed id, none, or a foreign one, and Gone when the id is older than
        operations are kept: ids tell their age, so that needs no record.
        """
        if is_id(operation_id):
            # The cheaper read may lag behind, and a client that reads at once must not get 404.
            for surely in (True,) if consistent else (False, True):
                operation = self.store.get(operation_id, consistent=surely)
                if operation is not None and operation.owner == owner:
                    return operation
        raise self._absent(operation_id)

    def _absent(self, operation_id: str) -> Gone | UnknownOperation:
        days = round(self.retention_days)
        if is_id(operation_id) and 0 < created_at(operation_id) < self.clock.now() - self.retention_days * _DAY:
            return Gone(
                f"Operation '{operation_id}' is older than the {days} days for which operations are kept.",
                remedy="It cannot be restored; start a new one.",
            )
        return UnknownOperation(
            f"Operation '{operation_id}' does not exist.",
            remedy=f"Check the id; operations are kept for {days} days.",
        )
