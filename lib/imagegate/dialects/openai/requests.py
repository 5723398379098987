"""Requests of OpenAI's Images API, with g4f's additions.

Contract: docs/protocols/openai-images.md#generations and docs/protocols/gradio-spaces.md#g4f-requests.
Every optional field accepts null, and unknown fields are ignored. A model named as in Yandex's own Images API gets that
API's semantics: `size` is an aspect ratio, and the answer holds bytes (docs/protocols/yandexart.md#ai-studio).
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from imagegate.dialects.parsing import Line, Prompt, Text, check_combinations, model_of_uri, parse_document
from imagegate.dialects.validation_errors import first_error
from imagegate.dialects.webhook_field import FormWebhook
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.operation.coalescing import digest
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, InputImage, Message
from imagegate.usecases.start import GenerationRequest

NAME = "openai_images"
DEFAULT_MODEL = "flux"
LONGEST_DEADLINE = 24 * 3600.0
_ALWAYS_BASE64 = re.compile(r"^(gpt|chatgpt)-image")
_SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")
_RATIO = re.compile(r"([1-9][0-9]{0,3}):([1-9][0-9]{0,3})")
Pixels = Annotated[int, Field(ge=1, le=16384)]


def _pattern(shape: re.Pattern[str]) -> dict[str, Any]:
    return {"pattern": f"^(auto|{shape.pattern})?$"}


def _when(name: str, given: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema: where the field `name` is `given`, the fields `then` are required."""
    return {
        "if": {"properties": {name: given}, "required": [name]},
        "then": {"properties": then, "required": list(then)},
    }


_COMBINATIONS: list[Any] = [
    _when("width", {"type": "integer"}, {"height": {"type": "integer"}}),
    _when("height", {"type": "integer"}, {"width": {"type": "integer"}}),
    _when("output_compression", {"type": "integer", "maximum": 99}, {"output_format": {"enum": ["jpeg", "webp"]}}),
    {"not": {"properties": {"background": {"const": "transparent"}, "output_format": {"const": "jpeg"}},
             "required": ["background", "output_format"]}},
]  # fmt: skip
"""Dependencies between fields, for the OpenAPI document."""


class GenerationsBody(BaseModel):
    """The body of POST /v1/images/generations."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"allOf": _COMBINATIONS})

    prompt: Prompt
    model: Annotated[Line, Field(max_length=200)] | None = None
    n: Annotated[int, Field(ge=1, le=10)] | None = None
    size: str | None = Field(
        None, description="`auto`, or WIDTHxHEIGHT in pixels.", examples=["1024x768"], json_schema_extra=_pattern(_SIZE)
    )
    width: Pixels | None = None
    height: Pixels | None = None
    aspect_ratio: str | None = Field(
        None, description="In place of a size.", examples=["16:9"], json_schema_extra=_pattern(_RATIO)
    )
    response_format: Literal["url", "b64_json"] | None = None
    output_format: Literal["png", "jpeg", "webp"] | None = None
    output_compression: Annotated[int, Field(ge=0, le=100)] | None = None
    seed: Annotated[int, Field(ge=-1, lt=2**63)] | None = Field(None, description="-1 means none.")
    negative_prompt: Annotated[Text, Field(max_length=32_000)] | None = None
    num_inference_steps: Annotated[int, Field(ge=1, le=500)] | None = None
    guidance_scale: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = None
    quality: Literal["low", "medium", "high", "xhigh", "max", "auto", "standard", "hd"] | None = None
    style: Literal["vivid", "natural"] | None = None
    background: Literal["transparent", "opaque", "auto"] | None = None
    moderation: Literal["low", "auto"] | None = None
    complexity: Literal["low", "medium", "high"] | None = None
    provider: Annotated[Line, Field(max_length=200)] | None = Field(None, description="Use only this provider.")
    stream: bool | None = None
    partial_images: Annotated[int, Field(ge=0, le=3)] | None = Field(
        None, description="Accepted, but only finished pictures are sent."
    )
    user: Annotated[Text, Field(max_length=512)] | None = None
    safety_identifier: Annotated[Text, Field(max_length=512)] | None = None
    expand: bool | None = Field(
        None, description="Expand the prompt with a language model first (imagegate's extension)."
    )
    deadline: Annotated[float, Field(ge=1, le=LONGEST_DEADLINE, allow_inf_nan=False)] | None = Field(
        None, description="Seconds after which the operation fails if it has no picture (imagegate's extension)."
    )
    webhook: FormWebhook = Field(None, description="The receiver of the operation's events (imagegate's extension).")

    @field_validator("size")
    @classmethod
    def _size_is_pixels(cls, value: str | None) -> str | None:
        if value in (None, "", "auto") or _SIZE.fullmatch(value):
            return value
        raise ValueError("must be 'auto' or WIDTHxHEIGHT in pixels, such as '1024x768'")

    @field_validator("aspect_ratio")
    @classmethod
    def _ratio_is_two_numbers(cls, value: str | None) -> str | None:
        if value in (None, "", "auto") or _RATIO.fullmatch(value):
            return value
        raise ValueError("must be two whole numbers, such as '16:9'")


class EditsBody(GenerationsBody):
    """The fields of POST /v1/images/edits except the pictures."""

    input_fidelity: Literal["high", "low"] | None = None


class VariationsBody(GenerationsBody):
    """The fields of POST /v1/images/variations except the picture."""

    prompt: Literal[""] = ""


def parse(body: bytes, provider: str | None = None) -> GenerationRequest:
    """Parse a request; `provider` comes from g4f's path.

    Raises InvalidRequest with the offending field in `param`.
    """
    return build_generation_request(GenerationsBody, parse_document(body), provider=provider)


def build_generation_request(
    kind: type[GenerationsBody],
    document: Mapping[str, Any],
    *,
    default: str = DEFAULT_MODEL,
    provider: str | None = None,
    inputs: tuple[InputImage, ...] = (),
    mask: InputImage | None = None,
) -> GenerationRequest:
    """Build the GenerationRequest of a document with the fields of `kind`; `default` is the model if it names none.

    Raises InvalidRequest with the offending field in `param`.
    """
    try:
        parsed = kind.model_validate(document)
    except ValidationError as error:
        raise first_error(error) from None
    of_yandex = model_of_uri(parsed.model or "")
    model = of_yandex or parsed.model or default
    size = _size(parsed)
    request = ImageRequest(
        model=model,
        messages=(Message(parsed.prompt),) if parsed.prompt else (),
        n=parsed.n or 1,
        size=None if of_yandex else size,
        ratio=(size.width, size.height) if of_yandex and size else _ratio(parsed),
        seed=None if parsed.seed == -1 else parsed.seed,
        steps=parsed.num_inference_steps,
        guidance=parsed.guidance_scale,
        negative_prompt=parsed.negative_prompt or None,
        output_format=parsed.output_format,
        output_compression=parsed.output_compression,
        quality=parsed.quality,
        style=parsed.style,
        background=parsed.background,
        moderation=parsed.moderation,
        complexity=parsed.complexity,
        input_fidelity=getattr(parsed, "input_fidelity", None),
        inputs=inputs,
        mask=mask,
        provider=parsed.provider or provider,
        expand=bool(parsed.expand),
    )
    check_combinations(request)
    names = {"inputs": [image.name for image in inputs], "mask": mask.name if mask else None}
    same = digest({**document, **names, "provider": request.provider})
    webhook = parsed.webhook.to_requested_webhook() if parsed.webhook else None
    reply = _reply(parsed, always_base64=bool(of_yandex or _ALWAYS_BASE64.match(model)))
    return GenerationRequest(
        request, NAME, reply, parsed.deadline, digest=same, coalesce=True, requested_webhook=webhook
    )


def _reply(parsed: GenerationsBody, *, always_base64: bool) -> dict[str, str]:
    """What the answer must look like. A stream holds bytes."""
    reply: dict[str, str] = {"response_format": parsed.response_format or ("b64_json" if always_base64 else "url")}
    if identifier := parsed.safety_identifier or parsed.user:
        reply["safety_identifier"] = identifier
    return {**reply, "response_format": "b64_json", "stream": "true"} if parsed.stream else reply


def _size(parsed: GenerationsBody) -> Size | None:
    if parsed.width and parsed.height:
        return Size(parsed.width, parsed.height)
    if parsed.width or parsed.height:
        raise InvalidRequest("width and height go together.", param="height" if parsed.width else "width")
    matched = _SIZE.fullmatch(parsed.size or "")
    return Size(int(matched[1]), int(matched[2])) if matched else None


def _ratio(parsed: GenerationsBody) -> tuple[int, int] | None:
    matched = _RATIO.fullmatch(parsed.aspect_ratio or "")
    return (int(matched[1]), int(matched[2])) if matched else None
