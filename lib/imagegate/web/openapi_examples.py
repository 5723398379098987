"""Examples of answers for the OpenAPI document, made by the dialects themselves from one operation of yesterday."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from imagegate.dialects.openai import requests as openai_requests
from imagegate.dialects.openai import responses as openai_responses
from imagegate.dialects.operations import requests as operations_requests
from imagegate.dialects.operations import responses as operations_responses
from imagegate.dialects.operations import usage as operations_usage
from imagegate.dialects.operations import webhooks as operations_webhooks
from imagegate.dialects.response import ApiResponse, RenderedPicture
from imagegate.dialects.yandexart import requests as yandexart_requests
from imagegate.dialects.yandexart import responses as yandexart_responses
from imagegate.domain.access.api_key import ApiKey, KeyLimits
from imagegate.domain.access.ledger import UsageTotals, day_of
from imagegate.domain.errors import (
    Failure,
    FailureCode,
    Forbidden,
    Gone,
    InvalidRequest,
    KeyReused,
    Overtaken,
    RateLimited,
    RequestError,
    Unauthenticated,
    UnknownModel,
    UnknownOperation,
    WrongState,
)
from imagegate.domain.operation.account import Amount
from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.listing import Page
from imagegate.domain.operation.operation import Operation, Picture, State
from imagegate.domain.operation.representation import picture_path
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.domain.timing.schedule import Outlook
from imagegate.domain.webhooks.delivery import Delivery, DeliveryAttempt, DeliveryState
from imagegate.domain.webhooks.webhook import Webhook
from imagegate.providers import registry
from imagegate.web import responses

Bodies = Mapping[int, Any]

_ID, _AT, _REQUEST_ID = "06gzj55vfn0ajhf9kn2m", 1_794_000_000.0, "Xm2hPjRDoAMESDw="
_PICTURE = Picture(0, f"images/2m/{_ID}/0.webp", "9f86d081" * 8, "image/webp", 1024, 768, 48_213, "voodoohop", 7)
_ATTEMPT = Attempt(1, "voodoohop", "flux-1-schnell", (0,), AttemptState.DONE, _AT + 0.4, ended_at=_AT + 4.1)
_QUEUED = Operation(
    _ID, "k1", openai_requests.NAME, ImageRequest("flux", (Message("a red fox in the snow"),)), _AT, _AT + 900,
    _AT + 60,
    model="flux", updated_at=_AT,
)  # fmt: skip
_DONE = replace(
    _QUEUED, state=State.SUCCEEDED, version=4, attempts=(_ATTEMPT,), pictures=(_PICTURE,), updated_at=_AT + 4.1,
    started_at=_AT + 0.4, ended_at=_AT + 4.1,
)  # fmt: skip
_KEY = ApiKey("0123456789ab", "billing", "0123456789ab", "", _AT, limits=KeyLimits(60, 5, 200, 2_500_000))
_OUTLOOK = Outlook(4, _AT + 4.0)
_URL = f"https://bucket.s3.eu-central-1.amazonaws.com/{_PICTURE.key}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=…"


def _link(operation: Operation, slot: int) -> str:
    return picture_path(operation, slot)


def _native(operation: Operation) -> Any:
    return operations_responses.render_operation(
        replace(operation, dialect=operations_requests.NAME), _link, _OUTLOOK
    ).body


_PICTURES: Bodies = {
    200: openai_responses.render_success(_DONE, [RenderedPicture(_PICTURE, url=_URL)]).body,
    202: _native(_QUEUED),
    303: responses.render_unfinished(_QUEUED),
}
_FLUX = next(iter(registry.routes()))
_FAILURES = {
    424: openai_responses.render_failure(
        Failure(FailureCode.UPSTREAM_FAILED, "voodoohop failed without saying why."), _DONE
    ),
    429: openai_responses.render_failure(Failure(FailureCode.RATE_LIMITED, "voodoohop is throttled."), _DONE),
    503: openai_responses.render_pending(_QUEUED, repeats=True, retry_after=30),
    504: openai_responses.render_pending(_QUEUED, repeats=False, retry_after=30),
}
_CANCELLED = {
    200: yandexart_responses.render_failure(_DONE, Failure(FailureCode.CANCELLED, "The operation was cancelled.")).body,
    303: responses.render_unfinished(_DONE),
}
_HOOKED = replace(_DONE, webhook=Webhook("https://example.com/hook", ("succeeded", "failed")))
_DELIVERED = Delivery(
    _ID, 4, "succeeded", f"{_ID}.4", "", _AT + 4.1, _AT + 2_592_000, state=DeliveryState.DELIVERED,
    tries=(DeliveryAttempt(_AT + 4.3, 0.08, 204),),
)  # fmt: skip
EXAMPLES: Mapping[str, Bodies] = {
    "generate": _PICTURES,
    "edit": _PICTURES,
    "vary": _PICTURES,
    "models": {200: {"object": "list", "data": [openai_responses.render_model(_FLUX)]}},
    "model": {200: openai_responses.render_model(_FLUX)},
    "create": {200: _native(_DONE), 202: _native(_QUEUED)},
    "list": {
        200: operations_responses.render_page(
            Page((replace(_DONE, dialect=operations_requests.NAME),), None), _link
        ).body
    },
    "get": {200: _native(_DONE)},
    "cancel": {200: _native(replace(_QUEUED, state=State.CANCELLED, version=2, ended_at=_AT + 1.0))},
    "retry": {202: _native(_QUEUED)},
    "usage": {
        200: operations_usage.render_usage(
            _KEY, UsageTotals(1, {day_of(_AT): Amount(0, 12, 36_000)}), [day_of(_AT)], _AT
        )
    },
    "yandex_generate": {200: yandexart_responses.render_pending(_QUEUED).body, 303: responses.render_unfinished(_DONE)},
    "deliveries": {200: operations_webhooks.render_deliveries(_HOOKED, [_DELIVERED], disabled=False).body},
    "redeliver": {202: operations_webhooks.render_deliveries(_HOOKED, [_DELIVERED.restarted("")], disabled=False).body},
    "yandex_get": {
        200: yandexart_responses.render_success(_DONE, "/9j/4AAQSkZJRg…").body,
        303: responses.render_unfinished(_DONE),
    },
    "yandex_cancel": _CANCELLED,
    "yandex_cancel_by_post": _CANCELLED,
}
"""Route to status to body; errors are the same for all routes of a dialect."""
WAIT_EXAMPLES: Bodies = {
    200: {"openai_images": _PICTURES[200], "operations": _native(_DONE)},
    202: {"operations": _native(_QUEUED)},
    303: {"openai_images": _PICTURES[303], "operations": _PICTURES[303]},
}
"""Of the wait routes, which answer in the dialect that started the operation: status to dialect to body."""
_REFUSALS: Mapping[int, RequestError] = {
    400: InvalidRequest("Missing required parameter: 'prompt'.", param="prompt"),
    401: Unauthenticated("No API key was presented.", remedy="Send Authorization: Bearer ig_…"),
    403: Forbidden("This API key is not for the model 'flux'."),
    404: UnknownModel("The model 'nope' does not exist here.", param="model", remedy="Use one of: flux."),
    409: WrongState(f"Operation {_ID} has succeeded."),
    410: Gone(f"Operation '{_ID}' is no longer kept."),
    422: KeyReused("This Idempotency-Key was used with another request.", param="Idempotency-Key"),
    429: RateLimited("This API key may make 60 requests a minute.", retry_after=1, remedy="Try again in 850ms."),
}
_STARTS = ("create", "generate", "edit", "vary", "yandex_generate")
_DIALECTS = {"OpenAI Images": openai_requests.NAME, "YandexART": yandexart_requests.NAME}


def example(name: str, dialect: str, status: int) -> Any:
    """The body that the route `name` answers with that status; `None` when there is none to show."""
    if status < 400:
        return EXAMPLES.get(name, {}).get(status)
    if status in _FAILURES and dialect == "OpenAI Images":
        return _FAILURES[status].body
    answer = _refusal(name, dialect, status)
    return answer and answer.body


def _refusal(name: str, dialect: str, status: int) -> ApiResponse | None:
    own_dialect = _DIALECTS.get(dialect, operations_requests.NAME)
    if status >= 500 or status == 405:
        code, _ = responses.BREAKDOWNS[status]
        return responses.render_breakdown(
            own_dialect, status, code, "imagegate could not answer; its logs say why.", _REQUEST_ID
        )
    error = _REFUSALS.get(status)
    if status == 409 and name in _STARTS:
        error = Overtaken("Other requests wrote the same thing at the same moment, and came first.")
    if status == 404 and name not in (*_STARTS, "model"):
        error = UnknownOperation(f"Operation '{_ID}' does not exist.")
    return responses.render_refusal(own_dialect, error, _REQUEST_ID) if error else None
