"""The use cases and ports that a waiting request needs: the part of Services that the wait function has."""

import base64
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from imagegate.domain.access.api_key import Principal
from imagegate.domain.access.wait_pass import WaitPass, cost_of
from imagegate.domain.errors import Gone
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.partial import Partial
from imagegate.domain.operation.picture import Picture
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.domain.request.routes import Routes
from imagegate.domain.timing.client_steps import ClientSteps, StepTime
from imagegate.domain.timing.latency import Histogram
from imagegate.domain.timing.schedule import Outlook, first_poll_delay, outlook
from imagegate.ports.runtime import Clock, Steps
from imagegate.ports.storage import Claims, ImageStore, Latencies, RequestRate
from imagegate.usecases.links import HopLinks, Links, PictureLinks
from imagegate.usecases.read import Read


class TooManyBytes(Exception):
    """The pictures of an answer do not fit into this function's memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitServices:
    """The use cases and ports behind the wait route."""

    authenticate: Callable[[str | None], Principal]
    """The caller who presents a credential. Raises Unauthenticated."""
    links: Links
    hop_links: HopLinks
    request_rate: RequestRate
    picture_link: PictureLinks
    read: Read
    images: ImageStore
    claims: Claims
    latencies: Latencies
    routes: Routes
    limits_of: Callable[[str], Limits]
    """What a provider accepts, by its key."""
    clock: Clock
    hold_seconds: float
    """Seconds for which a POST may be held."""
    presign_seconds: int
    """Seconds for which presigned URLs work."""
    yandexart_days: float
    """Days for which YandexART's clients can read an ended operation."""
    redirects: bool = True
    """False at the long-hold address, whose clients do not follow a redirect after POST."""
    starts_within: float = math.inf
    """Seconds within which a workflow's first step should have run; holds end early when it has not."""
    cors_origins: Sequence[str] = ()
    """Origins whose web pages may call the API."""
    studio: bool = False
    """Whether `/` is the studio."""
    public_url: str = ""
    """The gateway's address, before the path of a link in a text."""
    most_bytes: float = math.inf
    """Bytes of an operation's pictures that this function can put into an answer."""
    partials_sent: int = 0
    """Partial pictures of the operation that its client has."""
    steps: Steps | None = None
    """`None` where every operation has an execution."""

    def outlook(self, operation: Operation) -> Outlook:
        """When the operation is likely to end, by the times that such jobs have taken."""
        histogram, started_at = self._latency_of(operation)
        return outlook(histogram, started_at, self.clock.now())

    def first_poll_delay(self, operation: Operation) -> float:
        """Seconds from now before which polling the operation is not worthwhile."""
        histogram, started_at = self._latency_of(operation)
        return max(0.0, first_poll_delay(histogram) - (self.clock.now() - started_at))

    def next_step(self, operation: Operation, after: float) -> StepTime:
        """The operation's next step later than `after` (seconds since the epoch) that its client has to have taken."""
        if self.steps is None or not operation.by_client or operation.done:
            return StepTime(math.inf)
        return ClientSteps(
            lambda attempt: self.latencies.get(attempt.provider, attempt.model),
            lambda attempt: self.limits_of(attempt.provider_key).completion is CompletionMode.STREAM,
        ).next_after(operation, after)

    def take_step(self, operation: Operation, step: StepTime) -> None:
        """Have the step taken now."""
        if self.steps and operation.by_client:
            self.steps.take(operation.id, step.last_poll_at, step.poll_count)

    def _latency_of(self, operation: Operation) -> tuple[Histogram, float]:
        """The times that jobs like the operation's take, and when its job began."""
        live = [attempt for attempt in operation.attempts if attempt.live]
        if live:
            return self.latencies.get(live[-1].provider, live[-1].model), live[-1].started_at
        target = self.routes.route_of(operation.request, operation.model).targets[0]
        return self.latencies.get(target.provider, target.model), operation.created_at

    def presigned_url(self, picture: Picture) -> str:
        """A URL that opens the picture in S3 for a limited time."""
        return self.images.presign(picture.key)

    def read_base64(self, operation: Operation, picture: Picture) -> str:
        """The picture's bytes in base64. Raises Gone when the bucket has removed them, and TooManyBytes."""
        self._check_size(operation)
        return base64.b64encode(self.read_bytes(operation, picture)).decode()

    def read_partial(self, operation: Operation, partial: Partial) -> str | None:
        """A partial picture's bytes in base64; `None` when it is no longer kept. Raises TooManyBytes."""
        self._check_size(operation)
        try:
            return base64.b64encode(self.images.get(partial.key, operation.created_at)).decode()
        except KeyError:
            return None

    def _check_size(self, operation: Operation) -> None:
        """Raises TooManyBytes for an operation whose answer does not fit into this function's memory."""
        partials = operation.partials[self.partials_sent :] if "stream" in operation.reply else ()
        size = sum(each.bytes for each in operation.pictures) + sum(each.bytes for each in partials)
        if size > self.most_bytes:
            raise TooManyBytes

    def read_bytes(self, operation: Operation, picture: Picture | Partial) -> bytes:
        """The picture's bytes. Raises Gone when the bucket has removed them."""
        try:
            return self.images.get(picture.key, operation.created_at)
        except KeyError:
            raise pictures_gone(operation) from None

    def pictures_are_gone(self, operation: Operation) -> bool:
        """True when the bucket's lifecycle removes the operation's pictures."""
        return self.clock.now() > self.picture_link.until(operation)

    def may_hold(self, waiting: WaitPass | None, seconds: float) -> bool:
        """Count one more request that waits for so many seconds; false when its key may not."""
        buckets, cost = (waiting.buckets if waiting else {}), cost_of(seconds)
        taken = (self.request_rate.take(bucket, size, cost) for bucket, size in buckets.items())
        return all(allowance.retry_after is None for allowance in taken)


def pictures_gone(operation: Operation) -> Gone:
    """The error for an operation whose pictures the bucket has removed."""
    return Gone(f"The pictures of operation '{operation.id}' are no longer kept.", remedy="Start a new one.")
