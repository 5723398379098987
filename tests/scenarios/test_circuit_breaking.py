"""A provider that fell ill is asked again as soon as it may be well, however many jobs it had."""

from contextlib import suppress
from dataclasses import dataclass, field

from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.attempt import AttemptState
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.outcome import Failed, Pending
from imagegate.domain.timing.circuit import PROVIDER_FAULTS, Circuit
from support.fakes import FakeClock, MemoryAdmission, routes
from support.unrest import Killed, before, die
from support.world import World, ready


@dataclass
class Circuits(MemoryAdmission):
    """The circuit of one provider, as the table keeps it."""

    clock: FakeClock = field(default_factory=FakeClock)
    circuit: Circuit = field(default_factory=Circuit)

    def admit(self, provider: str) -> float:
        probe = self.circuit.probing(self.clock.now())
        self.circuit = probe or self.circuit
        return 0.0 if probe else self.circuit.open_until

    def report(self, provider: str, failure: FailureCode | None, operation_id: str) -> None:
        if failure is None or failure in PROVIDER_FAULTS:
            self.circuit = self.circuit.failed(self.clock.now(), operation_id) if failure else Circuit()


def sick_with(jobs: int) -> World:
    """A deployment whose one provider has lost all its jobs at the same moment."""
    clock = FakeClock()
    world = World(clock, admission=Circuits(clock=clock), routes=routes("alpha"))
    world.alpha.checks = [Pending()]
    operations = [world.begun() for _ in range(jobs)]
    for operation in operations:
        world.submit(operation.id)
    world.alpha.checks = [Failed(Failure(FailureCode.UPSTREAM_FAILED, "Restarted."))]
    for operation in operations:
        world.poll(operation.id)
    return world


def test_a_hundred_jobs_lost_at_once_are_no_worse_than_five() -> None:
    """Each failure doubled the pause: after a short fault a busy provider was not called for five minutes."""
    assert sick_with(100).admission.admit("alpha") - sick_with(5).admission.admit("alpha") < 1


def test_a_probe_that_fails_doubles_the_pause_and_one_that_succeeds_ends_it() -> None:
    world = sick_with(5)
    admission, began = world.admission, world.clock.now()
    first = admission.admit("alpha") - began
    world.clock.sleep(first)
    assert admission.admit("alpha") <= world.clock.now()
    admission.report("alpha", FailureCode.UPSTREAM_FAILED, "the probe")
    admission.report("alpha", FailureCode.UPSTREAM_FAILED, "a job of before")
    assert admission.admit("alpha") - world.clock.now() == 2 * first
    world.clock.sleep(2 * first)
    admission.admit("alpha")
    admission.report("alpha", None, "the second probe")
    assert admission.admit("alpha") == 0.0


def test_who_cancels_during_a_submission_says_nothing_against_the_provider() -> None:
    """Five callers that did not wait for a synchronous upstream opened its circuit, and an alarm rang."""
    world = sick_with(0)
    world.alpha.submissions = [ready()]
    for _ in range(5):
        operation = world.begun()

        def cancel(operation: Operation = operation) -> None:
            world.cancel(world.now(operation))
            world.submit(operation.id, "the cancel's own run")

        before(world.alpha, "submit", cancel)
        before(world.alpha, "submit", die, after=True)
        with suppress(Killed):
            world.submit(operation.id)
        assert world.now(operation).attempts[0].state is AttemptState.UNKNOWN
    assert world.admission.admit("alpha") == 0.0
    assert not world.telemetry.attempts
