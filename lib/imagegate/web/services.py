"""What the HTTP front needs, handed in by wiring."""

from dataclasses import dataclass

from imagegate import settings, wiring
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
    hold_seconds: float
    """How long a POST may be held; a hop of the wait route gets two seconds more."""


def wired() -> Services:
    """The services of this deployment."""
    return Services(
        start=wiring.start(),
        read=wiring.read(),
        images=wiring.images(),
        routes=wiring.routes(),
        clock=wiring.clock(),
        hold_seconds=settings.current().hold_seconds,
    )
