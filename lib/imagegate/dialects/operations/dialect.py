"""imagegate's own operations API as the gateway sees it."""

from collections.abc import Mapping

from imagegate.dialects.dialect import RenderContext
from imagegate.dialects.operations import responses
from imagegate.dialects.response import ApiResponse
from imagegate.domain.errors import RequestError
from imagegate.domain.operation.operation import Operation

NAME = "operations"


class Operations:
    """Asynchronous: a POST is answered with the operation, whose pictures are links."""

    name = NAME
    folder = "operations"
    title = "Operations"
    needs_pictures = False

    def owns(self, path: str, query: bytes) -> bool:
        """Operations, pictures and usage."""
        return path.startswith(("/v1/operations", "/v1/images/", "/v1/usage", "/v1/uploads"))

    def id_headers(self, headers: Mapping[str, str], request_id: str) -> Mapping[str, str]:
        """None beside `x-request-id`."""
        return {}

    def render_refusal(self, error: RequestError, request_id: str) -> ApiResponse:
        """A problem as RFC 9457 has it."""
        return responses.render_refusal(error, request_id)

    def render_breakdown(self, status: int, code: str, message: str, request_id: str) -> ApiResponse:
        """A problem as RFC 9457 has it."""
        return responses.render_problem(status, code, message, request_id)

    def render_ended(self, operation: Operation, context: RenderContext) -> ApiResponse:
        """The operation, whatever became of it."""
        return responses.render_operation(operation, context.picture_link)

    def render_partial(self, operation: Operation, context: RenderContext) -> None:
        """There are no streams."""

    def render_pending(
        self, operation: Operation, context: RenderContext, *, repeats: bool, retry_after: int
    ) -> ApiResponse:
        """202 with the running operation, and in Retry-After the learned time until it ends."""
        return responses.render_accepted(operation, context.picture_link, context.outlook(operation))

    def render_redirect(self, operation: Operation, location: str) -> ApiResponse:
        """303 with a problem, for clients that do not follow it."""
        return responses.render_redirect(operation, location)

    def render_too_large(self, operation: Operation, context: RenderContext) -> ApiResponse:
        """The operation: it holds links, so it is never too large."""
        return self.render_ended(operation, context)


OPERATIONS = Operations()
