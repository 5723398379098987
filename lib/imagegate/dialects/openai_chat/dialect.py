"""OpenAI's Chat Completions API as the gateway sees it.

The wait function loads this module at every cold start, so what renders answers is imported when one is rendered.
"""

from imagegate.dialects.dialect import RenderContext
from imagegate.dialects.openai.dialect import OpenAIImagesDialect
from imagegate.dialects.response import ApiResponse
from imagegate.domain.operation.operation import Operation

NAME = "openai_chat"
PATH = "/v1/chat/completions"


class OpenAIChat(OpenAIImagesDialect):
    """Synchronous. Refusals, failures and pending answers are those of the Images API."""

    name = NAME
    folder = "openai_chat"
    title = "OpenAI Chat Completions"
    _smaller = "output_format 'webp' or 'jpeg'"
    _size_param = None

    def owns(self, path: str, query: bytes) -> bool:
        """Chat completions, also below one of Azure's deployments."""
        azure = path.startswith("/openai/deployments/") and path.endswith("/chat/completions")
        return path == PATH or azure

    def render_ended(self, operation: Operation, context: RenderContext) -> ApiResponse:
        """The message with its pictures, or the failure."""
        from imagegate.dialects.openai_chat import responses

        return responses.render_ended(operation, context)

    def render_partial(self, operation: Operation, context: RenderContext) -> None:
        """No front end shows a picture of a chat that is replaced."""


OPENAI_CHAT = OpenAIChat()
