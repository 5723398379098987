"""OpenAI's Images API as the gateway sees it."""

import re
from collections.abc import Mapping

from imagegate.dialects.dialect import RenderContext
from imagegate.dialects.openai import events, responses
from imagegate.dialects.response import ApiResponse, RenderedPartial, RenderedPicture, failure_of
from imagegate.domain.errors import RequestError
from imagegate.domain.operation.operation import Operation

NAME = "openai_images"
GENERATION_PATHS = ("/v1/images/generations", "/v1/images/generate", "/v1/media/generate")
_PATHS = (*GENERATION_PATHS, "/v1/images/edits", "/v1/images/variations")
_HOP = re.compile(rb"(^|&)hop=")


class OpenAIImagesDialect:
    """Synchronous: a POST is held until its pictures are made."""

    name = NAME
    folder = "openai"
    title = "OpenAI Images"
    needs_pictures = True
    _smaller: str = "response_format 'url' or fewer pictures"
    """What makes an answer smaller that was too large."""
    _size_param: str | None = "response_format"
    """The field that decides it."""

    def owns(self, path: str, query: bytes) -> bool:
        """Its own paths, and the hops of a wait, because only a synchronous API redirects to them."""
        hops = path.startswith("/v1/") and path.endswith("/wait") and _HOP.search(query)
        return path.rstrip("/") in _PATHS or bool(hops)

    def id_headers(self, headers: Mapping[str, str], request_id: str) -> Mapping[str, str]:
        """None beside `x-request-id`."""
        return {}

    def render_refusal(self, error: RequestError, request_id: str) -> ApiResponse:
        """OpenAI's error body; OpenAI sends the request id in a header only."""
        return responses.render_refusal(error)

    def render_breakdown(self, status: int, code: str, message: str, request_id: str) -> ApiResponse:
        """OpenAI's error body."""
        kind = "invalid_request_error" if status < 500 else "server_error"
        return responses.render_error(status, message, kind, code, None)

    def render_ended(self, operation: Operation, context: RenderContext) -> ApiResponse:
        """The pictures as URLs or in base64, or the failure."""
        if failure := failure_of(operation):
            return responses.render_failure(failure, operation)
        pictures, has_url = operation.pictures, responses.wants_url(operation)
        has_bytes = responses.wants_base64(operation)
        urls = [context.presigned_url(each) if has_url else None for each in pictures]
        bodies = [context.read_base64(operation, each) if has_bytes else None for each in pictures]
        rendered = [
            RenderedPicture(picture, url=url, b64=body)
            for picture, url, body in zip(pictures, urls, bodies, strict=True)
        ]
        return responses.render_success(operation, rendered, self._partials(operation, context))

    def render_partial(self, operation: Operation, context: RenderContext) -> ApiResponse | None:
        """The event of a partial picture."""
        return events.render_partials(operation, self._partials(operation, context, most=1))

    def _partials(self, operation: Operation, context: RenderContext, most: int | None = None) -> list[RenderedPartial]:
        """The partial pictures that a stream has not sent yet."""
        if "stream" not in operation.reply:
            return []
        unsent = operation.partials[context.partials_sent :][:most]
        read = [RenderedPartial(each, context.read_partial(operation, each)) for each in unsent]
        return [each for each in read if each.b64]

    def render_pending(
        self, operation: Operation, context: RenderContext, *, repeats: bool, retry_after: int
    ) -> ApiResponse:
        """503 to a client that repeats it, else 504; the message says how to continue to wait."""
        return responses.render_pending(operation, repeats, retry_after)

    def render_redirect(self, operation: Operation, location: str) -> ApiResponse:
        """303 with OpenAI's error body, for clients that do not follow it."""
        return responses.render_redirect(operation, location)

    def render_too_large(self, operation: Operation, context: RenderContext) -> ApiResponse:
        """422 with the pictures' URLs in place of their bytes."""
        urls = [context.presigned_url(each) for each in operation.pictures]
        return responses.render_too_large(operation, urls, self._smaller, self._size_param)


OPENAI_IMAGES = OpenAIImagesDialect()
