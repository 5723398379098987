"""What answers look like, for the OpenAPI document. The dialects make the bodies; tests hold both together."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PictureShape(_Shape):
    """A picture kept in S3."""

    id: str
    url: str = Field(description="Path on this gateway that leads to the picture.")
    slot: int
    key: str = Field(description="Key of the object in the picture bucket.")
    sha256: str
    content_type: str
    width: int
    height: int
    bytes: int
    seed: int | None
    provider: str
    late: bool = Field(description="It came after the operation had ended.")
    revised_prompt: str | None = Field(description="What it was made from, where that is not the prompt as it came.")


class TokensShape(_Shape):
    """What tokens were, as far as the upstream breaks them down."""

    text_tokens: int
    image_tokens: int


class UsageShape(_Shape):
    """Tokens, as OpenAI counts them."""

    input_tokens: int
    input_tokens_details: TokensShape
    output_tokens: int
    total_tokens: int


class WebhookShape(_Shape):
    """Where an operation's changes are announced to."""

    url: str
    host: str
    events: list[str]


class FailureShape(_Shape):
    """Why something failed."""

    code: str
    message: str


class AttemptShape(_Shape):
    """One submission to one provider."""

    number: int
    provider: str
    model: str
    slots: list[int]
    state: Literal["submitting", "submitted", "ready", "done", "failed", "unknown"]
    started_at: Moment
    ended_at: Moment | None
    repeats: int = Field(description="How often the provider was too busy before.")
    not_honoured: list[str] = Field(description="Fields that this provider passes over or only comes near to.")
    usage: UsageShape | None = Field(description="Tokens, where the upstream counts them.")
    error: FailureShape | None


class UrlsShape(_Shape):
    """Paths that belong to an operation."""

    self: str
    wait: str
    cancel: str
    images: list[str]


class OperationShape(_Shape):
    """A durable request for pictures."""

    id: str
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    done: bool
    model: str = Field(description="The route that serves it; the request may have named an alias.")
    prompt: str | None = Field(description="Null when it is not to be kept (`x-data-logging-enabled: false`).")
    expand: bool = Field(description="The prompt was to be expanded.")
    revised_prompt: str | None = Field(description="The prompt as it was expanded.")
    not_expanded: FailureShape | None = Field(description="Why it was not, and its pictures are made from `prompt`.")
    n: int
    metadata: dict[str, str]
    may_have_cost: bool = Field(description="An upstream has, or may have, begun to work.")
    dialect: str
    created_at: Moment
    started_at: Moment | None
    updated_at: Moment
    ended_at: Moment | None
    deadline: Moment
    images: list[PictureShape]
    attempts: list[AttemptShape]
    usage: UsageShape | None = Field(description="Tokens, where every upstream that made a picture counts them.")
    error: FailureShape | None
    late: bool = Field(description="A picture came after the operation had failed.")
    webhook: WebhookShape | None
    version: int
    estimated_ready_at: Moment | None = Field(description="While it runs: when it is as likely done as not.")
    urls: UrlsShape


class DisabledShape(_Shape):
    """A webhook, and whether its receiver wants no more."""

    url: str
    events: list[str]
    disabled: bool = Field(description="The receiver said 410: nothing is sent until something is redelivered.")


class DeliveryAttemptShape(_Shape):
    """One POST to a webhook."""

    at: Moment
    milliseconds: int
    status: int | None = Field(description="Of the receiver's answer, if there was one.")
    error: str | None = Field(description="Why there was none.")


class DeliveryShape(_Shape):
    """One event on its way to a webhook."""

    event_id: str
    webhook_id: str = Field(description="The header `webhook-id`, the same in every attempt.")
    sequence: int
    type: str
    state: Literal["pending", "delivered", "dead", "disabled"]
    announced_at: Moment
    next_attempt_at: Moment | None
    attempts: list[DeliveryAttemptShape]


class DeliveriesShape(_Shape):
    """What was sent to an operation's webhook."""

    webhook: DisabledShape | None
    deliveries: list[DeliveryShape]
    next_page_token: str | None = Field(description="Hand it back as `page_token` to the list of deliveries.")


class ListShape(_Shape):
    """A part of the list of operations, newest first."""

    operations: list[OperationShape]
    next_page_token: str | None = Field(description="Hand it back as `page_token` for the next page.")


Dollars = Annotated[float | None, Field(description="US dollars for all pictures; null where no price is known.")]
Median = Annotated[float, Field(description="As likely done as not after so many seconds, as jobs have gone so far.")]
Slow = Annotated[float, Field(description="Nine in ten are done after so many seconds.")]


class StopShape(_Shape):
    """A provider on a route."""

    provider: str
    model: str = Field(description="The provider's own name of it.")
    estimated_cost_usd: Dollars
    estimated_seconds: Median
    slow_seconds: Slow
    not_honoured: list[str] = Field(description="Fields that this provider passes over or only comes near to.")


class EstimateShape(_Shape):
    """What a request would do, cost and take, if the first provider of its route makes the pictures."""

    valid: Literal[True]
    model: str
    n: int
    estimated_cost_usd: Dollars
    estimated_seconds: Median
    slow_seconds: Slow
    route: list[StopShape] = Field(description="In the order they are tried.")


class LimitsShape(_Shape):
    """What an API key may use."""

    requests_per_minute: int | None
    concurrent: int | None = Field(description="Operations under way at once.")
    pictures_per_day: int | None
    micro_dollars_per_day: int | None


class LeftShape(_Shape):
    """What is left of limits."""

    concurrent: int | None
    pictures: int | None = Field(description="Today.")
    micro_dollars: int | None = Field(description="Today.")


class UsedShape(_Shape):
    """What was used on a day."""

    day: str = Field(description="In UTC.", examples=["2026-11-20"])
    pictures: int
    micro_dollars: int = Field(description="Millionths of a dollar, by the prices of models.toml.")


class KeyUsageShape(_Shape):
    """What an API key has used of its limits."""

    key: str | None = Field(description="Its id; null where no key is asked for.")
    counted: bool = Field(description="False for a key without daily or concurrent limits, whose use nobody counts.")
    limits: LimitsShape
    running: int | None = Field(description="Operations under way, where there is a limit on them.")
    left: LeftShape
    resets_at: Moment = Field(description="When the day's limits begin anew.")
    days: list[UsedShape]


class ProblemShape(_Shape):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    remedy: str | None = None
    param: str | None = None


class DatumShape(_Shape):
    """A picture: its URL, or its bytes in base64."""

    url: str | None = None
    b64_json: str | None = None
    revised_prompt: str | None = None


class ImagesShape(_Shape):
    """OpenAI's ImagesResponse, and what imagegate adds."""

    created: int
    data: Annotated[list[DatumShape], Field(min_length=1)]
    output_format: str
    size: str
    model: str
    provider: str | None
    operation_id: str
    seed: int | None
    background: str | None = None
    not_honoured: list[str] | None = None
    safety_identifier: str | None = None
    usage: UsageShape | None = None


class ErrorShape(_Shape):
    """OpenAI's error."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIErrorShape(_Shape):
    """OpenAI's error body."""

    error: ErrorShape
    operation_id: str | None = None


class ModelShape(_Shape):
    """A model that can be asked for."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    description: str
    aliases: list[str]
    providers: list[str]


class ModelsShape(_Shape):
    """The models that can be asked for."""

    object: Literal["list"]
    data: list[ModelShape]


class YandexOperationShape(_Shape):
    """YandexART's operation. `response` or `error` are there once it is done."""

    id: str
    description: str
    createdAt: Moment | None
    createdBy: str
    modifiedAt: Moment | None
    done: bool
    metadata: dict[str, Any] | None
    response: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class YandexErrorShape(_Shape):
    """The error body of YandexART's gateway."""

    error: str
    code: int
    message: str
    details: list[Any]
