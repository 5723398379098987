"""The answers of a provider."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagegate.domain.failure import Failure
from imagegate.domain.operation.attempt import Source
from imagegate.domain.operation.usage import Usage


@dataclass(frozen=True, slots=True)
class Ticket:
    """The upstream accepted the job; `data` (JSON) is all that is needed to find it again."""

    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pending:
    """Not finished yet."""

    retry_after: float | None = None
    """Seconds after which the upstream said to ask again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Finished: either addresses to fetch, or the bytes themselves."""

    sources: tuple[Source, ...] = ()
    bodies: tuple[bytes, ...] = ()
    seed: int | None = None
    revised_prompts: tuple[str | None, ...] = ()
    """The revised prompt of each picture: `bodies` first, then `sources`. Empty when not reported."""
    usage: Usage | None = None
    micro_dollars: int | None = None
    """What the upstream says it charges for all of them, in millionths of a dollar; `None` when it does not tell."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Finished without a picture."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class PollHistory:
    """The polls of an operation's jobs in one execution so far."""

    last_poll_at: float = 0.0
    """Time of the last poll, in seconds since the epoch."""
    poll_count: int = 0
    """Invocations of Poll, or steps of a waiting client that polled, including this one."""


NOT_POLLED = PollHistory()


Submission = Ticket | Ready
Check = Pending | Ready | Failed
