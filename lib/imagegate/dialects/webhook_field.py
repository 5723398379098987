"""The field `webhook` of every dialect that has one."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from imagegate.dialects.parsing import parse_document
from imagegate.domain.errors import RequestError
from imagegate.domain.webhooks.webhook import EVENTS, RequestedWebhook, parse_secret

EventName = Literal["queued", "started", "succeeded", "failed", "cancelled"]
_URL = r"^https://([a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?\.)+[a-z]{2,24}(:[1-9]\d{0,3})?(/[!-\[\]-~]*)?$"
"""For the OpenAPI document only; WebhookTargets decides which URLs are refused."""
_FOUR = "[A-Za-z0-9+/]{4}"
_SHAPE = f"^whsec_({_FOUR}){{8,20}}([A-Za-z0-9+/]{{2}}==|[A-Za-z0-9+/]{{3}}=)?$"
_Secret = Annotated[SecretStr, Field(json_schema_extra={"pattern": _SHAPE})]


class WebhookBody(BaseModel):
    """The receiver of the operation's events, signed as in Standard Webhooks."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    url: Annotated[str, Field(min_length=1, max_length=2000)] = Field(
        description="An https URL of a public host.",
        examples=["https://example.com/hook"],
        json_schema_extra={"pattern": _URL},
    )
    events: Annotated[list[EventName], Field(max_length=len(EVENTS))] | None = Field(
        None, description="The events to send; all by default."
    )
    secret: _Secret | None = Field(
        None,
        description="`whsec_` and 24 to 64 bytes in base64, never returned. By default the API key's signs.",
    )

    def to_requested_webhook(self) -> RequestedWebhook:
        """Convert to the domain's type. Raises InvalidRequest for an invalid secret."""
        secret = parse_secret(self.secret.get_secret_value()) if self.secret else None
        return RequestedWebhook(self.url, tuple(self.events or ()), secret)


def _parse_text(value: Any) -> Any:
    """Parse the JSON in a form's field, because forms carry texts only."""
    try:
        return parse_document(value.encode()) if isinstance(value, str) else value
    except RequestError:
        raise ValueError('must be a JSON object such as {"url": "https://..."}') from None


FormWebhook = Annotated[WebhookBody | None, BeforeValidator(_parse_text)]
