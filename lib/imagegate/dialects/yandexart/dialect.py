"""YandexART's asynchronous operations as the gateway sees them."""

import re
from collections.abc import Mapping

from imagegate.dialects.dialect import RenderContext
from imagegate.dialects.header_texts import is_header_text
from imagegate.dialects.response import ApiResponse, failure_of, redirect_advice
from imagegate.dialects.yandexart import responses
from imagegate.domain.errors import RequestError
from imagegate.domain.operation.operation import Operation

NAME = "yandexart"
CLIENT_ID = "x-client-request-id"
"""The header with the caller's own id of a request, which the answer repeats."""
_XRAY_TRACE = re.compile(r"Root=([0-9a-f-]+)")


class YandexArtDialect:
    """Asynchronous: a client polls the API's own paths for one JPEG in base64."""

    name = NAME
    folder = "yandexart"
    title = "YandexART"
    needs_pictures = True

    def owns(self, path: str, query: bytes) -> bool:
        """The paths of Yandex's service."""
        return path.startswith(("/foundationModels/", "/operations/"))

    def id_headers(self, headers: Mapping[str, str], request_id: str) -> Mapping[str, str]:
        """A trace's id, X-Ray's where there is one, and the caller's own id (docs/protocols/yandexart.md#headers)."""
        traced = _XRAY_TRACE.search(headers.get("x-amzn-trace-id", ""))
        found = {"x-server-trace-id": traced[1] if traced else request_id}
        client_id = headers.get(CLIENT_ID, "")
        return found | {CLIENT_ID: client_id} if client_id and is_header_text(client_id) else found

    def render_refusal(self, error: RequestError, request_id: str) -> ApiResponse:
        """The error body of the service's gateway."""
        return responses.render_refusal(error)

    def render_breakdown(self, status: int, code: str, message: str, request_id: str) -> ApiResponse:
        """The error body of the service's gateway."""
        return responses.render_breakdown(status, message)

    def render_ended(self, operation: Operation, context: RenderContext) -> ApiResponse:
        """The operation with its picture or its error."""
        if failure := failure_of(operation):
            return responses.render_failure(operation, failure)
        return responses.render_success(operation, context.read_base64(operation, operation.pictures[0]))

    def render_partial(self, operation: Operation, context: RenderContext) -> None:
        """There are no streams."""

    def render_pending(
        self, operation: Operation, context: RenderContext, *, repeats: bool, retry_after: int
    ) -> ApiResponse:
        """The running operation, which its clients poll."""
        return responses.render_pending(operation)

    def render_redirect(self, operation: Operation, location: str) -> ApiResponse:
        """303 with the service's error body, for clients that do not follow it."""
        error = responses.render_error(9, redirect_advice(operation))
        return ApiResponse(303, error.body, {"location": location})

    def render_too_large(self, operation: Operation, context: RenderContext) -> ApiResponse:
        """A failed precondition with the operation's address in the operations API."""
        return responses.render_error(
            9, f"The picture is too large for this answer: GET /v1/operations/{operation.id}."
        )


YANDEXART = YandexArtDialect()
