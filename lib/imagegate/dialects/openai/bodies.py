"""Fields of OpenAI's Images API, with g4f's additions.

Contract: docs/protocols/openai-images.md#generations and docs/protocols/gradio-spaces.md#g4f-requests.
"""

import json
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema

from imagegate.dialects.cleaning import allow_empty
from imagegate.dialects.parsing import Line, Prompt, Text, parse_document
from imagegate.dialects.shapes import (
    LARGEST_SIDE,
    RATIO_PATTERN,
    SIZE_PATTERN,
    Ratio,
    Resolution,
    parse_ratio,
    parse_size,
)
from imagegate.dialects.webhook_field import FormWebhook
from imagegate.domain.errors import RequestError
from imagegate.domain.request.geometry import Size

LONGEST_DEADLINE = 24 * 3600.0
Pixels = Annotated[int, Field(ge=1, le=LARGEST_SIDE)]
_SIDES = {name: {"type": "integer", "minimum": 1, "maximum": 99_999} for name in ("width", "height")}
_SIZE_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": SIZE_PATTERN},
        {"type": "integer", "minimum": 1, "maximum": 99_999},
        {"type": "object", "properties": _SIDES, "required": ["width", "height"]},
        {"type": "null"},
    ]
}
_RATIO_SCHEMA = {"anyOf": [{"type": "string", "pattern": RATIO_PATTERN}, {"type": "null"}]}
PixelsOrRatio = Annotated[Size | Ratio | Resolution | None, PlainValidator(parse_size), WithJsonSchema(_SIZE_SCHEMA)]
WidthToHeight = Annotated[Ratio | None, PlainValidator(parse_ratio), WithJsonSchema(_RATIO_SCHEMA)]
_FORMATS = {"jpg": "jpeg", "jpe": "jpeg", "pjpeg": "jpeg"}
_UNSET = ("auto", "default", "original")
_RESPONSE_FORMATS = {"b64": "b64_json", "base64": "b64_json", "b64json": "b64_json", "urls": "url"}
_SIGNS = re.compile(r"[\s_-]+")


def _word(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _image_format(value: Any) -> Any:
    word = _word(value)
    if not isinstance(word, str):
        return word
    word = word.partition(";")[0].removeprefix("image/").removeprefix(".")
    return None if word in _UNSET else _FORMATS.get(word, word)


def _response_format(value: Any) -> Any:
    if isinstance(value, dict):
        value = value.get("type")
    word = _word(value)
    return _RESPONSE_FORMATS.get(_SIGNS.sub("", word), word) if isinstance(word, str) else word


def _name(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


_NAME = BeforeValidator(_name)
_WORD = BeforeValidator(_word)


def _passed_object(value: Any) -> Any:
    """The object, which forms have as JSON. Raises ValueError for a large one: it is stored with the request."""
    try:
        document = parse_document(value.encode()) if isinstance(value, str) else value
    except RequestError:
        raise ValueError("must be a JSON object") from None
    if isinstance(document, dict) and len(json.dumps(document)) > _LARGEST_OBJECT:
        raise ValueError(f"must have at most {_LARGEST_OBJECT} characters of JSON")
    return document


_LARGEST_OBJECT = 2000
PassedObject = Annotated[dict[str, Any], BeforeValidator(_passed_object)]


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


def _document(schema: dict[str, Any]) -> None:
    allow_empty(schema)
    schema["allOf"] = _COMBINATIONS


class GenerationsBody(BaseModel):
    """The body of POST /v1/images/generations. An empty field means the same as an absent one."""

    model_config = ConfigDict(extra="ignore", json_schema_extra=_document, defer_build=True)

    prompt: Prompt
    model: Annotated[Annotated[Line, Field(max_length=200)] | None, _NAME] = None
    n: Annotated[int, Field(ge=1, le=10)] | None = None
    size: PixelsOrRatio = Field(
        None, description="`auto`, WIDTHxHEIGHT in pixels, the pixels of a side, or a ratio.", examples=["1024x768"]
    )
    width: Pixels | None = None
    height: Pixels | None = None
    aspect_ratio: WidthToHeight = Field(None, description="In place of a size.", examples=["16:9"])
    response_format: Annotated[Literal["url", "b64_json"] | None, BeforeValidator(_response_format)] = None
    output_format: Annotated[Literal["png", "jpeg", "webp"] | None, BeforeValidator(_image_format)] = Field(
        None, description="`png` for OpenAI's model names, otherwise what the upstream made."
    )
    output_compression: Annotated[int, Field(ge=0, le=100)] | None = None
    seed: Annotated[int, Field(ge=-1, lt=2**63)] | None = Field(None, description="-1 means none.")
    negative_prompt: Annotated[str, Field(max_length=32_000)] | None = None
    num_inference_steps: Annotated[int, Field(ge=1, le=500)] | None = None
    guidance_scale: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = None
    quality: Annotated[
        Literal["low", "medium", "high", "xhigh", "max", "auto", "standard", "hd"] | None, _WORD
    ] = None  # fmt: skip
    style: Annotated[Literal["vivid", "natural"] | None, _WORD] = None
    background: Annotated[Literal["transparent", "opaque", "auto"] | None, _WORD] = None
    moderation: Annotated[Literal["low", "auto"] | None, _WORD] = None
    complexity: Annotated[Literal["low", "medium", "high"] | None, _WORD] = None
    frame_count: Annotated[int, Field(ge=2, le=16)] | None = Field(None, description="Of an animation.")
    frame_duration_ms: Annotated[int, Field(ge=1, le=60_000)] | None = None
    svg: PassedObject | None = Field(None, description="For vector graphics, as OpenAI has it.")
    prompt_rewriter: bool | Annotated[Text, Field(max_length=200)] | PassedObject | None = Field(
        None, description="As the upstream has it."
    )
    provider: Annotated[Annotated[Line, Field(max_length=200)] | None, _NAME] = Field(
        None, description="Use only this provider."
    )
    stream: bool | None = None
    partial_images: Annotated[int, Field(ge=0, le=3)] | None = Field(
        None,
        description="Partial pictures to make of each picture: the operation lists them, and a stream has them as "
        "events. `not_honoured` names it where none were made.",
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


class EditsBody(GenerationsBody):
    """The fields of POST /v1/images/edits except the pictures."""

    input_fidelity: Annotated[Literal["high", "low"] | None, _WORD] = None


class VariationsBody(GenerationsBody):
    """The fields of POST /v1/images/variations except the picture."""

    prompt: Literal[""] = ""
