"""YandexART's asynchronous operations.

Contract: docs/protocols/yandexart.md. Numbers come as strings or numbers, zero means "default". The Content-Type is
ignored. Extra fields have no effect, and the answer's header names them.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from imagegate.dialects.cleaning import clean_texts, printable_name
from imagegate.dialects.parsing import (
    DATA_LOGGING,
    VISIBLE,
    Line,
    model_of_uri,
    parse_document,
    parse_idempotency_key,
    require_line,
    with_privacy,
)
from imagegate.dialects.validation_errors import first_error
from imagegate.dialects.yandexart.dialect import CLIENT_ID, NAME
from imagegate.domain.characters import FORBIDDEN
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.operation.coalescing import digest
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.usecases.start import GenerationRequest

DEADLINE = 24 * 3600.0
_MIME_TYPE = "^(image/[a-z.+-]+)?$"
_PART = rf"[^/{FORBIDDEN}\t\r\n]+"
EXPAND = "x-imagegate-expand"
"""The header that asks for prompt expansion, because the documented body has no field for it."""
HEADERS = (DATA_LOGGING, EXPAND, "idempotency-key", CLIENT_ID)
"""The request headers that `parse` reads."""
_LONGEST_CLIENT_ID = 255
_MOST_UNUSED = 20
"""Fields without effect that are reported."""
_MOST_CHARACTERS = 32_000
"""Of all messages together: more than any upstream reads, and small enough for a table's item."""


def _zero_for_null(value: Any) -> Any:
    if isinstance(value, str) and ("_" in value or value.split() != [value]):
        raise ValueError("must be a number without blanks and underscores")
    return 0 if value is None else value


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a whole number")
    return _zero_for_null(value)


Integer = Annotated[int, Field(ge=0, le=2**63 - 1), BeforeValidator(_no_boolean)]
Double = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_zero_for_null)]
"""As in protobuf's JSON: a number or a string, null for zero."""


def _mime_type(value: str) -> str:
    if not re.fullmatch(_MIME_TYPE, value):
        raise ValueError("must be the media type of a picture, such as 'image/jpeg'")
    return value


MimeType = Annotated[str, Field(max_length=200, json_schema_extra={"pattern": _MIME_TYPE}), AfterValidator(_mime_type)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="allow", populate_by_name=True, defer_build=True)


class WeightedMessage(_Body):
    """One part of the prompt. A weight of 0 or none counts as 1."""

    text: Annotated[Annotated[str, Field(max_length=32_000)] | None, Field(json_schema_extra=VISIBLE)] = None
    weight: Double = 0.0


class AspectRatio(_Body):
    """Width to height. A value of 0 or none counts as 1."""

    width_ratio: Annotated[Integer, Field(alias="widthRatio")] = 0
    height_ratio: Annotated[Integer, Field(alias="heightRatio")] = 0


class GenerationOptions(_Body):
    """Everything but the prompt. Pictures are always JPEG; a header of the answer reports another `mimeType`."""

    mime_type: Annotated[MimeType | None, Field(alias="mimeType")] = None
    seed: Integer = 0
    aspect_ratio: Annotated[AspectRatio | None, Field(alias="aspectRatio")] = None


class GenerationBody(_Body):
    """The body of POST /foundationModels/v1/imageGenerationAsync."""

    model_uri: Annotated[
        Line,
        Field(alias="modelUri", max_length=500, json_schema_extra={"pattern": f"^art://{_PART}/{_PART}(/{_PART})?$"}),
    ]
    messages: Annotated[list[WeightedMessage], Field(min_length=1, max_length=100)]
    generation_options: Annotated[GenerationOptions | None, Field(alias="generationOptions")] = None


def parse(body: bytes, headers: Mapping[str, str] | None = None) -> GenerationRequest:
    """Parse a request; `headers` by their lower-case names.

    Raises InvalidRequest with the offending field, or header, in `param`.
    """
    document, headers = parse_document(body), headers or {}
    cleaned, unused = _cleaned(document)
    try:
        parsed = GenerationBody.model_validate(cleaned)
    except ValidationError as error:
        raise first_error(error) from None
    expand = _expand(headers.get(EXPAND, "").strip().lower())
    request = replace(_request(parsed), expand=expand, unused_fields=(*unused, *_unused(parsed)))
    client_id = require_line(headers.get(CLIENT_ID, ""), CLIENT_ID)[:_LONGEST_CLIENT_ID]
    generation = GenerationRequest(
        request=request,
        dialect=NAME,
        reply=_unlike_jpeg(parsed.generation_options),
        deadline=DEADLINE,
        digest=digest(document | ({EXPAND: True} if request.expand else {})),
        idempotency_key=parse_idempotency_key(headers.get("idempotency-key") or None),
        metadata={"client_request_id": client_id} if client_id else {},
    )
    return with_privacy(generation, headers.get(DATA_LOGGING, ""))


def _cleaned(document: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The document with clean texts, and `messages` when one of them was not clean."""
    messages = document.get("messages")
    if not isinstance(messages, list):
        return {**document}, []
    results = [clean_texts(entry, ("text",)) if isinstance(entry, dict) else (entry, []) for entry in messages]
    changed = any(names for _, names in results)
    return {**document, "messages": [entry for entry, _ in results]}, ["messages"] if changed else []


def _unused(parsed: GenerationBody) -> list[str]:
    """Fields that the API does not have, at any depth."""
    options = parsed.generation_options
    parts = (parsed, options, options and options.aspect_ratio, *parsed.messages)
    names = [printable_name(name) for part in parts if part for name in part.model_extra or ()]
    return list(dict.fromkeys(names))[:_MOST_UNUSED]


def _expand(header: str) -> bool:
    if header not in ("", "false", "true"):
        raise InvalidRequest(f"{EXPAND} is 'true' or 'false'.", param=EXPAND)
    return header == "true"


def _request(parsed: GenerationBody) -> ImageRequest:
    options = parsed.generation_options or GenerationOptions()
    ratio = options.aspect_ratio or AspectRatio()
    request = ImageRequest(
        model=_model(parsed.model_uri),
        messages=_messages(parsed),
        seed=options.seed or None,
        ratio=(ratio.width_ratio or 1, ratio.height_ratio or 1),
        output_format="jpeg",
        lenient=True,
    )
    if not request.prompt:
        raise InvalidRequest(
            "The prompt is empty.", param="messages", remedy="Give at least one message a text and no negative weight."
        )
    return request


def _messages(parsed: GenerationBody) -> tuple[Message, ...]:
    texts = [(message.text or "", message.weight) for message in parsed.messages]
    if sum(len(text) for text, _ in texts) > _MOST_CHARACTERS:
        raise InvalidRequest(f"The messages have more than {_MOST_CHARACTERS} characters.", param="messages")
    return tuple(Message(text, weight or 1.0) for text, weight in texts if text.strip())


def _unlike_jpeg(options: GenerationOptions | None) -> dict[str, str]:
    mime_type = options.mime_type if options else None
    return {"mime_type": mime_type} if mime_type not in (None, "", "image/jpeg") else {}


def _model(uri: str) -> str:
    model = model_of_uri(uri, "modelUri")
    if model is None:
        raise InvalidRequest(
            f"invalid model_uri '{uri}'.", param="modelUri", remedy="Use art://<folder>/<model>/latest."
        )
    return model
