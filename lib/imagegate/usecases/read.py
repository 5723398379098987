"""Read an operation that belongs to the caller."""

from imagegate.domain.errors import UnknownOperation
from imagegate.domain.ids import is_id
from imagegate.domain.operation import Operation
from imagegate.ports import OperationStore


class Read:
    """Finds operations; somebody else's do not exist."""

    def __init__(self, store: OperationStore) -> None:
        self._store = store

    def __call__(self, operation_id: str, owner: str, *, consistent: bool = False) -> Operation:
        """The operation. Raises UnknownOperation for a malformed id, none, or a foreign one."""
        operation = self._store.get(operation_id, consistent=consistent) if is_id(operation_id) else None
        if operation is None or operation.owner != owner:
            raise UnknownOperation(
                f"Operation '{operation_id}' does not exist.",
                remedy="Check the id; operations are kept for a limited time.",
            )
        return operation
