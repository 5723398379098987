"""Sweep works on all shards at once, ends in time, and one bad operation stops no other."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.operation.operation import Operation
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.usecases.update import UpdateWithRetry
from imagegate.workflow.sweep import LONGEST, Sweep
from support.fakes import FakeClock, MemoryTelemetry

SHARDS, EACH = 4, 3
ONE = Operation(
    id="0" * 20,
    owner="o",
    dialect="operations",
    request=ImageRequest(model="flux", messages=(Message("a cat"),)),
    created_at=1.0,
    updated_at=1.0,
    deadline=9e9,
    due_at=0.0,
)


class World:
    """A table in shards, and a workflow."""

    def __init__(self) -> None:
        self.clock, self.telemetry = FakeClock(), MemoryTelemetry()
        self.started = list[str]()
        self.on_read = lambda: None
        self.bad, self.room = "", SHARDS * EACH
        self.written = dict[str, Operation]()

    def due(self, now: float) -> list[Iterator[Operation]]:
        return [self._shard(shard) for shard in range(SHARDS)]

    def _shard(self, shard: int) -> Iterator[Operation]:
        for number in range(EACH):
            self.on_read()
            yield replace(ONE, id=f"{shard}-{number}")

    def replace(self, operation: Operation, reservation: Any = None) -> None:
        if operation.id == self.bad:
            raise OSError("no")
        self.written[operation.id] = operation

    def start(self, operation_id: str, execution: str) -> bool:
        if len(self.started) >= self.room:
            return False
        self.started.append(operation_id)
        return True

    def sweep(self) -> int:
        this: Any = self
        update = UpdateWithRetry(store=this, clock=self.clock)
        return Sweep(store=this, workflow=this, telemetry=self.telemetry, update=update, clock=self.clock)()


def test_every_shard_is_swept() -> None:
    world = World()
    assert world.sweep() == SHARDS * EACH
    assert sorted(world.started) == [f"{shard}-{number}" for shard in range(SHARDS) for number in range(EACH)]
    [(restarted, overdue)] = world.telemetry.sweeps
    assert (restarted, overdue) == (SHARDS * EACH, world.clock.now())


def test_the_shards_are_read_at_the_same_time() -> None:
    """No shard gets on before all have begun."""
    world, together = World(), threading.Barrier(SHARDS, timeout=60)
    world.on_read = together.wait  # type: ignore[assignment]
    assert world.sweep() == SHARDS * EACH


def test_one_that_cannot_be_written_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.bad = "1-0"
    assert world.sweep() == SHARDS * EACH - 1
    assert "operation 1-0 cannot be restarted" in caplog.text


def test_what_the_workflow_refuses_stays_due() -> None:
    """The others were not touched; each is tried by the next sweep."""
    world = World()
    world.room = 3
    assert world.sweep() == 3
    refused = [operation for name, operation in world.written.items() if name not in world.started]
    assert 0 < len(refused) <= SHARDS, "at most one of each shard"
    assert all(operation.due_at <= world.clock.now() for operation in refused)
    assert all(world.written[name].due_at > world.clock.now() for name in world.started)


def test_it_ends_before_lambda_ends_it() -> None:
    world = World()
    world.on_read = lambda: world.clock.sleep(LONGEST)
    assert world.sweep() < SHARDS * EACH
    assert world.telemetry.sweeps, "what it has done is reported"
