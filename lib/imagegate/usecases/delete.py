"""Forget an operation: its record, its pictures, those it was made from, and what was announced of it to a webhook."""

from dataclasses import dataclass

from imagegate.domain.errors import Conflict, WrongState
from imagegate.domain.operation.operation import Operation
from imagegate.ports.messaging import Deliveries
from imagegate.ports.storage import ImageStore, OperationStore

_TRIES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Removes what an ended operation has left."""

    store: OperationStore
    images: ImageStore
    deliveries: Deliveries

    def __call__(self, operation: Operation) -> None:
        """Remove the record, then the pictures and deliveries: who loses a race against a retry takes nothing from it.

        What a crash in between leaves, the bucket's lifecycle and the table's TTL remove. Raises WrongState while it
        runs, and Conflict when others write it again and again.
        """
        removed = self._removed(operation)
        sent = [picture.key for picture in removed.request.pictures_sent]
        self.images.delete([*(picture.key for picture in removed.pictures), *sent])
        if removed.webhook:
            self.deliveries.forget(removed.id)

    def _removed(self, operation: Operation) -> Operation:
        """The operation as it was when its record went, by our hand or another's."""
        for _ in range(_TRIES):
            if not operation.done:
                raise WrongState(f"Operation {operation.id} is {operation.state}.", remedy="Cancel it first.")
            try:
                self.store.delete(operation)
            except Conflict:
                current = self.store.get(operation.id, consistent=True)
                if current is None:
                    return operation
                operation = current
            else:
                return operation
        raise Conflict(f"operation {operation.id} is written by too many at once")
