"""Start operations that are requested by events."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from imagegate.domain.access.api_key import Principal
from imagegate.domain.errors import QuotaExhausted, RateLimited, RequestError
from imagegate.ports.messaging import DeadLetters
from imagegate.ports.runtime import Clock
from imagegate.usecases.start import GenerationRequest, Start

PATIENCE = 86_400.0
"""Seconds after which a request that exceeds its key's limits becomes a dead letter."""
PAUSE, LONGEST_PAUSE = 120.0, 900.0
"""Minimum and maximum seconds before a waiting request is received again; thousands may be waiting."""


@dataclass(frozen=True, slots=True)
class RequestEvent:
    """The request in an event."""

    generation: GenerationRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Starts operations for one principal. A refused request becomes a dead letter, because no caller waits for it."""

    parse: Callable[[str], RequestEvent]
    """Raises InvalidRequest."""
    start: Start
    principal: Callable[[], Principal]
    """Raises Unauthenticated when there is none, or no longer."""
    dead_letters: DeadLetters
    clock: Clock

    def __call__(self, message: str, sent_at: float) -> float | None:
        """Start the operation that `message` requests, or make the message a dead letter with the reason.

        `sent_at`: when the queue got it, in seconds since the epoch; the event's own `time` comes from its producer.
        Returns the seconds after which the message must be received again, because its key's limits do not allow the
        request now; `None` when it is finished. Any other error means that nothing was done, and that the message must
        be received again.
        """
        try:
            requested, principal = self.parse(message), self.principal()
            return self._start_or_wait(requested, principal, sent_at)
        except RequestError as error:
            self.dead_letters.put(message, error.code, " ".join(filter(None, (error.message, error.remedy))))
        return None

    def _start_or_wait(self, requested: RequestEvent, principal: Principal, sent_at: float) -> float | None:
        """Start the operation, or return the seconds to wait when the key has too many running operations.

        A request beyond a daily limit raises, so that its dead letter shows it.
        """
        try:
            self.start(requested.generation, principal)
        except RateLimited as limited:
            too_long = self.clock.now() - sent_at > PATIENCE
            if isinstance(limited, QuotaExhausted) or limited.retry_after is None or too_long:
                raise
            spread = random.uniform(1, 2)  # noqa: S311 - spreads those who wait, no secret
            return min(LONGEST_PAUSE, max(PAUSE, limited.retry_after) * spread)
        return None
