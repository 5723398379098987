"""Operations and errors in the dialect of whoever asked."""

import base64
import math
import re
from collections.abc import Mapping, Sequence

from starlette.types import Scope

from imagegate.dialects.openai import requests as openai_requests
from imagegate.dialects.openai import responses as openai_responses
from imagegate.dialects.operations import requests as operations_requests
from imagegate.dialects.operations import responses as operations_responses
from imagegate.dialects.response import ApiResponse, RenderedPicture
from imagegate.dialects.yandexart import requests as yandexart_requests
from imagegate.dialects.yandexart import responses as yandexart_responses
from imagegate.domain.errors import (
    Failure,
    FailureCode,
    Gone,
    Overtaken,
    QuotaExhausted,
    RateLimited,
    RequestError,
    Unauthenticated,
)
from imagegate.domain.operation.operation import Operation, Picture, State
from imagegate.ports.storage import ImageStore

_CANCELLED = Failure(FailureCode.CANCELLED, "The operation was cancelled.")
_CHALLENGE = {"www-authenticate": 'Bearer realm="imagegate"'}
"""RFC 9110 §15.5.2: every 401 carries one."""
BREAKDOWNS = {
    404: ("no_such_route", "There is nothing under this path."),
    405: ("method_not_allowed", "The path is there, but not for this method."),
    500: ("internal", "imagegate broke down; its logs say why under the answer's `x-request-id`."),
}
"""What is said by no dialect but the front itself: status to code and meaning."""
_OWN_PATHS = ("/v1/operations", "/v1/images/", "/v1/usage")
_HOP = re.compile(rb"(^|&)hop=")
_LONGEST_PAUSE = 59
"""Seconds that every client waits as told; above 60, some do not (docs/protocols/openai-images.md#retries)."""


def dialect_of(scope: Scope) -> str:
    """The dialect that a request is in, for errors: its operation's, or before there is one, what its path says."""
    if dialect := scope.get("state", {}).get("dialect"):
        return str(dialect)
    path = scope["path"]
    if path.startswith(("/foundationModels/", "/operations/")):
        return yandexart_requests.NAME
    # Whoever has hopped on the wait route was sent there by another dialect, most likely OpenAI's.
    sent_there = path.endswith("/wait") and _HOP.search(scope["query_string"])
    native = path.startswith(_OWN_PATHS) and not sent_there and path.rstrip("/") not in openai_responses.PATHS
    return operations_requests.NAME if native else openai_requests.NAME


def render_refusal(dialect: str, error: RequestError, request_id: str) -> ApiResponse:
    """The answer to a request that has to be changed."""
    return _refusal(dialect, error, request_id).with_headers(_advice(error))


def _advice(error: RequestError) -> Mapping[str, str]:
    """Headers that say what to do: show a key, come back in a moment, or not before tomorrow."""
    if isinstance(error, Unauthenticated):
        return _CHALLENGE
    if isinstance(error, Overtaken):
        return {"retry-after": "1"}
    if not isinstance(error, RateLimited):
        return {}
    today = isinstance(error, QuotaExhausted)
    headers = {"x-should-retry": "false"} if today else {}
    if error.retry_after is not None:
        pause = max(1, math.ceil(error.retry_after))
        headers["retry-after"] = str(pause if today else min(pause, _LONGEST_PAUSE))
    return headers


def _refusal(dialect: str, error: RequestError, request_id: str) -> ApiResponse:
    if dialect == yandexart_requests.NAME:
        return yandexart_responses.render_refusal(error)
    if dialect == operations_requests.NAME:
        return operations_responses.render_refusal(error, request_id)
    return openai_responses.render_refusal(error)


def render_breakdown(dialect: str, status: int, code: str, message: str, request_id: str) -> ApiResponse:
    """The answer to what went wrong on our side, or to a route that does not exist."""
    if dialect == yandexart_requests.NAME:
        return yandexart_responses.render_breakdown(status, message)
    if dialect == operations_requests.NAME:
        return operations_responses.render_problem(status, code, message, request_id)
    kind = "invalid_request_error" if status < 500 else "server_error"
    return openai_responses.render_error(status, message, kind, code, None)


def render_ended(operation: Operation, images: ImageStore, link: operations_responses.Link) -> ApiResponse:
    """The answer to an operation that has ended. Raises Gone when it needs bytes that are no longer there."""
    if operation.dialect == operations_requests.NAME:
        return operations_responses.render_operation(operation, link)
    if operation.dialect == yandexart_requests.NAME:
        return render_yandexart(operation, images)
    reason = _reason(operation)
    if reason:
        return openai_responses.render_failure(reason, operation)
    return openai_responses.render_success(operation, _render_pictures(operation, images))


def render_yandexart(operation: Operation, images: ImageStore, retry_after: int | None = None) -> ApiResponse:
    """The operation as YandexART's clients read it. Raises Gone when its picture is no longer there."""
    if not operation.done:
        return yandexart_responses.render_pending(operation, retry_after)
    reason = _reason(operation)
    if reason:
        return yandexart_responses.render_failure(operation, reason)
    return yandexart_responses.render_success(operation, _base64(operation, images, operation.pictures[0]))


def pictures_gone(operation: Operation) -> Gone:
    """What to raise for an operation whose pictures the bucket has removed."""
    return Gone(f"The pictures of operation '{operation.id}' are no longer kept.", remedy="Start a new one.")


def render_unfinished(operation: Operation) -> object:
    """A short body for clients that show redirects instead of following them."""
    return {"id": operation.id, "state": operation.state, "done": operation.done}


def render_pending(operation: Operation, repeats: bool, retry_after: int) -> ApiResponse:
    """The pictures are still being made, but the client will follow no further redirect.

    `repeats`: the client posts again when told to, after `retry_after` seconds.
    """
    if operation.dialect == yandexart_requests.NAME:
        return yandexart_responses.render_pending(operation)
    return openai_responses.render_pending(operation, repeats, retry_after)


def too_large(operation: Operation, images: ImageStore) -> ApiResponse:
    """The pictures are there, but their bytes are more than Lambda returns, and the client follows no redirect."""
    return openai_responses.too_large(operation, [images.presign(picture.key) for picture in operation.pictures])


def _reason(operation: Operation) -> Failure | None:
    """Why an ended operation has no picture; `None` when it has."""
    return _CANCELLED if operation.state is State.CANCELLED else operation.failure


def _render_pictures(operation: Operation, images: ImageStore) -> Sequence[RenderedPicture]:
    if openai_responses.wants_base64(operation):
        return [RenderedPicture(picture, b64=_base64(operation, images, picture)) for picture in operation.pictures]
    return [RenderedPicture(picture, url=images.presign(picture.key)) for picture in operation.pictures]


def _base64(operation: Operation, images: ImageStore, picture: Picture) -> str:
    try:
        return base64.b64encode(images.get(picture.key, operation.created_at)).decode()
    except KeyError:
        raise pictures_gone(operation) from None
