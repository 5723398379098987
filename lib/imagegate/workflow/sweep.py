"""Restart operations that no execution drives.

Scenarios: tests/scenarios/test_crashes.py.
"""

import logging
from dataclasses import dataclass, replace

from imagegate.domain.operation.operation import Operation
from imagegate.ports.runtime import Clock, Telemetry, Workflow
from imagegate.ports.storage import OverdueOperations
from imagegate.usecases.update import UpdateWithRetry

_NEXT_CHANCE = 300.0


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
        count, overdue = 0, 0.0
        for found in self.store.due(self.clock.now()):
            overdue = max(overdue, self.clock.now() - found.due_at)
            try:
                self._restart(found)
            except Exception:
                logging.exception("operation %s cannot be restarted", found.id)
            else:
                count += 1
        self.telemetry.swept(count, overdue)
        return count

    def _restart(self, found: Operation) -> None:
        operation = self.update(found, lambda current: replace(current, due_at=0), sweep_after=self._next_chance(found))
        self.workflow.start(operation.id, run=f"{operation.id}-{operation.version}")

    def _next_chance(self, operation: Operation) -> float:
        """Seconds until it may be swept again; longer and longer once it has ended and only its jobs are polled."""
        age = self.clock.now() - operation.ended_at if operation.ended_at else 0.0
        return max(_NEXT_CHANCE, age / 4)
