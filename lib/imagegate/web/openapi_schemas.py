"""What answers look like, for the OpenAPI document. The dialects make the bodies; tests hold both together."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class _Schema(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PictureSchema(_Schema):
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


class TokensSchema(_Schema):
    """What tokens were, as far as the upstream breaks them down."""

    text_tokens: int
    image_tokens: int


class UsageSchema(_Schema):
    """Tokens, as OpenAI counts them."""

    input_tokens: int
    input_tokens_details: TokensSchema
    output_tokens: int
    total_tokens: int


class WebhookSchema(_Schema):
    """Where an operation's changes are announced to."""

    url: str
    host: str
    events: list[str]


class FailureSchema(_Schema):
    """Why something failed."""

    code: str
    message: str


class AttemptSchema(_Schema):
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
    usage: UsageSchema | None = Field(description="Tokens, where the upstream counts them.")
    error: FailureSchema | None


class UrlsSchema(_Schema):
    """Paths that belong to an operation."""

    self: str
    wait: str
    cancel: str
    images: list[str]


class OperationSchema(_Schema):
    """A durable request for pictures."""

    id: str
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    done: bool
    model: str = Field(description="The route that serves it; the request may have named an alias.")
    prompt: str | None = Field(description="Null when it is not to be kept (`x-data-logging-enabled: false`).")
    expand: bool = Field(description="The prompt was to be expanded.")
    revised_prompt: str | None = Field(description="The prompt as it was expanded.")
    not_expanded: FailureSchema | None = Field(description="Why it was not, and its pictures are made from `prompt`.")
    n: int
    metadata: dict[str, str]
    may_have_cost: bool = Field(description="An upstream has, or may have, begun to work.")
    dialect: str
    created_at: Moment
    started_at: Moment | None
    updated_at: Moment
    ended_at: Moment | None
    deadline: Moment
    images: list[PictureSchema]
    attempts: list[AttemptSchema]
    usage: UsageSchema | None = Field(description="Tokens, where every upstream that made a picture counts them.")
    error: FailureSchema | None
    late: bool = Field(description="A picture came after the operation had failed.")
    webhook: WebhookSchema | None
    version: int
    estimated_ready_at: Moment | None = Field(description="While it runs: when it is as likely done as not.")
    urls: UrlsSchema


class DisabledSchema(_Schema):
    """A webhook, and whether its receiver wants no more."""

    url: str
    events: list[str]
    disabled: bool = Field(description="The receiver said 410: nothing is sent until something is redelivered.")


class DeliveryAttemptSchema(_Schema):
    """One POST to a webhook."""

    at: Moment
    milliseconds: int
    status: int | None = Field(description="Of the receiver's answer, if there was one.")
    error: str | None = Field(description="Why there was none.")


class DeliverySchema(_Schema):
    """One event on its way to a webhook."""

    event_id: str
    webhook_id: str = Field(description="The header `webhook-id`, the same in every attempt.")
    sequence: int
    type: str
    state: Literal["pending", "delivered", "dead", "disabled"]
    announced_at: Moment
    next_attempt_at: Moment | None
    attempts: list[DeliveryAttemptSchema]


class DeliveriesSchema(_Schema):
    """What was sent to an operation's webhook."""

    webhook: DisabledSchema | None
    deliveries: list[DeliverySchema]
    next_page_token: str | None = Field(description="Hand it back as `page_token` to the list of deliveries.")


class ListSchema(_Schema):
    """A part of the list of operations, newest first."""

    operations: list[OperationSchema]
    next_page_token: str | None = Field(description="Hand it back as `page_token` for the next page.")


Dollars = Annotated[float | None, Field(description="US dollars for all pictures; null where no price is known.")]
Median = Annotated[float, Field(description="As likely done as not after so many seconds, as jobs have gone so far.")]
Slow = Annotated[float, Field(description="Nine in ten are done after so many seconds.")]


class StopSchema(_Schema):
    """A provider on a route."""

    provider: str
    model: str = Field(description="The provider's own name of it.")
    estimated_cost_usd: Dollars
    estimated_seconds: Median
    slow_seconds: Slow
    not_honoured: list[str] = Field(description="Fields that this provider passes over or only comes near to.")


class EstimateSchema(_Schema):
    """What a request would do, cost and take, if the first provider of its route makes the pictures."""

    valid: Literal[True]
    model: str
    n: int
    estimated_cost_usd: Dollars
    estimated_seconds: Median
    slow_seconds: Slow
    route: list[StopSchema] = Field(description="In the order they are tried.")


class LimitsSchema(_Schema):
    """What an API key may use."""

    requests_per_minute: int | None
    concurrent: int | None = Field(description="Operations under way at once.")
    pictures_per_day: int | None
    micro_dollars_per_day: int | None


class LeftSchema(_Schema):
    """What is left of limits."""

    concurrent: int | None
    pictures: int | None = Field(description="Today.")
    micro_dollars: int | None = Field(description="Today.")


class UsedSchema(_Schema):
    """What was used on a day."""

    day: str = Field(description="In UTC.", examples=["2026-11-20"])
    pictures: int
    micro_dollars: int = Field(description="Millionths of a dollar, by the prices of models.toml.")


class KeyUsageSchema(_Schema):
    """What an API key has used of its limits."""

    key: str | None = Field(description="Its id; null where no key is asked for.")
    counted: bool = Field(description="False for a key without daily or concurrent limits, whose use nobody counts.")
    limits: LimitsSchema
    running: int | None = Field(description="Operations under way, where there is a limit on them.")
    left: LeftSchema
    resets_at: Moment = Field(description="When the day's limits begin anew.")
    days: list[UsedSchema]


class ProblemSchema(_Schema):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    remedy: str | None = None
    param: str | None = None


class DatumSchema(_Schema):
    """A picture: its URL, or its bytes in base64."""

    url: str | None = None
    b64_json: str | None = None
    revised_prompt: str | None = None


class ImagesSchema(_Schema):
    """OpenAI's ImagesResponse, and what imagegate adds."""

    created: int
    data: Annotated[list[DatumSchema], Field(min_length=1)]
    output_format: str
    size: str
    model: str
    provider: str | None
    operation_id: str
    seed: int | None
    background: str | None = None
    not_honoured: list[str] | None = None
    safety_identifier: str | None = None
    usage: UsageSchema | None = None


class ErrorSchema(_Schema):
    """OpenAI's error."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIErrorSchema(_Schema):
    """OpenAI's error body."""

    error: ErrorSchema
    operation_id: str | None = None


class ModelSchema(_Schema):
    """A model that can be asked for."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    description: str
    aliases: list[str]
    providers: list[str]


class ModelsSchema(_Schema):
    """The models that can be asked for."""

    object: Literal["list"]
    data: list[ModelSchema]


class YandexOperationSchema(_Schema):
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


class YandexErrorSchema(_Schema):
    """The error body of YandexART's gateway."""

    error: str
    code: int
    message: str
    details: list[Any]
