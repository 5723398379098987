"""One try at one upstream."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

from imagegate.domain.errors import Failure, FailureCode
from imagegate.domain.operation.usage import Usage


class AttemptState(StrEnum):
    """Where one try at one upstream stands."""

    SUBMITTING = "submitting"
    """Written before the call: a crash here leaves it unknown whether the upstream has it."""
    SUBMITTED = "submitted"
    READY = "ready"
    """The upstream has the picture and its address is written down; the bytes are not in S3 yet."""
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


STATE_RANK = (
    AttemptState.SUBMITTING,
    AttemptState.UNKNOWN,
    AttemptState.SUBMITTED,
    AttemptState.READY,
    AttemptState.FAILED,
    AttemptState.DONE,
)
"""As it grows: of two drivers' words on one attempt the one further on counts, whichever is written first.

To have lost sight of a submission is to know less than who has its ticket, be it that he wrote a moment earlier.
"""
LIVE = frozenset({AttemptState.SUBMITTING, AttemptState.SUBMITTED, AttemptState.READY})
_MAYBE_PAID = frozenset(
    {
        FailureCode.UPSTREAM_TIMEOUT,
        FailureCode.UPSTREAM_FAILED,
        FailureCode.AMBIGUOUS,
        FailureCode.BAD_PAYLOAD,
        FailureCode.EXPIRED,
    }
)
ACCEPTED = LIVE | {AttemptState.DONE, AttemptState.UNKNOWN}
"""States in which an upstream has, or may have, begun to work."""


@dataclass(frozen=True, slots=True)
class Source:
    """A finished picture at the upstream, waiting to be fetched."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One submission to one provider, for one or more picture slots."""

    number: int
    provider: str
    model: str
    """The upstream's own name of the model."""
    slots: tuple[int, ...]
    state: AttemptState
    started_at: float
    ended_at: float | None = None
    ticket: Mapping[str, Any] | None = None
    """What the provider needs to find the job again; its own business."""
    sources: tuple[Source, ...] = ()
    seed: int | None = None
    """The seed really used, where the upstream tells."""
    failure: Failure | None = None
    lease_until: float = 0.0
    """Until then somebody is taken to be at work on it: submitting it, or (`lease_run`) listening to its stream."""
    lease_run: str = ""
    """The workflow execution that holds the lease."""
    repeats: int = 0
    """How often a throttled provider was asked before, for this same attempt."""
    keep_until: float = 0.0
    """When the upstream forgets the result."""
    ready_at: float = 0.0
    """When the upstream said that it has the result, in seconds since the epoch."""
    not_honoured: tuple[str, ...] = ()
    """Fields of the request that this provider passes over or only comes near to."""
    revised_prompts: tuple[str | None, ...] = ()
    """What the upstream made of the prompt, until the pictures have it."""
    usage: Usage | None = None
    """What it took, where the upstream tells."""
    micro_dollars: int = 0
    """What the upstream charges if it makes the pictures, as far as known."""
    prompt: str | None = None
    """The operation's revised prompt cut to what this provider takes, where it takes less."""

    @property
    def may_have_cost(self) -> bool:
        """True when the upstream has, or may have, begun to work."""
        paid = self.failure is not None and self.failure.code in _MAYBE_PAID
        return self.ticket is not None or self.ready_at > 0 or self.state in ACCEPTED or paid

    @property
    def live(self) -> bool:
        """True while the attempt may still yield a picture."""
        return self.state in LIVE

    @property
    def stream_already_read(self) -> bool:
        """True when somebody has listened to its stream already, and may have heard all that it had to say."""
        return self.state is AttemptState.SUBMITTED and self.lease_until > 0

    def reduced(self, pictures: int) -> Self:
        """The attempt when the upstream made only so many pictures: other slots are free again, and cost nothing.

        One slot stays with it: not even to have made one is an outcome.
        """
        pictures = max(pictures, 1)
        if pictures >= len(self.slots):
            return self
        price = self.micro_dollars // len(self.slots)
        return replace(self, slots=self.slots[:pictures], micro_dollars=price * pictures)

    def redacted(self) -> Self:
        """The attempt without what was made of a private request's words; addresses may be made of them too."""
        return replace(self, prompt=None, revised_prompts=(), sources=self.sources if self.live else ())
