"""What an upstream accepts, and how it completes."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from imagegate.domain.request.geometry import Grid, Size
from imagegate.domain.request.request import ImageRequest

Demand = Literal["seed", "steps", "guidance", "negative_prompt"]
"""Fields that change the picture: a provider that does not honour one is not asked."""
Hint = Literal[
    "quality",
    "style",
    "background",
    "moderation",
    "complexity",
    "input_fidelity",
    "frame_count",
    "frame_duration_ms",
    "svg",
    "prompt_rewriter",
    "partial_images",
]
"""Fields that are reported when they were not honoured."""
Capability = Literal[Demand, Hint]
"""Optional fields of `ImageRequest` that not every provider honours."""


class CompletionMode(StrEnum):
    """How a provider delivers the picture."""

    POLL = "poll"
    """By cheap polls, any number of them."""
    STREAM = "stream"
    """By one stream that must be read to its end."""
    SYNC = "sync"
    """The submission itself answers with the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an upstream accepts and how it behaves."""

    completion: CompletionMode
    grid: Grid
    prompt_characters: int
    images_per_call: int = 1
    seed_maximum: int = 2**31 - 1
    steps_maximum: int | None = None
    """`None`: the upstream accepts no step count."""
    hold_seconds: float = 840.0
    """Seconds for which one check may keep its connection open."""
    submit_seconds: float = 40.0
    """Seconds for a submission, after which its submitter counts as dead."""
    retention_seconds: float = 3600.0
    """Seconds for which the upstream keeps a finished result."""
    expected_seconds: float = 20.0
    """Seconds that a job is expected to take before any was observed."""
    requests_per_minute: int | None = None
    """Submissions a minute that the upstream accepts; `None`: no limit."""
    input_images: int = 0
    """Input pictures that one submission may have for an edit; 0: the upstream does not edit."""
    supports_masks: bool = False
    """An edit may have a mask, which says what of the picture is to change."""
    supports_variations: bool = False
    """It makes variations of one input picture, without a prompt."""
    recovers_submissions: bool = False
    """A repetition with the same idempotency key finds the job of an earlier submission, so a submission of unknown
    outcome is repeated here before another provider is tried."""
    calls_hooks: bool = False
    """It calls an address that a submission names when the job has ended."""
    capabilities: frozenset[Capability] = frozenset()
    """The optional fields it honours."""
    compresses: bool = False
    """It makes JPEG and WebP as compressed as `output_compression` says."""
    supports_weights: bool = False
    """It accepts several messages with weights; others get one text (`ImageRequest.prompt`)."""

    def size_for(self, request: ImageRequest) -> Size:
        """The supported size nearest to the requested one."""
        if request.size:
            return self.grid.nearest(request.size)
        return self.grid.of_ratio(*(request.ratio or (1, 1)))

    def works_from(self, pictures: int, *, prompted: bool) -> bool:
        """True when it accepts so many input pictures, with a prompt or without."""
        return pictures <= (self.input_images if prompted else int(self.supports_variations))

    def prompt_length(self, request: ImageRequest) -> int:
        """Characters that count towards `prompt_characters`."""
        return sum(len(message.text) for message in request.messages) if self.supports_weights else len(request.prompt)
