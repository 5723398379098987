"""What an upstream accepts, and how it lets us wait."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from imagegate.domain.request.geometry import Grid, Size
from imagegate.domain.request.request import ImageRequest

Demand = Literal["seed", "steps", "guidance", "negative_prompt"]
"""Fields that change the picture: a provider that does not honour one is not asked."""
Hint = Literal["quality", "style", "background", "moderation", "complexity", "input_fidelity"]
"""Fields that are reported when they were not honoured."""
Capability = Literal[Demand, Hint]
"""Optional fields of `ImageRequest` that not every provider honours."""


class CompletionMode(StrEnum):
    """How a provider lets us wait for the picture."""

    POLL = "poll"
    """Cheap questions, any number of them."""
    STREAM = "stream"
    """One stream that must be read to its end."""
    SYNC = "sync"
    """The submission itself answers with the picture."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an upstream accepts and how it behaves."""

    completion: CompletionMode
    grid: Grid
    prompt_characters: int
    images_per_call: int = 1
    seed_maximum: int = 2**31 - 1
    steps_maximum: int | None = None
    """None: the upstream takes no step count."""
    hold_seconds: float = 840.0
    """How long one look may keep its connection open."""
    submit_seconds: float = 40.0
    """How long a submission may take before its submitter is taken for dead."""
    retention_seconds: float = 3600.0
    """How long the upstream keeps a finished result for us."""
    expected_seconds: float = 20.0
    """How long a job takes, as far as is known before the first one."""
    requests_per_minute: int | None = None
    """How many submissions the upstream takes; `None` for as many as we like."""
    input_images: int = 0
    """Pictures that one submission may bring to be edited as the prompt says; 0: the upstream edits none."""
    supports_variations: bool = False
    """It makes pictures from one alone, without a prompt."""
    capabilities: frozenset[Capability] = frozenset()
    """The optional fields it honours."""
    supports_weights: bool = False
    """It takes several messages with their weights; others get one text (`ImageRequest.prompt`)."""

    def size_for(self, request: ImageRequest) -> Size:
        """The pixels this upstream makes for `request`: the nearest it has."""
        if request.size:
            return self.grid.nearest(request.size)
        return self.grid.of_ratio(*(request.ratio or (1, 1)))

    def works_from(self, pictures: int, *, prompted: bool) -> bool:
        """True when it takes so many pictures to work from, with a prompt that says how or without."""
        return pictures <= (self.input_images if prompted else int(self.supports_variations))

    def prompt_length(self, request: ImageRequest) -> int:
        """Characters that count towards `prompt_characters`."""
        return sum(len(message.text) for message in request.messages) if self.supports_weights else len(request.prompt)
