"""YandexART's asynchronous operations.

Contract: reference/yandexart.md §1 and §9. Numbers come as strings or numbers, zero means "default",
extra fields are ignored, the Content-Type is not looked at.
"""

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from imagegate.dialects.answer import Answer
from imagegate.dialects.parsing import document_of, first_problem
from imagegate.domain.errors import Failure, FailureCode, InvalidRequest, RequestError
from imagegate.domain.operation import Operation
from imagegate.domain.representation import rfc3339
from imagegate.domain.request import ImageRequest, Message
from imagegate.usecases.start import Ask

NAME = "yandexart"
DEADLINE = 24 * 3600.0
RESPONSE_TYPE = "type.googleapis.com/yandex.cloud.ai.foundation_models.v1.image_generation.ImageGenerationResponse"
_MODEL_URI = re.compile(r"^art://[^/]+/(?P<model>[^/]+)(/(?P<branch>[^/]+))?$")
_NOT_BLANK = {"pattern": r"\S"}


def _default_for_none(value: Any) -> Any:
    return 0 if value is None else value


Integer = Annotated[int, BeforeValidator(_default_for_none), Field(ge=0, lt=2**63)]
Double = Annotated[float, BeforeValidator(_default_for_none), Field(allow_inf_nan=False)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class WeightedMessage(_Body):
    """One part of the prompt; weight 0 or absent counts as 1."""

    text: Annotated[str, Field(json_schema_extra=_NOT_BLANK)]
    weight: Double = 0.0


class AspectRatio(_Body):
    """Width to height; 0 or absent counts as 1."""

    width_ratio: Annotated[Integer, Field(alias="widthRatio")] = 0
    height_ratio: Annotated[Integer, Field(alias="heightRatio")] = 0


class GenerationOptions(_Body):
    """Everything but the prompt."""

    mime_type: Annotated[str | None, Field(alias="mimeType")] = None
    seed: Integer = 0
    aspect_ratio: Annotated[AspectRatio | None, Field(alias="aspectRatio")] = None


class GenerationBody(_Body):
    """The body of POST /foundationModels/v1/imageGenerationAsync."""

    model_uri: Annotated[str, Field(alias="modelUri", json_schema_extra={"pattern": "^art://[^/]+/[^/]+(/[^/]+)?$"})]
    messages: Annotated[list[WeightedMessage], Field(min_length=1)]
    generation_options: Annotated[GenerationOptions | None, Field(alias="generationOptions")] = None


def parse(body: bytes) -> Ask:
    """Understand a request. Raises InvalidRequest with the offending field in `param`."""
    try:
        asked = GenerationBody.model_validate(document_of(body))
    except ValidationError as error:
        raise first_problem(error) from None
    options = asked.generation_options or GenerationOptions()
    ratio = options.aspect_ratio or AspectRatio()
    request = ImageRequest(
        model=_model(asked.model_uri),
        messages=tuple(Message(one.text, one.weight or 1.0) for one in asked.messages),
        seed=options.seed or None,
        ratio=(ratio.width_ratio or 1, ratio.height_ratio or 1),
        output_format="jpeg",
    )
    if not request.prompt.strip():
        raise InvalidRequest("The prompt is empty.", param="messages")
    return Ask(request, NAME, deadline=DEADLINE)


def _model(uri: str) -> str:
    matched = _MODEL_URI.match(uri)
    if not matched:
        raise InvalidRequest(
            f"invalid model_uri '{uri}'.", param="modelUri", remedy="Use art://<folder>/<model>/latest."
        )
    return matched["model"]


def pending(operation: Operation) -> Answer:
    """The operation while it runs, key for key as the service writes it: no `response`, no `error`."""
    return Answer(
        200,
        {
            "id": operation.id,
            "description": "",
            "createdAt": None,
            "createdBy": "",
            "modifiedAt": None,
            "done": False,
            "metadata": None,
        },
    )


def _ended(operation: Operation) -> dict[str, Any]:
    return {
        "id": operation.id,
        "description": "",
        "createdAt": rfc3339(operation.created_at),
        "createdBy": "",
        "modifiedAt": rfc3339(operation.updated_at),
        "done": True,
        "metadata": None,
    }


def success(operation: Operation, image: str) -> Answer:
    """The finished operation; `image` is the JPEG in standard base64."""
    response = {"@type": RESPONSE_TYPE, "image": image, "modelVersion": ""}
    return Answer(200, {**_ended(operation), "response": response})


_GRPC_OF_FAILURE = {
    FailureCode.INVALID_REQUEST: 3,
    FailureCode.CONTENT_FILTERED: 3,
    FailureCode.RATE_LIMITED: 8,
    FailureCode.NO_CREDIT: 8,
    FailureCode.CAPACITY: 14,
    FailureCode.DEADLINE_EXCEEDED: 4,
    FailureCode.UPSTREAM_TIMEOUT: 4,
    FailureCode.CANCELLED: 1,
}
_INTERNAL = 13


def failure(operation: Operation, reason: Failure) -> Answer:
    """The failed operation: HTTP 200, the verdict is in `error`."""
    code = _GRPC_OF_FAILURE.get(reason.code, _INTERNAL)
    return Answer(200, {**_ended(operation), "error": {"code": code, "message": reason.message, "details": []}})


_STATUS_OF_GRPC = {1: 499, 3: 400, 5: 404, 7: 403, 8: 429, 9: 400, 13: 500, 14: 503, 16: 401}
_GRPC_OF_REFUSAL = {
    "invalid_api_key": 16,
    "model_not_allowed": 7,
    "operation_not_found": 5,
    "gone": 5,
    "model_not_found": 3,
    "wrong_state": 9,
    "rate_limit_exceeded": 8,
    "insufficient_quota": 8,
}


def refusal(error: RequestError) -> Answer:
    """The answer to a request that has to be changed."""
    message = f"{error.message} {error.remedy}" if error.remedy else error.message
    return problem(_GRPC_OF_REFUSAL.get(error.code, 3), message)


def problem(code: int, message: str) -> Answer:
    """The error body of the service's gateway: `error` repeats `message`."""
    body = {"error": message, "code": code, "message": message, "details": []}
    return Answer(_STATUS_OF_GRPC[code], body)
