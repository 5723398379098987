"""Begin what is asked for by an event."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from imagegate.domain.access.api_key import Principal
from imagegate.domain.errors import QuotaExhausted, RateLimited, RequestError
from imagegate.ports.messaging import DeadLetters
from imagegate.ports.runtime import Clock
from imagegate.usecases.start import GenerationRequest, Start

PATIENCE = 86_400.0
"""Seconds after which a request that its key's limits keep waiting is put aside."""
PAUSE, LONGEST_PAUSE = 120.0, 900.0
"""Seconds, at least and at most, before a request that has to wait is received again: thousands may be waiting."""


@dataclass(frozen=True, slots=True)
class RequestEvent:
    """What an event asks for."""

    generation: GenerationRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Starts operations in the name of one principal; what is refused is put aside, for nobody waits for an answer."""

    parse: Callable[[str], RequestEvent]
    """Raises InvalidRequest."""
    start: Start
    principal: Callable[[], Principal]
    """Raises Unauthenticated when there is none, or no longer."""
    dead_letters: DeadLetters
    clock: Clock

    def __call__(self, message: str, sent_at: float) -> float | None:
        """Begin what `message` asks for, or put it aside with the reason.

        `sent_at`: when it came to the queue, in seconds since the epoch; the event's own `time` is the producer's word.
        Returns the seconds after which it has to be received again, because its key's limits do not allow it now; None
        when it is settled. Whatever else is raised means that nothing was done, and that it has to be delivered again.
        """
        try:
            requested, principal = self.parse(message), self.principal()
            return self._start_or_wait(requested, principal, sent_at)
        except RequestError as error:
            self.dead_letters.put(message, error.code, " ".join(filter(None, (error.message, error.remedy))))
        return None

    def _start_or_wait(self, requested: RequestEvent, principal: Principal, sent_at: float) -> float | None:
        """A key that has too much under way makes a request wait: nobody is there to ask again.

        What is over a day's limit is put aside, for somebody has to know.
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
