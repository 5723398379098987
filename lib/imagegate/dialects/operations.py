"""imagegate's own operations API: bodies in and out, and problems as RFC 9457 has them."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from imagegate.dialects.answer import Answer
from imagegate.dialects.complaints import first_problem
from imagegate.dialects.pages import LARGEST_PAGE, page_token, take_page
from imagegate.dialects.parsing import (
    WHOLE,
    Line,
    Prompt,
    Text,
    check_combinations,
    document_of,
    idempotency_key,
)
from imagegate.dialects.webhook import WebhookBody
from imagegate.domain.coalescing import digest
from imagegate.domain.errors import InvalidRequest, RequestError, UnknownImage
from imagegate.domain.geometry import Size
from imagegate.domain.ids import is_id
from imagegate.domain.listing import Page
from imagegate.domain.operation import Operation
from imagegate.domain.representation import picture_id, represent, rfc3339
from imagegate.domain.request import ImageRequest, Message
from imagegate.domain.schedule import Outlook
from imagegate.usecases.start import Ask

NAME = "operations"
Link = Callable[[Operation, int], str]
"""The path that leads to the picture in a slot."""
PROBLEM = {"content-type": "application/problem+json"}
LONGEST_DEADLINE = 24 * 3600.0
_KEY = Annotated[Text, Field(min_length=1, max_length=64)]
_VALUE = Annotated[Text, Field(max_length=512)]
_SIDE = Annotated[int, Field(ge=1, le=16384), WHOLE]
_RATIO = r"^[1-9][0-9]{0,3}:[1-9][0-9]{0,3}$"


def _ratio(value: str) -> str:
    if not re.fullmatch(_RATIO, value):
        raise ValueError("must be two whole numbers such as '16:9'")
    return value


class SizeBody(BaseModel):
    """Pixels."""

    model_config = ConfigDict(extra="forbid")

    width: _SIDE
    height: _SIDE


class CreateBody(BaseModel):
    """The body of POST /v1/operations. Null is as good as absent.

    Unknown fields are refused: a typing error must not go unnoticed.
    """

    model_config = ConfigDict(extra="forbid")

    prompt: Prompt
    model: Annotated[Line, Field(min_length=1, max_length=200)]
    provider: Annotated[Line, Field(max_length=200)] | None = Field(
        None, description="Insist on one provider of the model's route."
    )
    n: Annotated[int, Field(ge=1, le=10), WHOLE] | None = Field(None, description="Without, 1.")
    size: SizeBody | None = None
    aspect_ratio: Annotated[str, AfterValidator(_ratio), Field(json_schema_extra={"pattern": _RATIO})] | None = Field(
        None, description="Width to height, in place of `size`.", examples=["16:9"]
    )
    seed: Annotated[int, Field(ge=0, le=2**63 - 1), WHOLE] | None = None
    negative_prompt: Annotated[Text, Field(max_length=32_000)] | None = None
    steps: Annotated[int, Field(ge=1, le=500), WHOLE] | None = None
    guidance: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = None
    output_format: Literal["png", "jpeg", "webp"] | None = None
    output_compression: Annotated[int, Field(ge=0, le=100), WHOLE] | None = Field(
        None, description="Below 100 only with `output_format` jpeg or webp."
    )
    expand: bool | None = Field(None, description="Have a language model write the prompt out first.")
    deadline: Annotated[float, Field(ge=1, le=LONGEST_DEADLINE, allow_inf_nan=False)] | None = Field(
        None, description="Seconds after which the operation fails if it has no picture."
    )
    metadata: Annotated[dict[_KEY, _VALUE], Field(max_length=16)] | None = None
    webhook: WebhookBody | None = None
    validate_only: bool | None = Field(None, description="Check and estimate; make nothing.")


def parse(body: bytes, key: str | None = None) -> tuple[Ask, bool]:
    """Understand a request, which came with an Idempotency-Key if there is a `key`. Raises InvalidRequest.

    The second value says whether it is only to be validated.
    """
    document = document_of(body)
    try:
        asked = CreateBody.model_validate(document, strict=True)
    except ValidationError as error:
        raise first_problem(error) from None
    if asked.size and asked.aspect_ratio:
        raise InvalidRequest("size and aspect_ratio exclude each other.", param="aspect_ratio")
    request = request_of(asked)
    check_combinations(request)
    ask = Ask(
        request,
        NAME,
        deadline=asked.deadline,
        digest=digest(document),
        idempotency_key=idempotency_key(key),
        metadata=asked.metadata or {},
        wanted_webhook=asked.webhook.wanted() if asked.webhook else None,
    )
    return ask, bool(asked.validate_only)


def request_of(asked: CreateBody) -> ImageRequest:
    """The body in the domain's words."""
    ratio = asked.aspect_ratio.split(":") if asked.aspect_ratio else None
    return ImageRequest(
        model=asked.model,
        messages=(Message(asked.prompt),),
        n=asked.n or 1,
        size=Size(asked.size.width, asked.size.height) if asked.size else None,
        ratio=(int(ratio[0]), int(ratio[1])) if ratio else None,
        seed=asked.seed,
        steps=asked.steps,
        guidance=asked.guidance,
        negative_prompt=asked.negative_prompt or None,
        output_format=asked.output_format,
        output_compression=asked.output_compression,
        provider=asked.provider,
        expand=bool(asked.expand),
    )


def present(operation: Operation, link: Link, outlook: Outlook | None = None) -> dict[str, Any]:
    """The operation with its own URLs; clients build none. While it runs, with when it is likely to end."""
    path = f"/v1/operations/{operation.id}"
    images = [link(operation, picture.slot) for picture in operation.pictures]
    urls = {"self": path, "wait": f"{path}/wait", "cancel": f"{path}:cancel", "images": images}
    document = represent(operation)
    for picture, url in zip(document["images"], images, strict=True):
        picture |= {"id": picture_id(operation, picture["slot"]), "url": url}
    ready_at = rfc3339(outlook.ready_at) if outlook and not operation.done else None
    if operation.webhook:
        document["webhook"]["url"] = operation.webhook.url
    return {**document, "estimated_ready_at": ready_at, "urls": urls}


def parse_picture_id(text: str) -> tuple[str, int]:
    """Operation id and slot of a picture id. Raises UnknownImage for an id of another shape."""
    operation_id, _, slot = text.partition("-")
    if not (is_id(operation_id) and slot.isdecimal() and len(slot) < 3):
        raise unknown_picture(text)
    return operation_id, int(slot)


def unknown_picture(picture_id: str) -> UnknownImage:
    """What to raise for the id of a picture that is not there."""
    return UnknownImage(f"Picture '{picture_id}' does not exist.", remedy="Its operation lists those there are.")


def shown(operation: Operation, link: Link, outlook: Outlook | None = None) -> Answer:
    """200: the operation; while it runs, with when to ask again."""
    headers = {"etag": f'W/"{operation.version}"'}
    if outlook and not operation.done:
        headers["retry-after"] = str(outlook.retry_after)
    return Answer(200, present(operation, link, outlook), headers)


def accepted(operation: Operation, link: Link, outlook: Outlook) -> Answer:
    """202: the operation is written down and under way; with when to ask for it."""
    path = f"/v1/operations/{operation.id}"
    headers = {"location": path, "operation-location": path, "retry-after": str(outlook.retry_after)}
    return Answer(202, present(operation, link, outlook), headers)


def listed(page: Page, link: Link, largest: int = LARGEST_PAGE) -> Answer:
    """200: a part of the list, cut where it would have more than `largest` bytes."""
    shown = take_page((present(one, link) for one in page.operations), largest)
    whole = len(shown) == len(page.operations)
    last = page.next_before_id if whole else page.operations[len(shown) - 1].id
    return Answer(200, {"operations": shown, "next_page_token": page_token(last) if last else None})


STATUSES = {
    "invalid_api_key": 401,
    "model_not_allowed": 403,
    "model_not_found": 404,
    "provider_not_found": 404,
    "operation_not_found": 404,
    "image_not_found": 404,
    "wrong_state": 409,
    "conflict": 409,
    "request_too_large": 413,
    "idempotency_key_reused": 422,
    "gone": 410,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
}
TITLES = {
    400: "The request has to be changed",
    401: "No valid API key",
    403: "Not allowed for this API key",
    404: "There is no such thing",
    405: "Not done this way",
    409: "Not possible at this moment",
    410: "No longer kept",
    413: "Too large",
    422: "Not the same request",
    429: "Too much for this API key",
    500: "imagegate broke down",
}


def refusal(error: RequestError, request_id: str) -> Answer:
    """The answer to a request that has to be changed."""
    status = STATUSES.get(error.code, 400)
    return problem(status, error.code, error.message, request_id, remedy=error.remedy, param=error.param)


def problem(status: int, code: str, detail: str, request_id: str, **more: str | None) -> Answer:
    """An RFC 9457 body; `more` that is not `None` is added."""
    body = {
        "type": "about:blank",
        "title": TITLES.get(status, "Not answered"),
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
        **{name: value for name, value in more.items() if value is not None},
    }
    return Answer(status, body, PROBLEM)
