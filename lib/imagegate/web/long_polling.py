"""The bridge for synchronous clients: hold, then redirect, then say honestly that it takes longer."""

import math
import re
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response

from imagegate.dialects.operations import requests as operations_requests
from imagegate.dialects.operations import responses as operations_responses
from imagegate.dialects.response import ApiResponse
from imagegate.domain.operation.operation import Operation
from imagegate.domain.timing.long_poll import Client, NextMove, client_of, hold_while_untouched, next_move, pause
from imagegate.domain.wait_pass import WaitPass
from imagegate.usecases.start import Started
from imagegate.web import responses
from imagegate.web.access import waiting_of
from imagegate.web.http import fits, to_response, to_response_at_any_size
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
        honoured = ["respond-async"] if self.respond_async else []
        if self.wait is not None:
            honoured.append(f"wait={min(self.wait, int(hold))}")
        return {"preference-applied": ", ".join(honoured)} if honoured else {}


def preferences_of(request: Request) -> Preferences:
    """Read every `Prefer` header of the request; unknown preferences are ignored, as the RFC asks."""
    header = ",".join(request.headers.getlist("prefer"))
    wait = _WAIT.search(header)
    return Preferences(int(wait[1]) if wait else None, "respond-async" in header.lower())


HOP_SHARE = 27 / 25
"""A hop of the wait route is held a little longer than the POST, whose function may have had to start first."""
_TICK = 0.001
"""Seconds; of a shorter sleep the clock, which counts from 1970, would not take notice."""
RETRY_AFTER = 30
"""Seconds; above 60, some clients use their own short backoff instead (docs/protocols/openai-images.md#retries)."""


@dataclass(frozen=True, slots=True)
class LongPoll:
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
            return unheld._respond(NextMove.GIVE_UP, operation)
        first_look = self._first_poll_delay(operation)
        while True:
            held = clock.now() - began
            hold = min(limit, self._hold_while_untouched(operation, began))
            move = next_move(operation.done, held, hold, self.hop, self.client)
            if move is not NextMove.HOLD:
                return self._respond(move, operation)
            clock.sleep(max(min(pause(held, first_look - held), hold - held), _TICK))
            last = clock.now() - began >= hold
            operation = self.services.read(operation.id, operation.owner, consistent=last)

    def _hold_while_untouched(self, operation: Operation, began: float) -> float:
        """Give the function back while the operation's workflow may be waiting for one; `Prefer: wait` comes first."""
        if self.preferences.wait is not None or not operation.untouched or operation.awaits_expansion:
            return math.inf
        return hold_while_untouched(began - operation.waiting_since, self.services.starts_within)

    def _first_poll_delay(self, operation: Operation) -> float:
        return 0.0 if operation.done else self.services.first_poll_delay(operation)

    def _may_hold(self, hold: float) -> bool:
        return not hold or not self.counted or self.services.may_hold(self.waiting, hold)

    def _hold(self) -> float:
        limit = self.services.hold_seconds * (HOP_SHARE if self.hop and self.services.redirects else 1)
        wait = self.preferences.wait
        if self.asynchronous:
            return min(wait or 0, limit)
        return limit if wait is None else min(wait, limit)

    def _respond(self, move: NextMove, operation: Operation) -> Response:
        applied = self.preferences.applied(self._hold())
        if move is NextMove.REDIRECT and self.waiting and self.waiting.expires <= self.services.clock.now():
            move = NextMove.GIVE_UP  # its link would lead nowhere: the key was last shown ten minutes ago
        if move is NextMove.ANSWER:
            self._count(operation, -1, self.hop > 0 or self.continues)
            return self._whole(self._ended(operation).with_headers(applied), operation)
        if self.asynchronous:
            return to_response(self._accepted(operation).with_headers(applied))
        self._count(operation, +1, self.hop == 0 and not self.continues)
        if move is NextMove.REDIRECT:
            return to_response(self._redirect(operation).with_headers(applied))
        if operation.dialect == operations_requests.NAME:
            return to_response(self._accepted(operation).with_headers(applied))
        return to_response(responses.render_pending(operation, self.client.repeats, RETRY_AFTER).with_headers(applied))

    def _whole(self, answer: ApiResponse, operation: Operation) -> Response:
        """The answer at any size that this client takes it in."""
        if self.services.redirects or self.hop or fits(answer):
            return to_response_at_any_size(answer, operation, self.services.images)
        return to_response(responses.too_large(operation, self.services.images))

    def _ended(self, operation: Operation) -> ApiResponse:
        """The answer to an ended operation. Raises Gone when it would lead to pictures that are no longer kept."""
        if (
            operation.pictures
            and operation.dialect != operations_requests.NAME
            and self.services.pictures_are_gone(operation)
        ):
            raise responses.pictures_gone(operation)
        return responses.render_ended(operation, self.services.images, self.services.picture_link)

    def _accepted(self, operation: Operation) -> ApiResponse:
        return operations_responses.render_accepted(
            operation, self.services.picture_link, self.services.outlook(operation)
        )

    def _count(self, operation: Operation, change: int, applies: bool) -> None:
        """Keep book of who was put off, so that a repeated POST is told from a second order."""
        if operation.claim and applies:
            self.services.claims.count_waiting(operation, change)

    def _redirect(self, operation: Operation) -> ApiResponse:
        # Signed, because some clients drop their Authorization on the way.
        location = self.services.hop_links(operation, self.hop + 1, self.waiting)
        return ApiResponse(303, responses.render_unfinished(operation), {"location": location})


def wait_for(request: Request, services: Services, operation: Operation, hop: int) -> Response:
    """Let a request of the wait route wait for `operation`."""
    # Its callers want to be held: saying that `respond-async` was applied would be untrue.
    preferences = replace(preferences_of(request), respond_async=False)
    client = _client(request, services)
    waiter = LongPoll(services, client, preferences, hop, arrived_at=_arrived_at(request))
    return replace(waiter, waiting=waiting_of(request)).wait(operation)


def wait_for_started(request: Request, services: Services, started: Started) -> Response:
    """Let the POST that started (or repeated) an operation wait for it."""
    preferences, operation = preferences_of(request), started.operation
    asynchronous = preferences.respond_async or operation.dialect == operations_requests.NAME
    client, arrived_at = _client(request, services), _arrived_at(request)
    waiter = LongPoll(services, client, preferences, 0, started.resumes_wait, arrived_at, asynchronous)
    return replace(waiter, waiting=waiting_of(request), counted=started.found).wait(operation)


def _arrived_at(request: Request) -> float:
    context = request.scope.get("aws.event", {}).get("requestContext", {})
    return float(context.get("timeEpoch", 0)) / 1000


def _client(request: Request, services: Services) -> Client:
    return client_of(request.headers.get("user-agent", ""), services.redirects)
