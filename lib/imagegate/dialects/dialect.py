"""What the gateway needs to know of an API that its clients speak. Each API implements it in its own folder."""

from collections.abc import Callable, Mapping
from typing import Protocol

from imagegate.dialects.response import ApiResponse
from imagegate.domain.errors import RequestError
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.partial import Partial
from imagegate.domain.operation.picture import Picture
from imagegate.domain.timing.schedule import Outlook

PictureLink = Callable[[Operation, int], str]
"""The path on this gateway that leads to the picture in a slot."""


class RenderContext(Protocol):
    """What an answer can need beside its operation. Each part is fetched only when a dialect uses it."""

    @property
    def picture_link(self) -> PictureLink:
        """Links to pictures on this gateway."""

    @property
    def public_url(self) -> str:
        """This gateway's address, before the path of a link; empty where it is not known."""

    def presigned_url(self, picture: Picture) -> str:
        """A URL that opens the picture in S3 for a limited time."""

    def read_base64(self, operation: Operation, picture: Picture) -> str:
        """The picture's bytes in base64. Raises Gone when the bucket has removed them."""

    @property
    def partials_sent(self) -> int:
        """Partial pictures of the operation that a stream's client has already."""

    def read_partial(self, operation: Operation, partial: Partial) -> str | None:
        """A partial picture's bytes in base64; `None` when they are no longer kept."""

    def outlook(self, operation: Operation) -> Outlook:
        """When the operation is likely to end, and in how many seconds to ask again."""


class Dialect(Protocol):
    """An API that clients speak: the paths that it owns, and its form of the answers that all APIs have."""

    @property
    def name(self) -> str:
        """Stored in every operation, so it never changes."""

    @property
    def folder(self) -> str:
        """The API's folder, both in `dialects` and in `web`."""

    @property
    def title(self) -> str:
        """The API's tag in the OpenAPI document."""

    @property
    def needs_pictures(self) -> bool:
        """True when an answer holds pictures or presigned URLs, and so cannot be made once the bucket removed them."""

    def owns(self, path: str, query: bytes) -> bool:
        """True when a request of this path and query speaks the dialect."""

    def id_headers(self, headers: Mapping[str, str], request_id: str) -> Mapping[str, str]:
        """Headers beside `x-request-id` that identify the answer to a request with these `headers`."""

    def render_refusal(self, error: RequestError, request_id: str) -> ApiResponse:
        """The answer to a request that the caller has to change."""

    def render_breakdown(self, status: int, code: str, message: str, request_id: str) -> ApiResponse:
        """The answer where no use case gave one: an unknown route, or a fault of the gateway."""

    def render_ended(self, operation: Operation, context: RenderContext) -> ApiResponse:
        """The answer to an operation that has ended. Raises Gone when it needs bytes that the bucket removed."""

    def render_partial(self, operation: Operation, context: RenderContext) -> ApiResponse | None:
        """The events of the next partial picture for a stream that has `context.partials_sent` of them.

        `None` where the API's streams have no such events.
        """

    def render_pending(
        self, operation: Operation, context: RenderContext, *, repeats: bool, retry_after: int
    ) -> ApiResponse:
        """The answer while the operation runs, to a client that follows no further redirect.

        `repeats`: the client posts again after a 503 with Retry-After. `retry_after`: seconds until it should.
        """

    def render_redirect(self, operation: Operation, location: str) -> ApiResponse:
        """303 to `location`, where to continue to wait, or where an answer too large for Lambda is.

        The body is the dialect's error and says what to do, for clients that show it instead of following.
        """

    def render_too_large(self, operation: Operation, context: RenderContext) -> ApiResponse:
        """The answer in place of one larger than Lambda returns, to a client that cannot fetch it from S3."""
