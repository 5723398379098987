"""How fast `sweep` restarts operations after an outage: `make bench NAME=sweep [N=800]`.

One run: shard after shard, as before, and as it is. Each call of the table and of Step Functions takes CALL seconds,
and no CPU; what the CPU of the calls adds at the template's memory is arithmetic on CPU_MS.
"""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any
from unittest import mock

from benchmarks.cost_usage import DOCUMENT, FULL_SPEED
from imagegate.adapters.clock import SystemClock
from imagegate.domain.operation.operation import Operation
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.usecases.update import UpdateWithRetry
from imagegate.workflow import sweep
from support.fakes import MemoryTelemetry

CALL = 0.010
"""Seconds of one call: DynamoDB's and Step Functions' answers take 4 to 12 ms."""
CPU_MS = 0.75
"""CPU of one call by botocore, by `make bench NAME=requests`."""
CALLS = 3
"""A read, a write and StartExecution."""
SHARDS = 16


class Slow:
    """A table and a state machine whose calls take their time."""

    def __init__(self, operations: list[Operation], *, in_shards: bool) -> None:
        self._operations = operations
        self._in_shards = in_shards

    def due(self, now: float) -> list[Iterator[Operation]]:
        shards = [self._shard(shard) for shard in range(SHARDS)]
        return shards if self._in_shards else [chain.from_iterable(shards)]

    def _shard(self, shard: int) -> Iterator[Operation]:
        time.sleep(CALL)  # the query
        for operation in self._operations[shard::SHARDS]:
            time.sleep(CALL)  # its read
            yield operation

    def replace(self, operation: Operation, reservation: Any = None) -> None:
        time.sleep(CALL)

    def start(self, operation_id: str, execution: str) -> bool:
        time.sleep(CALL)
        return True


def restarts_a_second(operations: list[Operation], *, in_shards: bool) -> float:
    """Of one sweep that finds them all."""
    slow: Any = Slow(operations, in_shards=in_shards)
    swept = sweep.Sweep(
        store=slow,
        workflow=slow,
        telemetry=MemoryTelemetry(),
        update=UpdateWithRetry(store=slow, clock=SystemClock()),
        clock=SystemClock(),
    )
    began = time.monotonic()
    with mock.patch.object(sweep, "LONGEST", 600.0):
        assert swept() == len(operations)
    return len(operations) / (time.monotonic() - began)


def main() -> None:
    """Both, then the last line."""
    n, now = int(os.environ.get("N", "800")), time.time()
    request = ImageRequest(model="flux", messages=(Message("a cat"),))
    one = Operation(
        id="0" * 20,
        owner="o",
        dialect="operations",
        request=request,
        created_at=now,
        updated_at=now,
        deadline=now + 900,
        due_at=0.0,
    )
    operations = [replace(one, id=f"{number:020}") for number in range(n)]
    before = restarts_a_second(operations[: n // 8], in_shards=False)
    after = restarts_a_second(operations, in_shards=True)
    memory = DOCUMENT["Resources"]["SweepFunction"]["Properties"]["MemorySize"]
    by_cpu = 1000 / (CALLS * CPU_MS * FULL_SPEED / memory)
    print(f"one after the other {before:6.0f} restarts/s")
    print(f"shards in threads   {after:6.0f} restarts/s; the CPU of {memory} MB allows {by_cpu:.0f}")
    figures = {"serial": round(before, 1), "threads": round(after, 1), "by_cpu": round(by_cpu, 1)}
    print(json.dumps({"n": n, **figures, "restarts_a_second": min(figures["threads"], figures["by_cpu"])}))


if __name__ == "__main__":
    main()
