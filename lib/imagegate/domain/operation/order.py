"""What a provider is asked for in one submission."""

from dataclasses import dataclass

from imagegate.domain.request.request import ImageRequest


@dataclass(frozen=True, slots=True)
class InputBody:
    """The bytes of a picture to work from."""

    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamRequest:
    """One submission: the request as this provider is to understand it."""

    request: ImageRequest
    """With the seed of this submission; `n` is the whole operation's, `count` is what counts."""
    model: str
    """The upstream's own name of the model."""
    count: int = 1
    """Pictures wanted from this submission, at most the provider's `images_per_call`."""
    inputs: tuple[InputBody, ...] = ()
    """Pictures to edit or vary, in the caller's order."""
    mask: InputBody | None = None
    idempotency_key: str = ""
    """The same whenever this very submission is repeated, for upstreams that honour such keys."""
    repeated: bool = False
    """An earlier try with this key was lost: the upstream may have the job, and is asked for it first if it can be."""
