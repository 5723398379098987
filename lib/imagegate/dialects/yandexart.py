"""YandexART's asynchronous operations.

Contract: docs/protocols/yandexart.md. Numbers come as strings or numbers, zero means "default",
extra fields are ignored, the Content-Type is not looked at. Bodies have the documented keys and no other, so that
protobuf's strict parsers take them; what else there is to say stands in headers.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from imagegate.dialects.answer import Answer
from imagegate.dialects.complaints import first_problem
from imagegate.dialects.parsing import (
    DATA_LOGGING,
    Line,
    Text,
    document_of,
    header_line,
    idempotency_key,
    model_of_uri,
    with_privacy,
)
from imagegate.domain.attempt import AttemptState
from imagegate.domain.characters import FORBIDDEN
from imagegate.domain.coalescing import digest
from imagegate.domain.errors import Failure, FailureCode, InvalidRequest, RequestError
from imagegate.domain.expansion import shortened
from imagegate.domain.operation import Operation
from imagegate.domain.representation import rfc3339
from imagegate.domain.request import ImageRequest, Message
from imagegate.usecases.start import Ask

NAME = "yandexart"
DEADLINE = 24 * 3600.0
RESPONSE_TYPE = "type.googleapis.com/yandex.cloud.ai.foundation_models.v1.image_generation.ImageGenerationResponse"
_MIME_TYPE = "^(image/[a-z.+-]+)?$"
_NOT_BLANK = {"pattern": r"\S"}
_PART = rf"[^/{FORBIDDEN}\t\r\n]+"


EXPAND = "x-imagegate-expand"
"""The header that has the prompt expanded: the documented body has no field for it."""
CLIENT_ID = "x-client-request-id"
"""The header with the caller's own id of a request, which is told back to it."""
HEADERS = (DATA_LOGGING, EXPAND, "idempotency-key", CLIENT_ID)
"""Those that are read."""
_LONGEST_REVISED_PROMPT = 800
"""Characters; percent-encoded, all headers together have to fit into 10 KB."""
_LONGEST_CLIENT_ID = 255
_MOST_CHARACTERS = 32_000
"""Over all messages: more than any upstream reads, and what a table's item can hold."""


def _zero_for_null(value: Any) -> Any:
    if isinstance(value, str) and ("_" in value or value.split() != [value]):
        raise ValueError("must be a number, without blanks and underscores")
    return 0 if value is None else value


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a whole number")
    return _zero_for_null(value)


Integer = Annotated[int, BeforeValidator(_no_boolean), Field(ge=0, le=2**63 - 1)]
Double = Annotated[float, BeforeValidator(_zero_for_null), Field(allow_inf_nan=False)]
"""As protobuf's JSON has them: numbers or strings, null for zero."""


def _mime_type(value: str) -> str:
    if not re.fullmatch(_MIME_TYPE, value):
        raise ValueError("must be a type of pictures, such as 'image/jpeg'")
    return value


MimeType = Annotated[str, Field(max_length=200, json_schema_extra={"pattern": _MIME_TYPE}), AfterValidator(_mime_type)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class WeightedMessage(_Body):
    """One part of the prompt; weight 0 or absent counts as 1."""

    text: Annotated[Annotated[Text, Field(max_length=32_000)] | None, Field(json_schema_extra=_NOT_BLANK)] = None
    weight: Double = 0.0


class AspectRatio(_Body):
    """Width to height; 0 or absent counts as 1."""

    width_ratio: Annotated[Integer, Field(alias="widthRatio")] = 0
    height_ratio: Annotated[Integer, Field(alias="heightRatio")] = 0


class GenerationOptions(_Body):
    """Everything but the prompt. Pictures are JPEG, whatever `mimeType` says; an answer's headers tell."""

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


def parse(body: bytes, headers: Mapping[str, str] | None = None) -> Ask:
    """Understand a request; `headers` by their lower-case names.

    Raises InvalidRequest with the offending field, or header, in `param`.
    """
    document, headers = document_of(body), headers or {}
    try:
        asked = GenerationBody.model_validate(document)
    except ValidationError as error:
        raise first_problem(error) from None
    request = replace(_request(asked), expand=_expand(headers.get(EXPAND, "").strip().lower()))
    client_id = header_line(headers.get(CLIENT_ID, ""), CLIENT_ID)[:_LONGEST_CLIENT_ID]
    ask = Ask(
        request,
        NAME,
        reply=_unlike_jpeg(asked.generation_options),
        deadline=DEADLINE,
        digest=digest(document | ({EXPAND: True} if request.expand else {})),
        idempotency_key=idempotency_key(headers.get("idempotency-key") or None),
        metadata={"client_request_id": client_id} if client_id else {},
    )
    return with_privacy(ask, headers.get(DATA_LOGGING, ""))


def _expand(said: str) -> bool:
    if said not in ("", "false", "true"):
        raise InvalidRequest(f"{EXPAND} is 'true' or 'false'.", param=EXPAND)
    return said == "true"


def _request(asked: GenerationBody) -> ImageRequest:
    options = asked.generation_options or GenerationOptions()
    ratio = options.aspect_ratio or AspectRatio()
    request = ImageRequest(
        model=_model(asked.model_uri),
        messages=_messages(asked),
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


def _messages(asked: GenerationBody) -> tuple[Message, ...]:
    texts = [(one.text or "", one.weight) for one in asked.messages]
    if sum(len(text) for text, _ in texts) > _MOST_CHARACTERS:
        raise InvalidRequest(f"The messages have more than {_MOST_CHARACTERS} characters.", param="messages")
    return tuple(Message(text, weight or 1.0) for text, weight in texts if text.strip())


def _unlike_jpeg(options: GenerationOptions | None) -> dict[str, str]:
    mime_type = options.mime_type if options else None
    return {"mime_type": mime_type} if mime_type not in (None, "", "image/jpeg") else {}


def _model(uri: str) -> str:
    model = model_of_uri(uri)
    if model is None:
        raise InvalidRequest(
            f"invalid model_uri '{uri}'.", param="modelUri", remedy="Use art://<folder>/<model>/latest."
        )
    return model


def pending(operation: Operation, retry_after: int | None = None) -> Answer:
    """The operation while it runs, key for key as the service writes it: no `response`, no `error`."""
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return Answer(200, _frame(operation, done=False), headers)


def success(operation: Operation, image: str) -> Answer:
    """The finished operation; `image` is the JPEG in standard base64."""
    response = {"@type": RESPONSE_TYPE, "image": image, "modelVersion": ""}
    return Answer(200, {**_frame(operation, done=True), "response": response}, _told(operation))


def _frame(operation: Operation, *, done: bool) -> dict[str, Any]:
    return {
        "id": operation.id,
        "description": "",
        "createdAt": rfc3339(operation.created_at) if done else None,
        "createdBy": "",
        "modifiedAt": rfc3339(operation.updated_at) if done else None,
        "done": done,
        "metadata": None,
    }


_NAMES = {"aspect_ratio": "aspectRatio"}


def _told(operation: Operation) -> dict[str, str]:
    """What the documented body has no place for: who made the picture, and what was not done as asked."""
    picture = operation.pictures[0] if operation.pictures else None
    passed_over = {name for one in operation.attempts if one.state is AttemptState.DONE for name in one.not_honoured}
    passed_over = {_NAMES.get(name, name) for name in passed_over}
    passed_over |= {"mimeType"} if "mime_type" in operation.reply else set()
    told = {
        "model": operation.model,
        "provider": operation.provider,
        "seed": picture.seed if picture else None,
        "revised-prompt": _encoded(picture.revised_prompt) if picture and picture.revised_prompt else None,
        "not-honoured": ", ".join(sorted(passed_over)) or None,
    }
    return {f"x-imagegate-{name}": str(value) for name, value in told.items() if value is not None}


def _encoded(text: str) -> str:
    """Percent-encoded UTF-8, because headers carry no other letters than ASCII's."""
    return quote(shortened(text, _LONGEST_REVISED_PROMPT), safe=" ")


_GRPC_OF_FAILURE = {
    FailureCode.INVALID_REQUEST: 3,
    FailureCode.CONTENT_FILTERED: 3,
    FailureCode.RATE_LIMITED: 8,
    FailureCode.NO_CREDIT: 8,
    FailureCode.BUDGET_EXCEEDED: 8,
    FailureCode.CAPACITY: 14,
    FailureCode.DEADLINE_EXCEEDED: 4,
    FailureCode.UPSTREAM_TIMEOUT: 4,
    FailureCode.CANCELLED: 1,
}
_INTERNAL = 13


def failure(operation: Operation, reason: Failure) -> Answer:
    """The failed operation: HTTP 200, the verdict is in `error`; never with code 0, which clients take for none."""
    error = {"code": _GRPC_OF_FAILURE.get(reason.code, _INTERNAL), "message": reason.message, "details": []}
    return Answer(200, {**_frame(operation, done=True), "error": error})


_STATUS_OF_GRPC = {1: 499, 3: 400, 5: 404, 7: 403, 8: 429, 9: 400, 10: 409, 12: 405, 13: 500, 14: 503, 16: 401}
_GRPC_OF_STATUS = {404: 5, 405: 12, 429: 8, 503: 14}
_GRPC_OF_REFUSAL = {
    "invalid_api_key": 16,
    "model_not_allowed": 7,
    "operation_not_found": 5,
    "gone": 5,
    "model_not_found": 3,
    "wrong_state": 9,
    "conflict": 10,
    "rate_limit_exceeded": 8,
    "insufficient_quota": 8,
    "idempotency_key_reused": 9,
    "expansion_unavailable": 9,
}


def refusal(error: RequestError) -> Answer:
    """The answer to a request that has to be changed."""
    message = f"{error.message} {error.remedy}" if error.remedy else error.message
    return problem(_GRPC_OF_REFUSAL.get(error.code, 3), message)


def breakdown(status: int, message: str) -> Answer:
    """The answer to what went wrong on our side, or to a route that does not exist."""
    code = _GRPC_OF_STATUS.get(status, 3 if status < 500 else _INTERNAL)
    return replace(problem(code, message), status=status)


def problem(code: int, message: str) -> Answer:
    """The error body of the service's gateway: `error` repeats `message`."""
    body = {"error": message, "code": code, "message": message, "details": []}
    return Answer(_STATUS_OF_GRPC[code], body)
