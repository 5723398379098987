"""What the OpenAPI document says of YandexART's API. A constant belongs to the routes of its name."""

from typing import Any

from imagegate.dialects.yandexart import requests as yandexart_requests
from imagegate.web import openapi_schemas as schemas
from imagegate.web.openapi_parts import DATA_LOGGING, OVERTAKEN, body, header, yandex_errors

_OPERATION = {"model": schemas.YandexOperationSchema, "description": "The operation."}
_TOO_LARGE = {"description": "Too large for one answer: it is at Location.", "model": dict[str, Any]}
_KEY = header("idempotency-key", "The same key gives the same operation for at least 24 hours.")
_KEY["schema"] |= {"maxLength": 255}
_EXPAND = header(yandexart_requests.EXPAND, "`true`: have a language model write the prompt out first.")
_EXPAND["schema"] |= {"enum": ["true", "false"]}
YANDEX_GENERATE: dict[str, Any] = {
    "tags": ["YandexART"],
    "summary": "Start a generation",
    "responses": {
        200: _OPERATION,
        303: _TOO_LARGE,
        **yandex_errors(s400="The request has to be changed.", s409=OVERTAKEN),
    },
    "openapi_extra": {
        "parameters": [
            _KEY,
            _EXPAND,
            DATA_LOGGING,
            header("x-client-request-id", "Comes back with the answer, and stands in the operation's metadata."),
        ],
        **body(
            yandexart_requests.GenerationBody,
            documented={
                "modelUri": "art://<folder>/yandex-art/latest",
                "generationOptions": {"seed": "1863", "aspectRatio": {"widthRatio": "2", "heightRatio": "1"}},
                "messages": [{"weight": "1", "text": "a pattern of pastel succulents"}],
            },
        ),
    },
}
YANDEX_GET: dict[str, Any] = {
    "tags": ["YandexART"],
    "summary": "Ask for the result",
    "responses": {200: _OPERATION, 303: _TOO_LARGE, **yandex_errors(s404="No such operation, or no longer.")},
}
YANDEX_CANCEL: dict[str, Any] = {
    **YANDEX_GET,
    "summary": "Cancel a generation",
    "description": "Answers the operation as it then stands; one that has ended stays as it is.",
}
YANDEX_CANCEL_BY_POST: dict[str, Any] = {**YANDEX_CANCEL, "summary": "Cancel a generation (for clients that post)"}
