"""One request to the endpoint: who makes it, what it may use, and how long it may be held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request

from imagegate.dialects.mcp.results import PictureUrls
from imagegate.dialects.parsing import DATA_LOGGING, parse_idempotency_key
from imagegate.domain.access.api_key import Principal
from imagegate.domain.operation.operation import Operation
from imagegate.domain.timing.long_poll import pause
from imagegate.web.decoding import header_texts
from imagegate.web.middleware import arrived_at
from imagegate.web.services import Services

if TYPE_CHECKING:
    from imagegate.domain.access.wait_pass import WaitPass

_TICK = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, and since when."""

    services: Services
    principal: Principal
    waiting: WaitPass | None
    began: float
    """When API Gateway received the request, in seconds since the epoch."""
    idempotency_key: str | None
    data_logging: str
    """The header DATA_LOGGING."""

    @classmethod
    def of(cls, request: Request, services: Services, principal: Principal) -> Caller:
        """Read the request's headers. Raises InvalidRequest."""
        headers = header_texts(request, ("idempotency-key", DATA_LOGGING))
        return cls(
            services=services,
            principal=principal,
            waiting=request.scope["state"].get("waiting"),
            began=arrived_at(request.scope) or services.clock.now(),
            idempotency_key=parse_idempotency_key(headers.get("idempotency-key")),
            data_logging=headers.get(DATA_LOGGING, ""),
        )

    @property
    def links(self) -> PictureUrls:
        """Where pictures are."""
        return PictureUrls(base_url=self.services.public_url, path=self.services.picture_link)

    def read(self, operation_id: str, *, consistent: bool = False) -> Operation:
        """An operation of the caller. Raises UnknownOperation or Gone."""
        return self.services.read(operation_id, self.principal.owner, consistent=consistent)

    def hold(self, operation: Operation, seconds: float, *, counted: bool) -> Operation:
        """The operation once it has ended, or as it is when the request was held for `seconds`.

        It is held in full, as those of all clients that follow no redirect: a model that is sent away pays for a turn.
        `counted`: false for an operation that this request has started, which the key's limits have already admitted.
        """
        services, clock = self.services, self.services.clock
        hold = min(seconds, services.hold_seconds)
        if operation.done or hold <= 0 or (counted and not services.may_hold(self.waiting, hold)):
            return operation
        expected = services.first_poll_delay(operation)
        # An operation of the Images API may be driven by its client (ADR 36), who has perhaps left: a step that was due
        # meanwhile is taken at once. Those of MCP have an execution, and no steps.
        stepped = operation.updated_at
        while not operation.done and (held := clock.now() - self.began) < hold:
            step = services.next_step(operation, max(stepped, operation.updated_at))
            if step.at <= clock.now():
                services.take_step(operation, step)
                stepped = clock.now()
                continue
            wait = min(pause(held, expected - held), hold - held, step.at - clock.now())
            clock.sleep(max(wait, _TICK))
            operation = self.read(operation.id, consistent=clock.now() - self.began >= hold)
        return operation
