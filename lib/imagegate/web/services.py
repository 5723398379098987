"""What the HTTP front needs, handed in by wiring."""

from collections.abc import Callable
from dataclasses import dataclass

from imagegate import settings, wiring
from imagegate.domain.operation import Operation
from imagegate.domain.route import Routes
from imagegate.ports import Clock, ImageStore
from imagegate.usecases.read import Read
from imagegate.usecases.start import Start


@dataclass(frozen=True, slots=True)
class Services:
    """The use cases and ports behind the routes."""

    start: Start
    read: Read
    images: ImageStore
    routes: Routes
    clock: Clock
    count_waiting: Callable[[Operation, int], None]
    """OperationStore.count_waiting."""
    hold_seconds: float
    """How long a POST may be held for its picture."""


def wired() -> Services:
    """The services of this deployment."""
    return Services(
        start=wiring.start(),
        read=wiring.read(),
        images=wiring.images(),
        routes=wiring.routes(),
        clock=wiring.clock(),
        count_waiting=wiring.store().count_waiting,
        hold_seconds=settings.current().hold_seconds,
    )
