"""Eventually consistent reads: code that changes an operation reads the last written version."""

from dataclasses import dataclass

import pytest

from imagegate.domain.access.ledger import Reservation
from imagegate.domain.operation.operation import Operation, State
from support.fakes import MemoryStore
from support.world import World, ready


@dataclass
class LaggingStore(MemoryStore):
    """Sees nothing yet, unless it is asked for what was written last."""

    def get(self, operation_id: str, *, consistent: bool = False) -> Operation | None:
        return super().get(operation_id) if consistent else None

    def replace(self, operation: Operation, reservation: Reservation | None = None) -> None:
        MemoryStore(self.documents, self.history, self.claims, self.usage_ledger).replace(operation, reservation)


def world() -> World:
    made = World(store=LaggingStore())
    made.alpha.checks = [ready()]
    return made


def stored(one: World, operation: Operation) -> Operation:
    found = one.store.get(operation.id, consistent=True)
    assert found
    return found


@pytest.mark.parametrize("expand", [False, True])
def test_an_operation_is_driven_to_its_end(expand: bool) -> None:
    one = world()
    operation = one.begun(expand=expand)
    one.now = lambda operation: stored(one, operation)  # type: ignore[method-assign]
    assert one.drive(operation).state is State.SUCCEEDED


def test_an_execution_that_broke_down_fails_its_operation() -> None:
    one = world()
    operation = one.begun()
    one.fail(operation.id, "States.Timeout")
    assert stored(one, operation).state is State.FAILED
