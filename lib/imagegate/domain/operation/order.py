"""The request of one submission to a provider."""

from collections.abc import Callable
from dataclasses import dataclass

from imagegate.domain.request.request import ImageRequest


@dataclass(frozen=True, slots=True)
class InputBody:
    """The bytes of an input picture."""

    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamRequest:
    """One submission: the request adapted to this provider."""

    request: ImageRequest
    """With the seed of this submission; `n` is that of the whole operation, use `count`."""
    model: str
    """The upstream's own name of the model."""
    count: int = 1
    """Pictures wanted from this submission, at most the provider's `images_per_call`."""
    inputs: tuple[InputBody, ...] = ()
    """Pictures to edit or vary, in the caller's order."""
    mask: InputBody | None = None
    idempotency_key: str = ""
    """The same for every repetition of this submission, for upstreams that honour such keys."""
    hook_url: str = ""
    """What the upstream is to call when the job has ended; empty: nothing."""
    on_partial: Callable[[int, bytes], None] | None = None
    """Takes each partial picture as it comes, with its number from 0; never raises. `None`: none are to be made."""
    repeated: bool = False
    """True when an earlier submission with this key was lost. A provider that can look jobs up checks for it first."""
