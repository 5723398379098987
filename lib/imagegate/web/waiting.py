"""The bridge for synchronous clients: hold, then redirect, then say honestly that it takes longer."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from imagegate.dialects import operations
from imagegate.dialects.answer import Answer
from imagegate.domain.operation import Operation
from imagegate.domain.waiting import Client, Verdict, client_of, decide, pause
from imagegate.usecases.start import Started
from imagegate.web import presenting
from imagegate.web.preferences import Preferences, preferences_of
from imagegate.web.respond import respond, respond_at_any_size
from imagegate.web.services import Services

HOP = 27 / 25
"""A hop of the wait route is held a little longer than the POST, whose function may have had to start first."""
RETRY_AFTER = 30
"""Below the 60 s above which some clients fall back to their own short backoff (reference §2)."""


@dataclass(frozen=True, slots=True)
class Waiter:
    """One request that waits for an operation."""

    services: Services
    client: Client
    preferences: Preferences
    hop: int = 0
    """Redirects followed so far."""
    continues: bool = False
    """True when the request takes up a wait that was broken off."""

    def wait(self, operation: Operation) -> Response:
        """Hold the request as long as allowed, then answer in the dialect that asked."""
        clock, hold = self.services.clock, self._hold()
        began = clock.now()
        while True:
            held = clock.now() - began
            verdict = decide(operation.done, held, hold, self.hop, self.client)
            if verdict is not Verdict.HOLD:
                return self._respond(verdict, operation)
            clock.sleep(min(pause(held, 0), hold - held))
            last = clock.now() - began >= hold
            operation = self.services.read(operation.id, operation.owner, consistent=last)

    def _hold(self) -> float:
        limit = self.services.hold_seconds * (HOP if self.hop else 1)
        wait = self.preferences.wait
        if self.preferences.respond_async:
            return min(wait or 0, limit)
        return limit if wait is None else min(wait, limit)

    def _respond(self, verdict: Verdict, operation: Operation) -> Response:
        applied = self.preferences.applied(self._hold())
        if verdict is Verdict.ANSWER:
            self._count(operation, -1, self.hop > 0 or self.continues)
            answer = presenting.ended(operation, self.services.images)
            return respond_at_any_size(answer.with_headers(applied), operation, self.services.images)
        if self.preferences.respond_async:
            return respond(operations.accepted(operation, RETRY_AFTER).with_headers(applied))
        self._count(operation, +1, self.hop == 0 and not self.continues)
        unfinished = self._give_up(operation) if verdict is Verdict.GIVE_UP else self._redirect(operation)
        return respond(unfinished.with_headers(applied))

    def _count(self, operation: Operation, change: int, applies: bool) -> None:
        """Keep book of who was put off, so that a repeated POST is told from a second order."""
        if operation.same and applies:
            self.services.count_waiting(operation, change)

    def _redirect(self, operation: Operation) -> Answer:
        location = f"/v1/operations/{operation.id}/wait?hop={self.hop + 1}"
        return Answer(303, presenting.unfinished(operation), {"location": location})

    def _give_up(self, operation: Operation) -> Answer:
        answer = presenting.out_of_patience(operation, 503 if self.client.repeats else 504)
        headers = {"retry-after": str(RETRY_AFTER), "location": f"/v1/operations/{operation.id}/wait"}
        repeat = {"x-should-retry": "true"} if self.client.repeats else {}
        return answer.with_headers(headers | repeat)


def wait_for(request: Request, services: Services, operation: Operation, hop: int) -> Response:
    """Let a request of the wait route wait for `operation`."""
    return _waiter(request, services, hop, False).wait(operation)


def wait_for_started(request: Request, services: Services, started: Started) -> Response:
    """Let the POST that started (or repeated) an operation wait for it."""
    return _waiter(request, services, 0, started.continues).wait(started.operation)


def _waiter(request: Request, services: Services, hop: int, continues: bool) -> Waiter:
    client = client_of(request.headers.get("user-agent", ""))
    return Waiter(services, client, preferences_of(request), hop, continues)
