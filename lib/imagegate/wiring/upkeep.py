"""What ends or restarts operations that nobody drives."""

from imagegate.wiring import shared
from imagegate.workflow.fail import Fail
from imagegate.workflow.sweep import Sweep


def fail() -> Fail:
    """The use case `fail`."""
    return Fail(shared.store(), shared.update_with_retry(), shared.clock())


def sweep() -> Sweep:
    """The use case `sweep`."""
    return Sweep(shared.store(), shared.workflow(), shared.telemetry(), shared.update_with_retry(), shared.clock())
