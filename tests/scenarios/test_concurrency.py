"""Many drivers at once: however their steps interleave, each picture is asked for once and kept once."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from imagegate.domain.access.ledger import Reservation
from imagegate.domain.errors import Conflict, WrongState
from imagegate.domain.operation.document import dumps
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.outcome import Check, Pending, Ticket
from imagegate.domain.request.limits import CompletionMode
from imagegate.workflow.next_step import Step
from support import invariants
from support.fakes import MemoryLatencies, MemoryStore, ScriptedHttp
from support.moody import MoodyUpstream
from support.world import World

pytestmark = pytest.mark.slow

DRIVERS = 6
ROUNDS = 15
PATIENCE = 20.0


@dataclass
class SharedStore(MemoryStore):
    """One write at a time, as the table does it."""

    lock: Any = field(default_factory=threading.RLock)

    def replace(self, operation: Operation, reservation: Reservation | None = None) -> None:
        with self.lock:
            super().replace(operation, reservation)


@dataclass
class Prompt(MoodyUpstream):
    """An upstream whose jobs are ready at the third look; a stream it hands out once."""

    poll_count: dict[int, int] = field(default_factory=dict)

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        job = ticket.data["job"]
        with self._lock:
            self.poll_count[job] = self.poll_count.get(job, 0) + 1
            if self.waits is CompletionMode.STREAM:
                self.jobs[job] = "ready" if self.poll_count[job] == 1 else "lost"
            elif self.poll_count[job] < 3:
                return Pending()
            else:
                self.jobs[job] = "ready"
        return super().check(ticket, hold_until)


@dataclass
class Impatient:
    """Real time, but no wait is longer than what spreads those who write at once: eight lost races lose a stream."""

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.1))


@pytest.fixture(autouse=True)
def restless() -> Iterator[None]:
    """Threads change places as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def deployment(waits: CompletionMode = CompletionMode.POLL, mood: str = "ticket") -> World:
    alpha, beta = Prompt("alpha", waits, mood), Prompt("beta", waits)
    downloads = alpha.downloads | beta.downloads
    return World(
        clock=Impatient(),  # type: ignore[arg-type]
        store=SharedStore(),
        latencies=MemoryLatencies(expected_seconds=0.01),
        http=ScriptedHttp(downloads=downloads),
        alpha=alpha,  # type: ignore[arg-type]
        beta=beta,  # type: ignore[arg-type]
    )


def drive(world: World, operation: Operation, run: str) -> None:
    """What the state machine does, without waiting."""
    until, step = time.monotonic() + PATIENCE, Step(operation.id, "submit")
    while step.next != "done":
        assert time.monotonic() < until, (step, dumps(world.now(operation)))
        again = step.next == "submit"
        with suppress(Conflict):  # the workflow repeats a step that lost too many races
            step = world.submit(operation.id, run) if again else world.poll(operation.id, run, step.last_poll_at)


def together(*deeds: Callable[[], Any]) -> None:
    """All at once, and to the end of each."""
    barrier = threading.Barrier(len(deeds))

    def ready_steady(action: Callable[[], Any]) -> None:
        barrier.wait(PATIENCE)
        action()

    with ThreadPoolExecutor(len(deeds)) as pool:
        list(pool.map(ready_steady, deeds))


def drivers(world: World, operation: Operation) -> list[Callable[[], Any]]:
    return [lambda run=f"run-{number}": drive(world, operation, run) for number in range(DRIVERS)]  # type: ignore[misc]


def ended(world: World, operation: Operation) -> Operation:
    upstreams: list[Any] = [world.alpha, world.beta]
    invariants.hold(world.store.history, world.images.objects, upstreams)
    return world.now(operation)


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("waits", [CompletionMode.POLL, CompletionMode.STREAM])
def test_each_picture_is_asked_for_once(waits: CompletionMode, n: int) -> None:
    for _ in range(ROUNDS):
        world = deployment(waits)
        operation = world.begun(n)
        together(*drivers(world, operation))
        assert ended(world, operation).state is State.SUCCEEDED
        assert world.alpha.arrived + world.beta.arrived == n  # type: ignore[attr-defined]
        assert len(world.images.pictures) == n


@pytest.mark.parametrize("mood", ["failed", "ambiguous", "no_key", "throttled"])
def test_failover_loses_no_attempt_of_anybodys(mood: str) -> None:
    for _ in range(ROUNDS):
        world = deployment(mood=mood)
        operation = world.begun(2)
        together(*drivers(world, operation))
        assert ended(world, operation).state is State.SUCCEEDED


def test_whoever_ends_it_it_ends_once() -> None:
    for _ in range(ROUNDS):
        world = deployment()
        operation = world.begun(2)

        def cancel() -> None:
            with suppress(WrongState):
                world.cancel(world.now(operation))  # noqa: B023 - called before the next round

        together(*drivers(world, operation), cancel, lambda: world.fail(operation.id, "States.Timeout"))  # noqa: B023
        states = [operation.state for operation in world.store.history]
        assert ended(world, operation).done
        assert sum(before is not after for before, after in pairwise(states)) <= 2
