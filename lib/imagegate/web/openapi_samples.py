"""An operation and errors, from which the dialects render the examples of the OpenAPI document."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from imagegate.dialects.dialect import Dialect
from imagegate.dialects.openai.dialect import OPENAI_IMAGES
from imagegate.dialects.operations.dialect import OPERATIONS
from imagegate.dialects.operations.responses import render_document
from imagegate.domain.errors import (
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
from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.picture import Picture
from imagegate.domain.operation.representation import picture_path
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.domain.timing.schedule import Outlook
from imagegate.web.errors import BREAKDOWNS

ID, AT = "06gzj55vfn0ajhf9kn2m", 1_794_000_000.0
_REQUEST_ID = "Xm2hPjRDoAMESDw="
PICTURE = Picture(
    slot=0,
    key=f"images/2m/{ID}/0.webp",
    sha256="9f86d081" * 8,
    content_type="image/webp",
    width=1024,
    height=768,
    bytes=48_213,
    provider="voodoohop",
    seed=7,
)
URL = f"https://bucket.s3.eu-central-1.amazonaws.com/{PICTURE.key}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=…"
_ATTEMPT = Attempt(
    number=1,
    provider="voodoohop",
    model="flux-1-schnell",
    slots=(0,),
    state=AttemptState.DONE,
    started_at=AT + 0.4,
    ended_at=AT + 4.1,
)
QUEUED = Operation(
    id=ID, owner="k1", dialect=OPENAI_IMAGES.name,
    request=ImageRequest(model="flux", messages=(Message("a red fox in the snow"),)),
    created_at=AT, deadline=AT + 900, due_at=AT + 60, model="flux", updated_at=AT,
)  # fmt: skip
DONE = replace(
    QUEUED, state=State.SUCCEEDED, version=4, attempts=(_ATTEMPT,), pictures=(PICTURE,), updated_at=AT + 4.1,
    started_at=AT + 0.4, ended_at=AT + 4.1,
)  # fmt: skip
CANCELLED = replace(QUEUED, state=State.CANCELLED, version=2, ended_at=AT + 1.0)
_REFUSALS: Mapping[int, RequestError] = {
    400: InvalidRequest("Missing required parameter: 'prompt'.", param="prompt"),
    401: Unauthenticated("No API key was presented.", remedy="Send Authorization: Bearer ig_…"),
    403: Forbidden("This API key is not for the model 'flux'."),
    404: UnknownOperation(f"Operation '{ID}' does not exist."),
    409: WrongState(f"Operation {ID} has succeeded."),
    410: Gone(f"Operation '{ID}' is no longer kept."),
    422: KeyReused("This Idempotency-Key was used with another request.", param="Idempotency-Key"),
    429: RateLimited("This API key may make 60 requests a minute.", retry_after=1, remedy="Try again in 850ms."),
}
UNKNOWN_MODEL: Mapping[int, RequestError] = {
    404: UnknownModel("The model 'nope' does not exist here.", param="model", remedy="Use one of: flux."),
}
START_REFUSALS: Mapping[int, RequestError] = {
    **UNKNOWN_MODEL,
    409: Overtaken("Other requests changed the same operation at the same time, and were first."),
}
"""Of the routes that start an operation."""


def native(operation: Operation) -> dict[str, Any]:
    """The operation in the operations API."""
    return render_document(replace(operation, dialect=OPERATIONS.name), picture_path, Outlook(4, AT + 4.0))


def render_error(dialect: Dialect, status: int, refusals: Mapping[int, RequestError]) -> Any:
    """The body of an error with that status; `refusals` come before the usual ones."""
    if status in BREAKDOWNS and status != 404:
        message = "imagegate could not answer; its logs say why."
        return dialect.render_breakdown(status, BREAKDOWNS[status][0], message, _REQUEST_ID).body
    return dialect.render_refusal(refusals.get(status) or _REFUSALS[status], _REQUEST_ID).body
