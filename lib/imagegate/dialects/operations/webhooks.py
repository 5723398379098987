"""Deliveries to webhooks, and requests to repeat them, in the operations API."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from imagegate.dialects.operations.pages import LARGEST_PAGE, page_token, parse_page_token, take_page
from imagegate.dialects.parsing import Line, parse_document
from imagegate.dialects.response import ApiResponse
from imagegate.dialects.validation_errors import first_error
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.representation import rfc3339
from imagegate.domain.webhooks.delivery import Delivery, DeliveryAttempt, DeliveryState

_LONGEST_SEQUENCE = 9
"""Digits."""


class RedeliverBody(BaseModel):
    """The optional body of POST /v1/operations/{id}:redeliver."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    event_id: Annotated[Line, Field(max_length=100)] | None = Field(
        None, description="One event; by default all that have not arrived."
    )


def parse_redelivery(body: bytes) -> str | None:
    """Parse the id of the event to send again; `None` for all that have not arrived. Raises InvalidRequest."""
    try:
        return RedeliverBody.model_validate(parse_document(body or b"{}"), strict=True).event_id
    except ValidationError as error:
        raise first_error(error) from None


def render_deliveries(
    operation: Operation, found: Sequence[Delivery], disabled: bool, status: int = 200, largest: int = LARGEST_PAGE
) -> ApiResponse:
    """A page of the operation's deliveries with their attempts, of at most `largest` bytes."""
    webhook = operation.webhook
    document = {"url": webhook.url, "events": list(webhook.events), "disabled": disabled} if webhook else None
    page = take_page(map(_delivery, found), largest)
    token = page_token(str(found[len(page) - 1].sequence)) if len(page) < len(found) else None
    return ApiResponse(status, {"webhook": document, "deliveries": page, "next_page_token": token})


def parse_deliveries_token(token: str) -> int:
    """Parse the last sequence of the page before. Raises InvalidRequest."""
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
        "attempts": [_attempt(attempt) for attempt in delivery.tries],
    }


def _attempt(attempt: DeliveryAttempt) -> dict[str, Any]:
    return {
        "at": rfc3339(attempt.at),
        "milliseconds": round(attempt.seconds * 1000),
        "status": attempt.status,
        "error": attempt.error,
    }
