"""What the OpenAPI document says of YandexART's API."""

from dataclasses import replace

from imagegate.dialects.yandexart import requests as yandexart_requests
from imagegate.dialects.yandexart import responses as yandexart_responses
from imagegate.dialects.yandexart.dialect import CLIENT_ID, YANDEXART
from imagegate.domain.failure import Failure, FailureCode
from imagegate.web import openapi_samples as samples
from imagegate.web.openapi_parts import (
    DATA_LOGGING,
    OVERTAKEN,
    TOO_LARGE,
    Documented,
    ErrorAnswers,
    ErrorFormat,
    Responses,
    header,
    json_body,
)
from imagegate.web.yandexart.schemas import YandexErrorSchema, YandexOperationSchema

_ERRORS = ErrorAnswers((ErrorFormat(dialect=YANDEXART, schema=YandexErrorSchema),))
_ANSWERS: Responses = {
    200: {"model": YandexOperationSchema, "description": "The operation."},
    303: TOO_LARGE,
}
_REDIRECT = YANDEXART.render_redirect(samples.DONE, "").body
_STOPPED = Failure(FailureCode.CANCELLED, "The operation was cancelled.")
_GET = Documented(
    summary="Get the result",
    responses={**_ANSWERS, **_ERRORS(s404="The operation does not exist, or is no longer kept.")},
    errors=_ERRORS,
    examples={200: yandexart_responses.render_success(samples.DONE, "/9j/4AAQSkZJRg…").body, 303: _REDIRECT},
)
_CANCEL = replace(
    _GET,
    summary="Cancel a generation",
    description="Answers with the operation; one that has ended stays unchanged.",
    examples={200: yandexart_responses.render_failure(samples.DONE, _STOPPED).body, 303: _REDIRECT},
)
DOCUMENTED = {
    "yandex_generate": Documented(
        summary="Start a generation",
        responses={**_ANSWERS, **_ERRORS(s400="The request must be changed.", s409=OVERTAKEN)},
        errors=_ERRORS,
        examples={200: yandexart_responses.render_pending(samples.QUEUED).body, 303: _REDIRECT},
        refusals=samples.START_REFUSALS,
        requires_model=True,
        parameters=(
            header("idempotency-key", "The same key gives the same operation for at least 24 hours.", maxLength=255),
            header(
                yandexart_requests.EXPAND,
                "`true`: expand the prompt with a language model first.",
                enum=["true", "false"],
            ),
            DATA_LOGGING,
            header(CLIENT_ID, "Repeated in the answer, and stored in the operation's metadata."),
        ),
        body=json_body(
            yandexart_requests.GenerationBody,
            documented={
                "modelUri": "art://<folder>/yandex-art/latest",
                "generationOptions": {"seed": "1863", "aspectRatio": {"widthRatio": "2", "heightRatio": "1"}},
                "messages": [{"weight": "1", "text": "a pattern of pastel succulents"}],
            },
        ),
    ),
    "yandex_get": _GET,
    "yandex_cancel": _CANCEL,
    "yandex_cancel_by_post": replace(_CANCEL, summary="Cancel a generation (for clients that use POST)"),
}
