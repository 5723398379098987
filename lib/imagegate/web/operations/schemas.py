"""Bodies of the operations API in the OpenAPI document."""

from typing import Annotated, Literal

from pydantic import Field

from imagegate.web.openapi_parts import Moment, Schema
from imagegate.web.operation_schemas import OperationSchema, ProvenanceSchema


class PictureProvenanceSchema(Schema):
    """Where a picture comes from (docs/provenance.md)."""

    id: str
    operation_id: str
    sha256: str
    content_type: str
    converted_from: str | None
    provider: str
    model: str | None = Field(description="The upstream's own name of the model.")
    requested_at: Moment
    provenance: ProvenanceSchema | None


class DisabledSchema(Schema):
    """A webhook, and whether it is disabled."""

    url: str
    events: list[str]
    disabled: bool = Field(description="The receiver answered 410: nothing is sent until an event is redelivered.")


class DeliveryAttemptSchema(Schema):
    """One POST to a webhook."""

    at: Moment
    milliseconds: int
    status: int | None = Field(description="The status of the receiver's answer, if there was one.")
    error: str | None = Field(description="Why there was no answer.")


class DeliverySchema(Schema):
    """One event for a webhook."""

    event_id: str
    webhook_id: str = Field(description="The header `webhook-id`, the same in every attempt.")
    sequence: int
    type: str
    state: Literal["pending", "delivered", "dead", "disabled"]
    announced_at: Moment
    next_attempt_at: Moment | None
    attempts: list[DeliveryAttemptSchema]


class DeliveriesSchema(Schema):
    """The deliveries to an operation's webhook."""

    webhook: DisabledSchema | None
    deliveries: list[DeliverySchema]
    next_page_token: str | None = Field(description="Send it as `page_token` for the next page of deliveries.")


class ListSchema(Schema):
    """A page of the list of operations, newest first."""

    operations: list[OperationSchema]
    next_page_token: str | None = Field(description="Send it as `page_token` for the next page.")


Dollars = Annotated[float | None, Field(description="US dollars for all pictures; null where no price is known.")]
Median = Annotated[float, Field(description="Median of such jobs so far, in seconds.")]
Slow = Annotated[float, Field(description="90th percentile of such jobs so far, in seconds.")]


class StopSchema(Schema):
    """A provider on a route."""

    provider: str
    model: str = Field(description="The provider's own name of the model.")
    estimated_cost_usd: Dollars
    estimated_seconds: Median
    slow_seconds: Slow
    not_honoured: list[str] = Field(description="Fields that this provider ignores or only approximates.")


class EstimateSchema(Schema):
    """Cost and duration of a request if the first provider of its route makes the pictures."""

    valid: Literal[True]
    model: str
    n: int
    estimated_cost_usd: Dollars
    estimated_seconds: Median
    slow_seconds: Slow
    route: list[StopSchema] = Field(description="In the order in which they are tried.")


class ProblemSchema(Schema):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    remedy: str | None = None
    param: str | None = None


class UploadedSchema(Schema):
    """An upload in place of a picture."""

    upload: str


class UploadSchema(Schema):
    """A form to send a picture with (docs/requests.md#large-pictures)."""

    id: str
    url: str = Field(description="Where to POST the form.")
    fields: dict[str, str] = Field(description="The form's fields; the picture follows them in the field `file`.")
    largest_bytes: int
    expires_at: Moment = Field(description="When the form is no longer accepted.")
    usable_until: Moment
    image: UploadedSchema = Field(description="What a request has in place of the picture.")


class LimitsSchema(Schema):
    """Limits of an API key; null: no limit."""

    requests_per_minute: int | None
    concurrent: int | None = Field(description="Operations that run at the same time.")
    pictures_per_day: int | None
    micro_dollars_per_day: int | None


class LeftSchema(Schema):
    """The rest of the limits."""

    concurrent: int | None
    pictures: int | None = Field(description="Today.")
    micro_dollars: int | None = Field(description="Today.")


class UsedSchema(Schema):
    """The use on a day."""

    day: str = Field(description="In UTC.", examples=["2026-11-20"])
    pictures: int
    micro_dollars: int = Field(description="Millionths of a dollar, by the prices of models.toml.")


class KeyUsageSchema(Schema):
    """The use of an API key's limits."""

    key: str | None = Field(description="Its id; null where the deployment requires no key.")
    counted: bool = Field(description="False for a key without daily or concurrent limits, whose use is not counted.")
    limits: LimitsSchema
    running: int | None = Field(description="Running operations, where they are limited.")
    left: LeftSchema
    resets_at: Moment = Field(description="When the daily limits are reset.")
    days: list[UsedSchema]
