"""What ends or restarts operations that nobody drives."""

from imagegate.usecases.fail import Fail
from imagegate.usecases.sweep import Sweep
from imagegate.wiring import shared


def fail() -> Fail:
    """The use case `fail`."""
    return Fail(shared.store(), shared.revise(), shared.clock())


def sweep() -> Sweep:
    """The use case `sweep`."""
    return Sweep(shared.store(), shared.workflow(), shared.telemetry(), shared.revise(), shared.clock())
