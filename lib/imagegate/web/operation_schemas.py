"""An operation in the OpenAPI document: every API may answer with one."""

from typing import Any, Literal

from pydantic import Field

from imagegate.web.openapi_parts import Moment, Schema, UsageSchema


class ProvenanceSchema(Schema):
    """The marks of origin of a picture (docs/provenance.md)."""

    upstream: list[Literal["c2pa", "xmp"]] = Field(description="Those of the upstream: C2PA manifest, XMP packet.")
    kept: list[Literal["c2pa", "xmp"]] = Field(description="Those of them that the picture still has.")
    added: list[Literal["c2pa", "xmp"]] = Field(description="Those that imagegate made.")
    digital_source_type: str | None = Field(
        description="IPTC's word for how it was made, as its XMP or imagegate's manifest has it."
    )
    validation: Literal["invalid", "valid", "trusted"] | None = Field(
        description="C2PA's state of the manifest in the picture; null where none was checked."
    )
    signer: str | None = Field(description="Whom the certificate of that manifest names.")
    note: str | None = Field(description="Why imagegate added nothing, or what was lost.")


class SizeSchema(Schema):
    """Pixels."""

    width: int
    height: int


class RequestSchema(Schema):
    """The optional fields of the request; null where it had none."""

    size: SizeSchema | None
    aspect_ratio: str | None
    seed: int | None
    steps: int | None
    guidance: float | None
    negative_prompt: str | None
    output_format: str | None
    output_compression: int | None
    partial_images: int | None
    provider: str | None
    input_images: int = Field(description="How many input pictures it had.")
    mask: bool


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
