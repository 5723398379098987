"""What the OpenAPI document says of YandexART's API. A constant belongs to the routes of its name."""

from typing import Any

from imagegate.dialects import yandexart
from imagegate.web import schemas
from imagegate.web.contract_words import body, yandex_errors

_YANDEX = {"model": schemas.YandexOperationShape, "description": "The operation."}
YANDEX_GENERATE: dict[str, Any] = {
    "tags": ["YandexART"],
    "summary": "Start a generation",
    "responses": {200: _YANDEX, **yandex_errors(s400="The request has to be changed.")},
    "openapi_extra": body(
        yandexart.GenerationBody,
        documented={
            "modelUri": "art://<folder>/yandex-art/latest",
            "generationOptions": {"seed": "1863", "aspectRatio": {"widthRatio": "2", "heightRatio": "1"}},
            "messages": [{"weight": "1", "text": "a pattern of pastel succulents"}],
        },
    ),
}
YANDEX_GET: dict[str, Any] = {
    "tags": ["YandexART"],
    "summary": "Ask for the result",
    "responses": {
        200: _YANDEX,
        303: {"description": "Too large for one answer: it is at Location.", "model": dict[str, Any]},
        **yandex_errors(s404="No such operation."),
    },
}
