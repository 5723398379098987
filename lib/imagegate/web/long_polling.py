"""Synchronous clients of a slow operation: hold the request, then redirect it, then answer that it takes longer."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from imagegate.dialects.operations.responses import render_accepted
from imagegate.dialects.registry import dialect_named
from imagegate.dialects.response import ApiResponse
from imagegate.domain.access.wait_pass import WaitPass
from imagegate.domain.operation.coalescing import has_body_claim
from imagegate.domain.operation.operation import Operation
from imagegate.domain.timing.client_steps import StepTime
from imagegate.domain.timing.long_poll import (
    HOP_SHARE,
    Client,
    NextMove,
    client_of,
    hold_before_handover,
    hold_while_untouched,
    next_move,
    pause,
)
from imagegate.web.http import fits, to_response, to_response_at_any_size
from imagegate.web.middleware import arrived_at
from imagegate.web.partials import PARTIALS_READ_INTERVAL, render_next_partial, watches_partials
from imagegate.web.paths import BASE_OF_API
from imagegate.web.preferences import Preferences, parse_preferences
from imagegate.web.wait_services import TooManyBytes, WaitServices, pictures_gone

if TYPE_CHECKING:
    from imagegate.usecases.start import Started

_TICK = 0.001
"""Seconds. The clock counts from 1970, so its precision does not show shorter sleeps."""
_BETWEEN_HOPS = 0.5
"""Seconds before a request in which no other one may have been there to have a step taken."""
RETRY_AFTER = 30
"""Seconds; above 60, some clients use their own short backoff instead (docs/protocols/openai-images.md#retries)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LongPoll:
    """One request that waits for an operation."""

    services: WaitServices
    client: Client
    preferences: Preferences
    hop: int = 0
    """Redirects followed so far."""
    continues: bool = False
    """True when the request resumes a wait that was broken off."""
    arrived_at: float = 0.0
    """When API Gateway (or the function URL) received the request, in seconds since the epoch: its limit includes the
    function's cold start. 0 when unknown."""
    asynchronous: bool = False
    """True for callers who want the operation, not a redirect, when it takes longer."""
    waiting: WaitPass | None = None
    """The right to wait; `None` where the deployment requires no key."""
    retried: bool = False
    """True for a POST that is marked as the repetition of an earlier one."""
    counted: bool = True
    """False for the request that started the operation, which the key's limits have already admitted."""

    def wait(self, operation: Operation) -> Response:
        """Hold the request as long as allowed, then answer in the operation's dialect."""
        clock, limit = self.services.clock, self._hold()
        began = self.arrived_at or clock.now()
        if self._may_hand_over(operation):
            limit = hold_before_handover(limit, self.client)
        hold = min(limit, self._hold_while_untouched(operation, began))
        exempt = operation.done or not hold or not self.counted
        if not exempt and not self.services.may_hold(self.waiting, hold):
            unheld = replace(self, preferences=replace(self.preferences, wait=None))
            return unheld._respond(NextMove.GIVE_UP, operation)
        first_poll = self.services.first_poll_delay(operation) if limit and not operation.done else 0.0
        stepped = began - _BETWEEN_HOPS
        step = self.services.next_step(operation, max(stepped, operation.updated_at))
        if self.continues and self.services.next_step(operation, operation.updated_at).at < began:
            step = StepTime(began)  # one was due while the client was away, and perhaps nothing took it
        while True:
            held = clock.now() - began
            hold = min(limit, self._hold_while_untouched(operation, began))
            if partial := self._respond_partial(operation):
                return partial
            move = next_move(operation.done, held, hold, self.hop, self.client)
            if move is not NextMove.HOLD:
                return self._respond(move, operation)
            wait = pause(clock.now() - stepped, first_poll - held)
            if watches_partials(operation, self.preferences):
                wait = min(wait, PARTIALS_READ_INTERVAL)
            clock.sleep(max(min(wait, hold - held, step.at - clock.now()), _TICK))
            last, known = clock.now() - began >= hold, operation.version
            operation = self.services.read(operation.id, operation.owner, consistent=last)
            if operation.version != known:
                step = self.services.next_step(operation, max(stepped, operation.updated_at))
            if step.at <= clock.now() and not operation.done:
                self.services.take_step(operation, step)
                stepped = max(step.at, began)
                step = self.services.next_step(operation, max(stepped, operation.updated_at))

    def _may_hand_over(self, operation: Operation) -> bool:
        """True for a POST whose caller did not say how long to hold it.

        Not for a retry that had no time to follow all redirects: its client follows none, as pydantic-ai's own.
        """
        if self.hop or self.asynchronous or self.preferences.wait is not None:
            return False
        age = self.services.clock.now() - operation.waiting_since
        return not self.retried or age >= self.client.hops * self.services.hold_seconds

    def _hold_while_untouched(self, operation: Operation, began: float) -> float:
        """Release the function early when the workflow may be waiting for one.

        Not if the caller set `Prefer: wait`, or follows no redirect: it would only learn that the picture is not ready.
        """
        patient = self.preferences.wait is not None or not self.client.hops
        if patient or not operation.untouched or operation.awaits_expansion:
            return math.inf
        return hold_while_untouched(began - operation.waiting_since, self.services.starts_within)

    def _hold(self) -> float:
        limit = self.services.hold_seconds * (HOP_SHARE if self.hop and self.services.redirects else 1)
        wait = self.preferences.wait
        if self.asynchronous:
            return min(wait or 0, limit)
        return limit if wait is None else min(wait, limit)

    def _respond(self, move: NextMove, operation: Operation) -> Response:
        applied = self.preferences.applied(self._hold())
        if move is NextMove.REDIRECT and self.waiting and self.waiting.expires <= self.services.clock.now():
            move = NextMove.GIVE_UP  # its link would be refused: the key was last presented ten minutes ago
        served = move is NextMove.ANSWER or self.asynchronous
        if served and (self.hop or self.continues) and has_body_claim(operation):
            self.services.claims.note_answer(operation, self.services.clock.now())
        if move is NextMove.ANSWER:
            return self._respond_ended(operation, applied)
        services, dialect = self.services, dialect_named(operation.dialect)
        if self.asynchronous:
            answer = render_accepted(operation, services.picture_link, services.outlook(operation))
            return to_response(answer.with_headers(applied))
        first = self.hop == 0 and not self.continues
        self._count(operation, 1 if first else 0, invited=int(move is NextMove.GIVE_UP))
        if move is NextMove.REDIRECT:
            answer = self._redirect(operation)
        else:
            answer = dialect.render_pending(operation, services, repeats=self.client.repeats, retry_after=RETRY_AFTER)
        return to_response(answer.with_headers(applied))

    def _respond_ended(self, operation: Operation, applied: dict[str, str]) -> Response:
        """The answer to an ended operation. Raises Gone when it needs pictures that the bucket has removed."""
        services, dialect = self.services, dialect_named(operation.dialect)
        if operation.pictures and dialect.needs_pictures and services.pictures_are_gone(operation):
            raise pictures_gone(operation)
        try:
            answer = dialect.render_ended(operation, self._context).with_headers(applied)
        except TooManyBytes:
            return self._redirect_to_api(operation)
        if services.redirects or self.hop or fits(answer):
            return to_response_at_any_size(answer, operation, services.images, dialect)
        if operation.partials:
            answer = dialect.render_ended(replace(operation, partials=()), services).with_headers(applied)
        return to_response(answer if fits(answer) else dialect.render_too_large(operation, services))

    def _respond_partial(self, operation: Operation) -> Response | None:
        """A redirect whose body is the event of the next partial picture; `None` where there is none to send."""
        if self.waiting and self.waiting.expires <= self.services.clock.now():
            return None  # its link would be refused
        try:
            events = render_next_partial(operation, self._context, self.preferences)
        except TooManyBytes:
            return self._redirect_to_api(operation)
        if events is None:
            return None
        self._count(operation, 1 if self.hop == 0 and not self.continues else 0)
        return to_response(replace(self._redirect(operation), body=events.body).with_headers(events.headers))

    @property
    def _context(self) -> WaitServices:
        """The services, with what this client of a stream has already."""
        return replace(self.services, partials_sent=self.preferences.partials or 0)

    def _redirect_to_api(self, operation: Operation) -> Response:
        """Let the api function answer, which has more memory."""
        self._count(operation, 1)  # the next hop counts it down again
        location = BASE_OF_API + self.services.hop_links(operation, self.hop + 1, self.waiting)
        return to_response(dialect_named(operation.dialect).render_redirect(operation, location))

    def _count(self, operation: Operation, more: int, invited: int = 0) -> None:
        """Count the clients whose wait was broken off, which distinguishes a repeated POST from a second order."""
        if has_body_claim(operation) and (more or invited):
            self.services.claims.count_waiting(operation, more, invited)

    def _redirect(self, operation: Operation) -> ApiResponse:
        # The link is signed, because some clients drop their Authorization when they follow a redirect.
        location = self.services.hop_links(operation, self.hop + 1, self.waiting)
        answer = dialect_named(operation.dialect).render_redirect(operation, location)
        # OpenAI's packages on an HTTP client that follows no redirect, as pydantic-ai makes one, repeat their request.
        retry = {"x-should-retry": "true", "retry-after": str(RETRY_AFTER)}
        return answer.with_headers(retry) if self.client.repeats and not self.hop else answer


def wait_for(request: Request, services: WaitServices, operation: Operation, hop: int) -> Response:
    """Let a request of the wait route wait for `operation`."""
    return LongPoll(
        services=services,
        client=client_of(request.headers.get("user-agent", ""), services.redirects),
        # The wait route always holds, so it must not claim to have applied `respond-async`.
        preferences=replace(parse_preferences(request), respond_async=False),
        hop=hop,
        arrived_at=arrived_at(request.scope),
        waiting=request.scope["state"].get("waiting"),
    ).wait(operation)


def wait_for_started(
    request: Request, services: WaitServices, started: Started, *, asynchronous: bool = False
) -> Response:
    """Let the POST that started (or repeated) an operation wait for it.

    `asynchronous`: the API answers with the running operation unless the caller prefers to wait.
    """
    preferences = parse_preferences(request)
    return LongPoll(
        services=services,
        client=client_of(request.headers.get("user-agent", ""), services.redirects),
        preferences=preferences,
        continues=started.resumes_wait,
        arrived_at=arrived_at(request.scope),
        asynchronous=asynchronous or preferences.respond_async,
        waiting=request.scope["state"].get("waiting"),
        retried=request.headers.get("x-stainless-retry-count", "0") != "0",
        counted=started.found,
    ).wait(started.operation)
