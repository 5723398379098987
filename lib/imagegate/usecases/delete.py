"""Forget an operation: its record and its pictures."""

from imagegate.domain.errors import WrongState
from imagegate.domain.operation import Operation
from imagegate.ports import ImageStore, OperationStore


class Delete:
    """Removes what an ended operation has left."""

    def __init__(self, store: OperationStore, images: ImageStore) -> None:
        self._store = store
        self._images = images

    def __call__(self, operation: Operation) -> None:
        """Remove the pictures, then the record, so that nothing is left that nobody can find.

        Raises WrongState while it runs, and Conflict when it changed in between.
        """
        if not operation.done:
            raise WrongState(f"Operation {operation.id} is {operation.state}.", remedy="Cancel it first.")
        self._images.delete([picture.key for picture in operation.pictures])
        self._store.delete(operation)
