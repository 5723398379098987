"""Forget an operation: its record, its pictures, and what was announced of it to a webhook."""

from imagegate.domain.errors import WrongState
from imagegate.domain.operation import Operation
from imagegate.ports.keeping import ImageStore, OperationStore
from imagegate.ports.telling import Deliveries


class Delete:
    """Removes what an ended operation has left."""

    def __init__(self, store: OperationStore, images: ImageStore, deliveries: Deliveries) -> None:
        self._store = store
        self._images = images
        self._deliveries = deliveries

    def __call__(self, operation: Operation) -> None:
        """Remove the pictures and deliveries, then the record, so that nothing is left that nobody can find.

        Raises WrongState while it runs, and Conflict when it changed in between.
        """
        if not operation.done:
            raise WrongState(f"Operation {operation.id} is {operation.state}.", remedy="Cancel it first.")
        self._images.delete([picture.key for picture in operation.pictures])
        if operation.webhook:
            self._deliveries.forget(operation.id)
        self._store.delete(operation)
