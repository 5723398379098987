"""Where operations and what belongs to them are kept."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from imagegate.domain.access.api_key import ApiKey
from imagegate.domain.access.ledger import Reservation, UsageTotals
from imagegate.domain.access.rate import Allowance
from imagegate.domain.errors import FailureCode
from imagegate.domain.operation.listing import Page, Query
from imagegate.domain.operation.operation import Operation
from imagegate.domain.timing.latency import Histogram


class OperationStore(Protocol):
    """Where operations live."""

    def create(self, operation: Operation, over: str | None = None, reservation: Reservation | None = None) -> None:
        """Write a new operation, make it the holder of its claim where it has one, and write `reservation` in the
        books.

        All or nothing. Raises Conflict when the id exists, Claimed when the claim has another holder than `over`
        (whether or not the booking could be made), and RateLimited when the booking's limits would not hold.
        """

    def get(self, operation_id: str, *, consistent: bool = False) -> Operation | None:
        """Read one; `None` when there is none (or its retention ended)."""

    def replace(self, operation: Operation, reservation: Reservation | None = None) -> None:
        """Write the next version and, all or nothing, `reservation` in the books.

        Raises Conflict unless the stored version is the one before, and RateLimited when the booking's limits would
        not hold.
        """

    def delete(self, operation: Operation) -> None:
        """Remove an operation's record. Raises Conflict unless the stored version is this one."""


class OverdueOperations(Protocol):
    """Where `sweep` looks."""

    def due(self, now: float) -> Iterator[Operation]:
        """Open operations whose `due_at` is past, oldest first within a shard."""


class Listing(Protocol):
    """Where lists come from."""

    def page(self, query: Query) -> Page:
        """A part of an owner's list."""


class Claims(Protocol):
    """Where it is noted who was told to wait."""

    def count_waiting(self, operation: Operation, change: int) -> None:
        """Note on the operation's claim that one caller more (or less) was told "still waiting"."""


class ApiKeys(Protocol):
    """Where API keys are kept: what they are and a digest, never the secret."""

    def get(self, key_id: str) -> ApiKey | None:
        """Read one as it is now; `None` when there is none."""

    def put(self, key: ApiKey) -> None:
        """Write a new key or the next version of one. Raises Conflict unless the stored version is the one before."""

    def every(self) -> Sequence[ApiKey]:
        """All keys, the oldest first."""


class UsageLedger(Protocol):
    """What API keys have used of their limits; written together with the operations (OperationStore)."""

    def read(self, key_id: str, days: Sequence[str]) -> UsageTotals:
        """What a key uses now, and has used on `days` (in UTC, as `2026-11-20`)."""


class RequestRate(Protocol):
    """How many requests a minute an API key has made."""

    def take(self, key_id: str, per_minute: int, cost: int = 1) -> Allowance:
        """Take `cost` (at most `per_minute`) of the requests that the key may make now, if there are so many.

        `key_id`: of an API key, or of whatever else is counted (domain/wait_pass.py).
        """


class ImageStore(Protocol):
    """Where pictures live."""

    def put(self, key: str, body: bytes, content_type: str, *, overwrite: bool = False) -> None:
        """Store under `key`; a key already there keeps its bytes, and its age.

        `anew`: it is written in any case, for what is kept only so long after its latest use.
        """

    def get(self, key: str, written_at: float) -> bytes:
        """Read the bytes back. Raises KeyError when they are gone, and tells of it where they must still be there.

        `written_at`: when they were stored at the earliest, in seconds since the epoch.
        """

    def presign(self, key: str) -> str:
        """A URL that anybody may GET for a limited time."""

    def delete(self, keys: Sequence[str]) -> None:
        """Remove the objects; those already gone are no error."""


class Latencies(Protocol):
    """How long jobs take, per provider and model."""

    def get(self, provider: str, model: str) -> Histogram:
        """What is known; before the first job a guess."""

    def observe(self, provider: str, model: str, earliest: float, latest: float) -> None:
        """A job took between `earliest` and `latest` seconds."""

    def censor(self, provider: str, model: str, seconds: float) -> None:
        """A job was not finished after `seconds`, and nobody looked any further."""


class Admission(Protocol):
    """Whether a provider may be asked now: its circuit breaker and its rate limit."""

    def admit(self, provider: str) -> float:
        """When it may be asked, in seconds since the epoch; a moment that is not in the future means now."""

    def report(self, provider: str, failure: FailureCode | None, operation_id: str) -> None:
        """An attempt of the operation ended: well (`None`) or not."""


SigningSecret = Callable[[], bytes]
"""The deployment's secret for signed links (domain/access/signed_link.py)."""
