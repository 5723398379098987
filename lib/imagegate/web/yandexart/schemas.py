"""Bodies of YandexART's API in the OpenAPI document."""

from typing import Any

from imagegate.web.openapi_parts import Moment, Schema


class YandexOperationSchema(Schema):
    """YandexART's operation, with `response` or `error` once it is done."""

    id: str
    description: str
    createdAt: Moment | None
    createdBy: str
    modifiedAt: Moment | None
    done: bool
    metadata: dict[str, Any] | None
    response: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class YandexErrorSchema(Schema):
    """The error body of YandexART's gateway."""

    error: str
    code: int
    message: str
    details: list[Any]
