"""Restart operations that no execution drives.

Scenarios: tests/scenarios/test_crashes.py.
"""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from imagegate.domain.operation.operation import Operation
from imagegate.ports.runtime import Clock, Telemetry, Workflow
from imagegate.ports.storage import OverdueOperations
from imagegate.usecases.update import UpdateWithRetry

_NEXT_CHANCE = 300.0
_THREADS = 8
"""A restart is three calls that are waited for."""
LONGEST = 50.0
"""Seconds after which no further operation is restarted, so that the function ends before Lambda stops it. The next
sweep continues."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Runs on a schedule; restarts open operations whose `due_at` has passed."""

    store: OverdueOperations
    workflow: Workflow
    telemetry: Telemetry
    update: UpdateWithRetry
    clock: Clock

    def __call__(self) -> int:
        """Restart the workflow of every overdue operation; returns how many. An error of one is logged."""
        began = self.clock.now()
        with ThreadPoolExecutor(_THREADS) as pool:
            swept = list(pool.map(lambda shard: self._sweep(shard, began + LONGEST), self.store.due(began)))
        restarted = sum(count for count, _ in swept)
        self.telemetry.swept(restarted, max((overdue for _, overdue in swept), default=0.0))
        return restarted

    def _sweep(self, shard: Iterator[Operation], until: float) -> tuple[int, float]:
        """Restart the operations of a shard; returns how many, and how long the first was overdue in seconds."""
        count, overdue = 0, 0.0
        for found in shard:
            now = self.clock.now()
            if now >= until:
                break
            overdue = max(overdue, now - found.due_at)
            try:
                if not self._restart(found):
                    break
            except Exception:
                logging.exception("operation %s cannot be restarted", found.id)
            else:
                count += 1
        return count, overdue

    def _restart(self, found: Operation) -> bool:
        """False when the workflow takes no more at the moment; then the operation stays due, like those after it."""
        operation = self.update(found, _due, sweep_after=self._next_chance(found))
        started = self.workflow.start(operation.id, execution=f"{operation.id}-{operation.version}")
        if not started:
            self.update(operation, _due, sweep_after=0.0)
        return started

    def _next_chance(self, operation: Operation) -> float:
        """Seconds until it may be swept again; longer and longer once it has ended and only its jobs are polled."""
        age = self.clock.now() - operation.ended_at if operation.ended_at else 0.0
        return max(_NEXT_CHANCE, age / 4)


def _due(operation: Operation) -> Operation:
    """A change in nothing but when it is due."""
    return replace(operation, due_at=0)
