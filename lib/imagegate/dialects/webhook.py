"""The field `webhook` of every dialect that has one, and what is shown of deliveries."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from imagegate.dialects.answer import Answer
from imagegate.dialects.complaints import first_problem
from imagegate.dialects.pages import LARGEST_PAGE, page_token, parse_page_token, take_page
from imagegate.dialects.parsing import Line, document_of
from imagegate.domain.delivery import Delivery, DeliveryState, Try
from imagegate.domain.errors import RequestError
from imagegate.domain.operation import Operation
from imagegate.domain.representation import rfc3339
from imagegate.domain.webhook import EVENTS, WantedWebhook, parse_secret

EventName = Literal["queued", "started", "succeeded", "failed", "cancelled"]
_URL = r"^https://([a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?\.)+[a-z]{2,24}(:[1-9]\d{0,3})?(/[!-\[\]-~]*)?$"
"""For readers of the OpenAPI document; what is refused is WebhookTargets' affair."""
_LONGEST_SEQUENCE = 9
"""Digits."""
_FOUR = "[A-Za-z0-9+/]{4}"
_SHAPE = f"^whsec_({_FOUR}){{8,20}}([A-Za-z0-9+/]{{2}}==|[A-Za-z0-9+/]{{3}}=)?$"
_Secret = Annotated[SecretStr, Field(json_schema_extra={"pattern": _SHAPE})]


class WebhookBody(BaseModel):
    """Where the operation's changes are announced to, signed as Standard Webhooks has it."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(min_length=1, max_length=2000)] = Field(
        description="https, of a public host.",
        examples=["https://example.com/hook"],
        json_schema_extra={"pattern": _URL},
    )
    events: Annotated[list[EventName], Field(max_length=len(EVENTS))] | None = Field(
        None, description="Which changes; without, all."
    )
    secret: _Secret | None = Field(
        None, description="`whsec_` and base64 of 24 to 64 bytes, never shown again; without, the API key's own signs."
    )

    def wanted(self) -> WantedWebhook:
        """The webhook in the domain's words. Raises InvalidRequest."""
        secret = parse_secret(self.secret.get_secret_value()) if self.secret else None
        return WantedWebhook(self.url, tuple(self.events or ()), secret)


def _parsed(value: Any) -> Any:
    """Forms carry texts only."""
    try:
        return document_of(value.encode()) if isinstance(value, str) else value
    except RequestError:
        raise ValueError('must be a JSON object such as {"url": "https://..."}') from None


FormWebhook = Annotated[WebhookBody | None, BeforeValidator(_parsed)]


class RedeliverBody(BaseModel):
    """The body of POST /v1/operations/{id}:redeliver; it may be left out."""

    model_config = ConfigDict(extra="forbid")

    event_id: Annotated[Line, Field(max_length=100)] | None = Field(
        None, description="Of one event; without, of all that have not arrived."
    )


def parse_redelivery(body: bytes) -> str | None:
    """The event to be sent again, if one is named. Raises InvalidRequest."""
    try:
        return RedeliverBody.model_validate(document_of(body or b"{}"), strict=True).event_id
    except ValidationError as error:
        raise first_problem(error) from None


def deliveries(
    operation: Operation, found: Sequence[Delivery], disabled: bool, status: int = 200, largest: int = LARGEST_PAGE
) -> Answer:
    """What was sent to the operation's webhook, and what became of it; at most `largest` bytes of it."""
    webhook = operation.webhook
    shown = {"url": webhook.url, "events": list(webhook.events), "disabled": disabled} if webhook else None
    page = take_page(map(_delivery, found), largest)
    token = page_token(str(found[len(page) - 1].sequence)) if len(page) < len(found) else None
    return Answer(status, {"webhook": shown, "deliveries": page, "next_page_token": token})


def parse_deliveries_token(token: str) -> int:
    """The sequence that the page before ended with. Raises InvalidRequest."""
    return int(parse_page_token(token, lambda last: last.isdecimal() and len(last) <= _LONGEST_SEQUENCE))


def _delivery(delivery: Delivery) -> dict[str, Any]:
    waiting = delivery.state is DeliveryState.PENDING
    return {
        "event_id": delivery.event_id,
        "webhook_id": delivery.webhook_id,
        "sequence": delivery.sequence,
        "type": f"image_generation.{delivery.event}",
        "state": delivery.state,
        "announced_at": rfc3339(delivery.announced_at),
        "next_attempt_at": rfc3339(delivery.next_at) if waiting and delivery.next_at else None,
        "attempts": [_attempt(one) for one in delivery.tries],
    }


def _attempt(attempt: Try) -> dict[str, Any]:
    return {
        "at": rfc3339(attempt.at),
        "milliseconds": round(attempt.seconds * 1000),
        "status": attempt.status,
        "error": attempt.error,
    }
