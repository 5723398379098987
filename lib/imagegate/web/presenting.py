"""Operations in the dialect of whoever asked for them."""

import base64
from collections.abc import Sequence

from imagegate.dialects import openai_images, yandexart
from imagegate.dialects.answer import Answer, Handout
from imagegate.domain.errors import Failure, FailureCode, RequestError
from imagegate.domain.operation import Operation, State
from imagegate.ports import ImageStore

_CANCELLED = Failure(FailureCode.CANCELLED, "The operation was cancelled.")


def reason_of(operation: Operation) -> Failure | None:
    """Why an ended operation has no picture; `None` when it has."""
    return _CANCELLED if operation.state is State.CANCELLED else operation.failure


def ended(operation: Operation, images: ImageStore) -> Answer:
    """The answer to an operation that has ended."""
    reason = reason_of(operation)
    if operation.dialect == yandexart.NAME:
        return yandexart_operation(operation, images)
    if reason:
        return openai_images.failure(reason, operation)
    return openai_images.success(operation, _handouts(operation, images))


def yandexart_operation(operation: Operation, images: ImageStore) -> Answer:
    """The operation as YandexART's clients read it."""
    if not operation.done:
        return yandexart.pending(operation)
    reason = reason_of(operation)
    if reason:
        return yandexart.failure(operation, reason)
    return yandexart.success(operation, _base64(images.get(operation.pictures[0].key)))


def unfinished(operation: Operation) -> object:
    """A short body for clients that show redirects instead of following them."""
    return {"id": operation.id, "state": operation.state, "done": operation.done}


def out_of_patience(operation: Operation, status: int) -> Answer:
    """The picture is still being made, but the client will not follow any further."""
    message = (
        f"The picture is still being made. Nothing is lost: GET /v1/operations/{operation.id}/wait "
        "with the same key waits on, or repeat the same request."
    )
    answer = openai_images.problem(status, message, "server_error", "operation_pending", None)
    return Answer(status, {**answer.body, "operation_id": operation.id})


def refusal(path: str, error: RequestError) -> Answer:
    """The answer to a request that has to be changed, in the dialect its path belongs to."""
    return yandexart.refusal(error) if speaks_yandexart(path) else openai_images.refusal(error)


def breakdown(path: str, status: int, message: str) -> Answer:
    """The answer to what went wrong on our side, or to a route that does not exist."""
    if speaks_yandexart(path):
        return Answer(status, yandexart.problem(5 if status < 500 else 13, message).body)
    kind = "invalid_request_error" if status < 500 else "server_error"
    return openai_images.problem(status, message, kind, None, None)


def speaks_yandexart(path: str) -> bool:
    """True for the paths of YandexART's API."""
    return path.startswith(("/foundationModels/", "/operations/"))


def _handouts(operation: Operation, images: ImageStore) -> Sequence[Handout]:
    if openai_images.wants_base64(operation):
        return [Handout(one, b64=_base64(images.get(one.key))) for one in operation.pictures]
    return [Handout(one, url=images.presign(one.key)) for one in operation.pictures]


def _base64(body: bytes) -> str:
    return base64.b64encode(body).decode()
