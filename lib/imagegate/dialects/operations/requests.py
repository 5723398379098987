"""Requests of imagegate's own operations API."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from imagegate.dialects.parsing import (
    WHOLE,
    Line,
    Prompt,
    Text,
    check_combinations,
    parse_document,
    parse_idempotency_key,
)
from imagegate.dialects.validation_errors import first_error
from imagegate.dialects.webhook_field import WebhookBody
from imagegate.domain.errors import InvalidRequest, UnknownImage
from imagegate.domain.operation.coalescing import digest
from imagegate.domain.operation.ids import is_id
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.usecases.start import GenerationRequest

NAME = "operations"
LONGEST_DEADLINE = 24 * 3600.0
_KEY = Annotated[Text, Field(min_length=1, max_length=64)]
_VALUE = Annotated[Text, Field(max_length=512)]
_SIDE = Annotated[int, Field(ge=1, le=16384), WHOLE]
_RATIO = r"^[1-9][0-9]{0,3}:[1-9][0-9]{0,3}$"


def _ratio(value: str) -> str:
    if not re.fullmatch(_RATIO, value):
        raise ValueError("must be two whole numbers, such as '16:9'")
    return value


class SizeBody(BaseModel):
    """Pixels."""

    model_config = ConfigDict(extra="forbid")

    width: _SIDE
    height: _SIDE


class CreateBody(BaseModel):
    """The body of POST /v1/operations. Null means the same as an absent field.

    Unknown fields are refused, so that typing errors are found.
    """

    model_config = ConfigDict(extra="forbid")

    prompt: Prompt
    model: Annotated[Line, Field(min_length=1, max_length=200)]
    provider: Annotated[Line, Field(max_length=200)] | None = Field(
        None, description="Use only this provider of the model's route."
    )
    n: Annotated[int, Field(ge=1, le=10), WHOLE] | None = Field(None, description="1 by default.")
    size: SizeBody | None = None
    aspect_ratio: Annotated[str, AfterValidator(_ratio), Field(json_schema_extra={"pattern": _RATIO})] | None = Field(
        None, description="Width to height, instead of `size`.", examples=["16:9"]
    )
    seed: Annotated[int, Field(ge=0, le=2**63 - 1), WHOLE] | None = None
    negative_prompt: Annotated[Text, Field(max_length=32_000)] | None = None
    steps: Annotated[int, Field(ge=1, le=500), WHOLE] | None = None
    guidance: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = None
    output_format: Literal["png", "jpeg", "webp"] | None = None
    output_compression: Annotated[int, Field(ge=0, le=100), WHOLE] | None = Field(
        None, description="Below 100 only with `output_format` jpeg or webp."
    )
    expand: bool | None = Field(None, description="Expand the prompt with a language model first.")
    deadline: Annotated[float, Field(ge=1, le=LONGEST_DEADLINE, allow_inf_nan=False)] | None = Field(
        None, description="Seconds after which the operation fails if it has no picture."
    )
    metadata: Annotated[dict[_KEY, _VALUE], Field(max_length=16)] | None = None
    webhook: WebhookBody | None = None
    validate_only: bool | None = Field(None, description="Check and estimate only; no picture is made.")


def parse(body: bytes, key: str | None = None) -> tuple[GenerationRequest, bool]:
    """Parse a request. Raises InvalidRequest.

    `key`: the header Idempotency-Key. The second result is true when the caller wants the request validated only.
    """
    document = parse_document(body)
    try:
        parsed = CreateBody.model_validate(document, strict=True)
    except ValidationError as error:
        raise first_error(error) from None
    if parsed.size and parsed.aspect_ratio:
        raise InvalidRequest("size and aspect_ratio cannot be combined.", param="aspect_ratio")
    request = build_image_request(parsed)
    check_combinations(request)
    generation = GenerationRequest(
        request,
        NAME,
        deadline=parsed.deadline,
        digest=digest(document),
        idempotency_key=parse_idempotency_key(key),
        metadata=parsed.metadata or {},
        requested_webhook=parsed.webhook.to_requested_webhook() if parsed.webhook else None,
    )
    return generation, bool(parsed.validate_only)


def build_image_request(parsed: CreateBody) -> ImageRequest:
    """Convert the body to the domain's type."""
    ratio = parsed.aspect_ratio.split(":") if parsed.aspect_ratio else None
    return ImageRequest(
        model=parsed.model,
        messages=(Message(parsed.prompt),),
        n=parsed.n or 1,
        size=Size(parsed.size.width, parsed.size.height) if parsed.size else None,
        ratio=(int(ratio[0]), int(ratio[1])) if ratio else None,
        seed=parsed.seed,
        steps=parsed.steps,
        guidance=parsed.guidance,
        negative_prompt=parsed.negative_prompt or None,
        output_format=parsed.output_format,
        output_compression=parsed.output_compression,
        provider=parsed.provider,
        expand=bool(parsed.expand),
    )


def parse_picture_id(text: str) -> tuple[str, int]:
    """Parse the operation's id and the slot out of a picture's id. Raises UnknownImage for another pattern."""
    operation_id, _, slot = text.partition("-")
    if not (is_id(operation_id) and slot.isdecimal() and len(slot) < 3):
        raise unknown_picture(text)
    return operation_id, int(slot)


def unknown_picture(picture_id: str) -> UnknownImage:
    """The error for a picture that does not exist."""
    return UnknownImage(f"Picture '{picture_id}' does not exist.", remedy="The operation lists its pictures.")
