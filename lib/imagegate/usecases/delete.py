"""Delete an operation: its record, its pictures and partial pictures, its inputs, and its webhook deliveries."""

from dataclasses import dataclass

from imagegate.domain.errors import Conflict, WrongState
from imagegate.domain.operation.operation import Operation
from imagegate.ports.messaging import Deliveries
from imagegate.ports.storage import ImageStore, OperationStore

_TRIES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Deletes an ended operation and everything that belongs to it."""

    store: OperationStore
    images: ImageStore
    deliveries: Deliveries

    def __call__(self, operation: Operation) -> None:
        """Remove the record first, so that losing a race against a retry removes nothing; then pictures and deliveries.

        The bucket's lifecycle and the table's TTL remove what a crash leaves behind. Raises WrongState while the
        operation runs, and Conflict when other writers win again and again.
        """
        removed = self._remove_record(operation)
        sent = [picture.key for picture in removed.request.pictures_sent]
        kept = [key for picture in removed.pictures for key in picture.keys]
        kept += [partial.key for partial in removed.partials]
        self.images.delete([*kept, *sent])
        if removed.webhook:
            self.deliveries.forget(removed.id)

    def _remove_record(self, operation: Operation) -> Operation:
        """Remove the record, unless it is already gone; returns the operation as it was then."""
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
        raise Conflict(f"too many concurrent writers of operation {operation.id}")
