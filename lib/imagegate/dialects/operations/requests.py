"""Requests of imagegate's own operations API."""

import re
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError, WithJsonSchema

from imagegate.dialects.cleaning import allow_empty, clean_texts, without_empty
from imagegate.dialects.operations.dialect import NAME
from imagegate.dialects.parsing import (
    WHOLE,
    Line,
    Metadata,
    Prompt,
    check_combinations,
    parse_document,
    parse_idempotency_key,
)
from imagegate.dialects.shapes import RATIO_PATTERN, SIZE_PATTERN, Ratio, Resolution, parse_ratio, parse_size
from imagegate.dialects.validation_errors import first_error
from imagegate.dialects.webhook_field import WebhookBody
from imagegate.domain.errors import InvalidRequest, UnknownImage
from imagegate.domain.operation.coalescing import digest
from imagegate.domain.operation.ids import is_id
from imagegate.domain.request.abilities import MOST_PARTIALS
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.usecases.start import GenerationRequest

LONGEST_DEADLINE = 24 * 3600.0
_NUMBER = re.compile(r"-?[0-9]{1,19}(\.[0-9]{1,9})?")
_SIDES = {name: {"type": "integer", "minimum": 1, "maximum": 16384} for name in ("width", "height")}
_SIZE_SCHEMA = {
    "anyOf": [
        {"type": "object", "properties": _SIDES, "required": ["width", "height"], "additionalProperties": False},
        {"type": "string", "pattern": SIZE_PATTERN},
        {"type": "integer", "minimum": 1, "maximum": 99_999},
        {"type": "null"},
    ]
}
_RATIO_SCHEMA = {"anyOf": [{"type": "string", "pattern": RATIO_PATTERN}, {"type": "null"}]}


def _size(value: Any) -> Size | Ratio | None:
    """Parse a size. An object has both sides and nothing else, so that typing errors are found."""
    if isinstance(value, dict) and not (set(value) == set(_SIDES) and all(map(_is_side, value.values()))):
        raise ValueError("must have width and height, in pixels from 1 to 16384, and nothing else")
    size = parse_size(value)
    return size.of_ratio((1, 1)) if isinstance(size, Resolution) else size


def _is_side(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= 16384 and value % 1 == 0


def _number(value: Any) -> Any:
    """The number in a text, which is what forms and templates send."""
    if not isinstance(value, str) or not _NUMBER.fullmatch(value.strip()):
        return value
    return float(value) if "." in value else int(value)


_FROM_TEXT = BeforeValidator(_number)


class CreateBody(BaseModel):
    """The body of POST /v1/operations. Null and an empty text mean the same as an absent field.

    Unknown fields are refused, so that typing errors are found.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra=allow_empty, defer_build=True)

    prompt: Prompt
    model: Annotated[Line, Field(min_length=1, max_length=200)]
    provider: Annotated[Line, Field(max_length=200)] | None = Field(
        None, description="Use only this provider of the model's route."
    )
    n: Annotated[int, Field(ge=1, le=10), _FROM_TEXT, WHOLE] | None = Field(None, description="1 by default.")
    size: Annotated[Size | Ratio | None, PlainValidator(_size), WithJsonSchema(_SIZE_SCHEMA)] = Field(
        None, description="Pixels, as an object or as text.", examples=[{"width": 1024, "height": 768}, "1024x768"]
    )
    aspect_ratio: Annotated[Ratio | None, PlainValidator(parse_ratio), WithJsonSchema(_RATIO_SCHEMA)] = Field(
        None, description="Width to height, instead of `size`.", examples=["16:9"]
    )
    seed: Annotated[int, Field(ge=0, le=2**63 - 1), _FROM_TEXT, WHOLE] | None = None
    negative_prompt: Annotated[str, Field(max_length=32_000)] | None = None
    steps: Annotated[int, Field(ge=1, le=500), _FROM_TEXT, WHOLE] | None = None
    guidance: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False), _FROM_TEXT] | None = None
    output_format: Literal["png", "jpeg", "webp"] | None = None
    output_compression: Annotated[int, Field(ge=0, le=100), _FROM_TEXT, WHOLE] | None = Field(
        None, description="Below 100 only with `output_format` jpeg or webp."
    )
    partial_images: Annotated[int, Field(ge=0, le=MOST_PARTIALS), _FROM_TEXT, WHOLE] | None = Field(
        None,
        description="Partial pictures to make of each picture, where the upstream makes them. They may cost extra.",
    )
    expand: bool | None = Field(None, description="Expand the prompt with a language model first.")
    deadline: Annotated[float, Field(ge=1, le=LONGEST_DEADLINE, allow_inf_nan=False), _FROM_TEXT] | None = Field(
        None, description="Seconds after which the operation fails if it has no picture."
    )
    metadata: Metadata | None = None
    webhook: WebhookBody | None = None
    validate_only: bool | None = Field(None, description="Check and estimate only; no picture is made.")


def parse(body: bytes, key: str | None = None) -> tuple[GenerationRequest, bool]:
    """Parse a request. Raises InvalidRequest.

    `key`: the header Idempotency-Key. The second result is true when the caller wants the request validated only.
    """
    document = parse_document(body)
    fields, cleaned = clean_texts(without_empty(document, ("prompt", "model")), ("prompt", "negative_prompt"))
    try:
        parsed = CreateBody.model_validate(fields, strict=True)
    except ValidationError as error:
        raise first_error(error) from None
    if parsed.size and parsed.aspect_ratio:
        raise InvalidRequest("size and aspect_ratio cannot be combined.", param="aspect_ratio")
    request = replace(build_image_request(parsed), unused_fields=tuple(cleaned))
    check_combinations(request)
    generation = GenerationRequest(
        request=request,
        dialect=NAME,
        deadline=parsed.deadline,
        digest=digest(document),
        idempotency_key=parse_idempotency_key(key),
        metadata=parsed.metadata or {},
        requested_webhook=parsed.webhook.to_requested_webhook() if parsed.webhook else None,
    )
    return generation, bool(parsed.validate_only)


def build_image_request(parsed: CreateBody) -> ImageRequest:
    """Convert the body to the domain's type."""
    size = parsed.size if isinstance(parsed.size, Size) else None
    return ImageRequest(
        model=parsed.model,
        messages=(Message(parsed.prompt),),
        n=parsed.n or 1,
        size=size,
        ratio=parsed.aspect_ratio if isinstance(parsed.size, Size) else parsed.size or parsed.aspect_ratio,
        seed=parsed.seed,
        steps=parsed.steps,
        guidance=parsed.guidance,
        negative_prompt=parsed.negative_prompt or None,
        output_format=parsed.output_format,
        output_compression=parsed.output_compression,
        partial_images=parsed.partial_images or None,
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
