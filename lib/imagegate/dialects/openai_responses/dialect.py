"""OpenAI's Responses API as the gateway sees it.

The wait function loads this module at every cold start, so what renders answers is imported when one is rendered.
"""

from imagegate.dialects.dialect import RenderContext
from imagegate.dialects.openai.dialect import OpenAIImagesDialect
from imagegate.dialects.response import ApiResponse
from imagegate.domain.operation.operation import Operation

NAME = "openai_responses"
PATH = "/v1/responses"


class OpenAIResponses(OpenAIImagesDialect):
    """Synchronous unless the request says `background`. Refusals and pending answers are those of the Images API."""

    name = NAME
    folder = "openai_responses"
    title = "OpenAI Responses"
    _smaller = "output_format 'webp' or 'jpeg'"
    _size_param = None

    def owns(self, path: str, query: bytes) -> bool:
        """Responses."""
        return path == PATH or path.startswith(f"{PATH}/")

    def render_ended(self, operation: Operation, context: RenderContext) -> ApiResponse:
        """The response with its pictures in base64, or the failure."""
        from imagegate.dialects.openai_responses import responses

        return responses.render_ended(operation, context)

    def render_partial(self, operation: Operation, context: RenderContext) -> ApiResponse:
        """The event of a partial picture; before the first one, those that begin the response."""
        from imagegate.dialects.openai_responses import responses

        return responses.render_partial(operation, context)


OPENAI_RESPONSES = OpenAIResponses()
