"""The bridge for synchronous clients: hold, then redirect, then say honestly that it takes longer."""

import math
import re
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response

from imagegate.dialects.operations import requests as operations_requests
from imagegate.dialects.operations import responses as operations_responses
from imagegate.dialects.response import Answer
from imagegate.domain.operation.operation import Operation
from imagegate.domain.timing.long_poll import Client, Verdict, client_of, decide, hold_while_untouched, pause
from imagegate.domain.wait_pass import WaitPass
from imagegate.usecases.start import Started
from imagegate.web import responses
from imagegate.web.access import waiting_of
from imagegate.web.http import fits, respond, respond_at_any_size
from imagegate.web.services import Services

_WAIT = re.compile(r"\bwait\s*=\s*\"?(\d{1,6})\"?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Preferences:
    """What the caller prefers about waiting."""

    wait: int | None = None
    """Seconds the request may be held."""
    respond_async: bool = False
    """Answer 202 with the operation instead of redirecting to the wait route."""

    def applied(self, hold: float) -> dict[str, str]:
        """The `Preference-Applied` header for a request held for at most `hold` seconds."""
        said = ["respond-async"] if self.respond_async else []
        if self.wait is not None:
            said.append(f"wait={min(self.wait, int(hold))}")
        return {"preference-applied": ", ".join(said)} if said else {}


def preferences_of(request: Request) -> Preferences:
    """Read every `Prefer` header of the request; unknown preferences are ignored, as the RFC asks."""
    said = ",".join(request.headers.getlist("prefer"))
    wait = _WAIT.search(said)
    return Preferences(int(wait[1]) if wait else None, "respond-async" in said.lower())


HOP = 27 / 25
"""A hop of the wait route is held a little longer than the POST, whose function may have had to start first."""
_TICK = 0.001
"""Seconds; of a shorter sleep the clock, which counts from 1970, would not take notice."""
RETRY_AFTER = 30
"""Seconds; above 60, some clients use their own short backoff instead (docs/protocols/openai-images.md#retries)."""


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
    arrived_at: float = 0.0
    """When API Gateway (or the function URL) got the request, in seconds since the epoch: its limit includes the
    function's cold start."""
    asynchronous: bool = False
    """True for callers who want the operation, not a redirect, when it takes longer."""
    waiting: WaitPass | None = None
    """The right to wait; `None` where no key is asked for."""
    counted: bool = True
    """False for the request that started the operation: the key's limits have let it through already."""

    def wait(self, operation: Operation) -> Response:
        """Hold the request as long as allowed, then answer in the dialect that asked."""
        clock, limit = self.services.clock, self._hold()
        began = self.arrived_at or clock.now()
        if not operation.done and not self._may_hold(min(limit, self._hold_while_untouched(operation, began))):
            unheld = replace(self, preferences=replace(self.preferences, wait=None))
            return unheld._respond(Verdict.GIVE_UP, operation)
        first_look = self._first_look(operation)
        while True:
            held = clock.now() - began
            hold = min(limit, self._hold_while_untouched(operation, began))
            verdict = decide(operation.done, held, hold, self.hop, self.client)
            if verdict is not Verdict.HOLD:
                return self._respond(verdict, operation)
            clock.sleep(max(min(pause(held, first_look - held), hold - held), _TICK))
            last = clock.now() - began >= hold
            operation = self.services.read(operation.id, operation.owner, consistent=last)

    def _hold_while_untouched(self, operation: Operation, began: float) -> float:
        """Give the function back while the operation's workflow may be waiting for one; `Prefer: wait` comes first."""
        if self.preferences.wait is not None or not operation.untouched or operation.awaits_expansion:
            return math.inf
        return hold_while_untouched(began - operation.waiting_since, self.services.starts_within)

    def _first_look(self, operation: Operation) -> float:
        return 0.0 if operation.done else self.services.first_look(operation)

    def _may_hold(self, hold: float) -> bool:
        return not hold or not self.counted or self.services.may_hold(self.waiting, hold)

    def _hold(self) -> float:
        limit = self.services.hold_seconds * (HOP if self.hop and self.services.redirects else 1)
        wait = self.preferences.wait
        if self.asynchronous:
            return min(wait or 0, limit)
        return limit if wait is None else min(wait, limit)

    def _respond(self, verdict: Verdict, operation: Operation) -> Response:
        applied = self.preferences.applied(self._hold())
        if verdict is Verdict.REDIRECT and self.waiting and self.waiting.expires <= self.services.clock.now():
            verdict = Verdict.GIVE_UP  # its link would lead nowhere: the key was last shown ten minutes ago
        if verdict is Verdict.ANSWER:
            self._count(operation, -1, self.hop > 0 or self.continues)
            return self._whole(self._answer(operation).with_headers(applied), operation)
        if self.asynchronous:
            return respond(self._accepted(operation).with_headers(applied))
        self._count(operation, +1, self.hop == 0 and not self.continues)
        if verdict is Verdict.REDIRECT:
            return respond(self._redirect(operation).with_headers(applied))
        if operation.dialect == operations_requests.NAME:
            return respond(self._accepted(operation).with_headers(applied))
        return respond(responses.out_of_patience(operation, self.client.repeats, RETRY_AFTER).with_headers(applied))

    def _whole(self, answer: Answer, operation: Operation) -> Response:
        """The answer at any size that this client takes it in."""
        if self.services.redirects or self.hop or fits(answer):
            return respond_at_any_size(answer, operation, self.services.images)
        return respond(responses.too_large(operation, self.services.images))

    def _answer(self, operation: Operation) -> Answer:
        """The answer to an ended operation. Raises Gone when it would lead to pictures that are no longer kept."""
        if (
            operation.pictures
            and operation.dialect != operations_requests.NAME
            and self.services.pictures_are_gone(operation)
        ):
            raise responses.gone(operation)
        return responses.ended(operation, self.services.images, self.services.picture_link)

    def _accepted(self, operation: Operation) -> Answer:
        return operations_responses.accepted(operation, self.services.picture_link, self.services.outlook(operation))

    def _count(self, operation: Operation, change: int, applies: bool) -> None:
        """Keep book of who was put off, so that a repeated POST is told from a second order."""
        if operation.claim and applies:
            self.services.claims.count_waiting(operation, change)

    def _redirect(self, operation: Operation) -> Answer:
        # Signed, because some clients drop their Authorization on the way.
        location = self.services.hop_links(operation, self.hop + 1, self.waiting)
        return Answer(303, responses.unfinished(operation), {"location": location})


def wait_for(request: Request, services: Services, operation: Operation, hop: int) -> Response:
    """Let a request of the wait route wait for `operation`."""
    # Its callers want to be held: saying that `respond-async` was applied would be untrue.
    preferences = replace(preferences_of(request), respond_async=False)
    client = _client(request, services)
    waiter = Waiter(services, client, preferences, hop, arrived_at=_arrived_at(request))
    return replace(waiter, waiting=waiting_of(request)).wait(operation)


def wait_for_started(request: Request, services: Services, started: Started) -> Response:
    """Let the POST that started (or repeated) an operation wait for it."""
    preferences, operation = preferences_of(request), started.operation
    asynchronous = preferences.respond_async or operation.dialect == operations_requests.NAME
    client, arrived_at = _client(request, services), _arrived_at(request)
    waiter = Waiter(services, client, preferences, 0, started.continues, arrived_at, asynchronous)
    return replace(waiter, waiting=waiting_of(request), counted=started.found).wait(operation)


def _arrived_at(request: Request) -> float:
    context = request.scope.get("aws.event", {}).get("requestContext", {})
    return float(context.get("timeEpoch", 0)) / 1000


def _client(request: Request, services: Services) -> Client:
    return client_of(request.headers.get("user-agent", ""), services.redirects)
