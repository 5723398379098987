"""What the HTTP front needs, handed in by wiring."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from imagegate import settings, wiring
from imagegate.domain.operation import Operation
from imagegate.domain.request import ImageRequest
from imagegate.domain.route import Routes
from imagegate.domain.schedule import next_wait
from imagegate.ports import Claims, Clock, ImageStore, Listing
from imagegate.usecases.cancel import Cancel
from imagegate.usecases.delete import Delete
from imagegate.usecases.read import Read
from imagegate.usecases.retry import Retry
from imagegate.usecases.start import Start

_DAY = 86_400.0
_LONGEST_RETRY_AFTER = 59
"""Above 60 s some clients fall back to their own short backoff (reference/openai_images.md §2)."""


@dataclass(frozen=True, slots=True)
class Services:
    """The use cases and ports behind the routes."""

    start: Start
    read: Read
    cancel: Cancel
    retry: Retry
    delete: Delete
    estimate: Callable[[ImageRequest], dict[str, Any]]
    images: ImageStore
    listing: Listing
    claims: Claims
    routes: Routes
    clock: Clock
    hold_seconds: float
    """How long a POST may be held for its picture."""
    image_days: float
    """How long pictures are kept."""

    def retry_after(self, operation: Operation) -> int:
        """Whole seconds after which asking for the operation again is worth it."""
        now = self.clock.now()
        wait = next_wait(now - operation.created_at, operation.deadline - now)
        return min(wait, _LONGEST_RETRY_AFTER)

    def pictures_are_gone(self, operation: Operation) -> bool:
        """True when the bucket's lifecycle has removed the operation's pictures."""
        return self.clock.now() > (operation.ended_at or operation.created_at) + self.image_days * _DAY


def wired() -> Services:
    """The services of this deployment."""
    current = settings.current()
    return Services(
        start=wiring.start(),
        read=wiring.read(),
        cancel=wiring.cancel(),
        retry=wiring.retry(),
        delete=wiring.delete(),
        estimate=wiring.estimate(),
        images=wiring.images(),
        listing=wiring.listing(),
        claims=wiring.store(),
        routes=wiring.routes(),
        clock=wiring.clock(),
        hold_seconds=current.hold_seconds,
        image_days=current.image_days,
    )
