"""The bridge for synchronous clients: hold, then redirect, then say honestly that it takes longer."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from imagegate.dialects.answer import Answer
from imagegate.domain.operation import Operation
from imagegate.domain.waiting import Client, Verdict, client_of, decide, pause
from imagegate.web import presenting
from imagegate.web.respond import respond
from imagegate.web.services import Services

HOP_EXTRA = 2.0
RETRY_AFTER = 30
"""Below the 60 s above which some clients fall back to their own short backoff (reference §2)."""


@dataclass(frozen=True, slots=True)
class Waiter:
    """One request that waits for an operation."""

    services: Services
    client: Client
    hop: int

    def wait(self, operation: Operation) -> Response:
        """Hold the request as long as allowed, then answer in the dialect that asked."""
        clock = self.services.clock
        began = clock.now()
        hold = self.services.hold_seconds + (HOP_EXTRA if self.hop else 0)
        while True:
            held = clock.now() - began
            verdict = decide(operation.done, held, hold, self.hop, self.client)
            if verdict is not Verdict.HOLD:
                return self._respond(verdict, operation)
            clock.sleep(min(pause(held, 0), hold - held))
            last = clock.now() - began >= hold
            operation = self.services.read(operation.id, operation.owner, consistent=last)

    def _respond(self, verdict: Verdict, operation: Operation) -> Response:
        if verdict is Verdict.ANSWER:
            return respond(presenting.ended(operation, self.services.images))
        if verdict is Verdict.REDIRECT:
            location = f"/v1/operations/{operation.id}/wait?hop={self.hop + 1}"
            return respond(Answer(303, presenting.unfinished(operation), {"location": location}))
        return respond(self._give_up(operation))

    def _give_up(self, operation: Operation) -> Answer:
        answer = presenting.out_of_patience(operation, 503 if self.client.repeats else 504)
        headers = {"retry-after": str(RETRY_AFTER), "location": f"/v1/operations/{operation.id}/wait"}
        if self.client.repeats:
            headers["x-should-retry"] = "true"
        return Answer(answer.status, answer.body, headers)


def waiter(request: Request, services: Services, hop: int = 0) -> Waiter:
    """The waiter for a request."""
    return Waiter(services, client_of(request.headers.get("user-agent", "")), hop)
