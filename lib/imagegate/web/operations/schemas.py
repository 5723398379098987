"""Bodies of the operations API in the OpenAPI document."""

from typing import Annotated, Any, Literal

from pydantic import Field

from imagegate.web.openapi_parts import Moment, Schema, UsageSchema
from imagegate.web.operations.provenance_schemas import ProvenanceSchema
from imagegate.web.operations.request_schemas import RequestSchema


class PictureSchema(Schema):
    """A picture in S3."""

    id: str
    url: str = Field(description="Path on this gateway that leads to the picture.")
    preview_url: str | None = Field(description="The same for its preview, a WebP of at most 512 pixels a side.")
    slot: int
    key: str = Field(description="Key of the object in the picture bucket.")
    sha256: str
    content_type: str
    width: int
    height: int
    bytes: int
    seed: int | None
    provider: str
    late: bool = Field(description="It arrived after the operation had ended.")
    revised_prompt: str | None = Field(description="The prompt it was made from, where it is not the request's.")
    single_colour: bool = Field(description="All of its pixels have the same colour.")
    frames: int
    not_honoured: list[str] = Field(description="Fields of the request that the picture itself does not show.")
    converted_from: str | None = Field(description="What the upstream made, where imagegate encoded it again.")
    provenance: ProvenanceSchema | None = Field(description="Null for pictures of earlier versions.")


class PartialSchema(Schema):
    """A partial picture: how a picture looked while the upstream made it."""

    attempt: int = Field(description="Number of the attempt that it came from.")
    slot: int = Field(description="The first slot of that attempt.")
    index: int = Field(description="Its number as the upstream counts, from 0.")
    content_type: str
    width: int
    height: int
    bytes: int
    url: str = Field(description="Path on this gateway that leads to it, as long as the pictures are kept.")


class WebhookSchema(Schema):
    """The receiver of an operation's events."""

    url: str
    host: str
    events: list[str]


class FailureSchema(Schema):
    """The reason of a failure."""

    code: str
    message: str


class AttemptSchema(Schema):
    """One submission to one provider."""

    number: int
    provider: str
    model: str
    slots: list[int]
    state: Literal["submitting", "submitted", "ready", "done", "failed", "unknown"]
    started_at: Moment
    ended_at: Moment | None
    repeats: int = Field(description="How often the provider was too busy before.")
    not_honoured: list[str] = Field(description="Fields that this provider ignores or only approximates.")
    reason: str | None = Field(description="Why this provider was asked and none before it; null for the first.")
    usage: UsageSchema | None = Field(description="Tokens, where the upstream counts them.")
    error: FailureSchema | None


class UrlsSchema(Schema):
    """An operation's paths on this gateway."""

    self: str
    wait: str
    cancel: str
    images: list[str]


class OperationSchema(Schema):
    """A durable request for pictures."""

    id: str
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    done: bool
    model: str = Field(description="The route that serves it; the request may have named an alias.")
    prompt: str | None = Field(description="Null with `x-data-logging-enabled: false`.")
    expand: bool = Field(description="True when prompt expansion was requested.")
    revised_prompt: str | None = Field(description="The expanded prompt.")
    not_expanded: FailureSchema | None = Field(description="Why it was not; the pictures are made from `prompt`.")
    n: int
    metadata: dict[str, str]
    may_have_cost: bool = Field(description="True when an upstream has, or may have, started to work.")
    dialect: str
    created_at: Moment
    started_at: Moment | None
    updated_at: Moment
    ended_at: Moment | None
    deadline: Moment
    images: list[PictureSchema]
    partials: list[PartialSchema] = Field(
        description="Partial pictures in the order in which they came, also after the end; see `partial_images`."
    )
    attempts: list[AttemptSchema]
    usage: UsageSchema | None = Field(description="Tokens, where every upstream that made a picture counts them.")
    error: FailureSchema | None
    late: bool = Field(description="A picture arrived after the operation had failed.")
    webhook: WebhookSchema | None
    version: int
    estimated_ready_at: Moment | None = Field(description="While it runs: the median of such jobs.")
    request: RequestSchema | None = Field(description="Null with `x-data-logging-enabled: false`.")
    cost_usd: float | None = Field(
        description="US dollars of the attempts that may have cost, by the routes' prices or what the upstream says it "
        "charged; null for upstreams that are free or have no known price."
    )
    urls: UrlsSchema


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


ACCEPTED: dict[str, Any] = {
    "model": OperationSchema,
    "description": "The operation is stored and running.",
    "headers": {
        name: {"schema": {"type": "string"}, "description": description}
        for name, description in {
            "Location": "The operation.",
            "Operation-Location": "The operation.",
            "Retry-After": "Seconds after which to read it.",
        }.items()
    },
}
"""The answer 202, in every API."""
