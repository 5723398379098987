"""One attempt at one upstream."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.usage import Usage


class AttemptState(StrEnum):
    """The state of one attempt at one upstream."""

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
"""Merge order: when two executions report on one attempt, the later state in this list wins.

UNKNOWN comes before SUBMITTED, because the execution that has the ticket knows more.
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
    """What the provider needs to find the job again; opaque to all others."""
    sources: tuple[Source, ...] = ()
    seed: int | None = None
    """The seed really used, where the upstream reports it."""
    failure: Failure | None = None
    lease_until: float = 0.0
    """Until then an execution is submitting it, or (`lease_run`) listening to its stream or storing its pictures."""
    lease_run: str = ""
    """The execution that holds the lease; a step without an execution has a name of its own."""
    repeats: int = 0
    """Earlier submissions of this attempt that the provider throttled."""
    keep_until: float = 0.0
    """When the upstream forgets the result."""
    ready_at: float = 0.0
    """When the upstream said that it has the result, in seconds since the epoch."""
    not_honoured: tuple[str, ...] = ()
    """Fields of the request that this provider ignores or only approximates."""
    revised_prompts: tuple[str | None, ...] = ()
    """The prompts as the upstream revised them, until they are part of the pictures."""
    usage: Usage | None = None
    """The tokens used, where the upstream reports them."""
    micro_dollars: int = 0
    """What the upstream charges if it makes the pictures, as far as is known."""
    reason: str = ""
    """Why this provider and none before it: which of them could not, or failed. Empty for the route's first."""
    prompt: str | None = None
    """The operation's revised prompt cut to what this provider takes, where it takes less."""
    hook_digest: str = ""
    """Digest of the token by which the upstream may say that the job has ended; empty: it was given none."""
    recovers: int = 0
    """Number of the first attempt at the submission that this one repeats, where the upstream knows it again: it is
    charged once. 0: it is a submission of its own."""
    routes: str | None = None
    """Version of the route table that has the provider as this attempt uses it; `None`: the deployment's first."""

    @property
    def provider_key(self) -> str:
        """What `ProviderFor` finds the provider by."""
        return key_of_provider(self.provider, self.routes)

    @property
    def may_have_cost(self) -> bool:
        """True when the upstream has, or may have, begun to work."""
        paid = self.failure is not None and self.failure.code in _MAYBE_PAID
        return self.ticket is not None or self.ready_at > 0 or self.state in ACCEPTED or paid

    @property
    def submission_number(self) -> int:
        """The number of the first attempt at this submission."""
        return self.recovers or self.number

    @property
    def live(self) -> bool:
        """True while the attempt may still yield a picture."""
        return self.state in LIVE

    @property
    def stream_already_read(self) -> bool:
        """True when its stream has been opened before, and the result may have been sent then."""
        return self.state is AttemptState.SUBMITTED and self.lease_until > 0

    def reduced(self, pictures: int) -> Self:
        """The attempt when the upstream made only so many pictures; its other slots become free and cost nothing.

        One slot remains in any case, because an attempt without a picture has an outcome too.
        """
        pictures = max(pictures, 1)
        if pictures >= len(self.slots):
            return self
        price = self.micro_dollars // len(self.slots)
        return replace(self, slots=self.slots[:pictures], micro_dollars=price * pictures)

    def redacted(self) -> Self:
        """The attempt without texts derived from a private prompt, and without URLs, which may contain it."""
        return replace(self, prompt=None, revised_prompts=(), sources=self.sources if self.live else ())


def key_of_provider(name: str, routes: str | None) -> str:
    """The name of a provider and the version of the route table that it stands in, as one text."""
    return f"{name}@{routes}" if routes else name


def charged(attempts: Iterable[Attempt]) -> Mapping[int, Attempt]:
    """The attempts that may have cost, by submission: of several at one, which is charged once, the last."""
    return {attempt.submission_number: attempt for attempt in attempts if attempt.may_have_cost}
