"""Storage of operations, API keys, usage, pictures and statistics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from imagegate.domain.access.api_key import ApiKey
    from imagegate.domain.access.ledger import Reservation, UsageTotals
    from imagegate.domain.access.rate import Allowance
    from imagegate.domain.failure import FailureCode
    from imagegate.domain.operation.coalescing import Arrival, BodyClaim, Candidate, Registration
    from imagegate.domain.operation.listing import Page, Query
    from imagegate.domain.operation.operation import Operation
    from imagegate.domain.timing.latency import Histogram


class OperationStore(Protocol):
    """Operations by id."""

    def create(
        self,
        operation: Operation,
        over: str | None = None,
        reservation: Reservation | None = None,
        registration: Registration | None = None,
    ) -> None:
        """Write a new operation, its claim if it has one, and `reservation` in the usage ledger, all or nothing.

        Raises Conflict when the id exists, Claimed when an Idempotency-Key has another owner than `over`,
        BodyClaimChanged when the claim of the body is not as `registration` saw it (both whatever the reservation),
        and RateLimited when the limits of the reservation would be exceeded.
        """

    def get(self, operation_id: str, *, consistent: bool = False) -> Operation | None:
        """Read one; `None` when there is none (or its retention ended)."""

    def replace(self, operation: Operation, reservation: Reservation | None = None) -> None:
        """Write the next version and `reservation` in the usage ledger, all or nothing.

        Raises Conflict unless the stored version is the one before, and RateLimited when the limits of the reservation
        would be exceeded.
        """

    def delete(self, operation: Operation) -> None:
        """Remove an operation's record. Raises Conflict unless the stored version is this one."""


class OverdueOperations(Protocol):
    """The operations that `sweep` restarts."""

    def due(self, now: float) -> Sequence[Iterator[Operation]]:
        """Open operations whose `due_at` is past: an iterator for each shard, oldest first.

        Each reads as far as it is iterated, and may be iterated in a thread of its own.
        """


class Listing(Protocol):
    """Lists of operations."""

    def page(self, query: Query) -> Page:
        """A part of an owner's list."""


class Claims(Protocol):
    """The claims of bodies: which operations a repeated request may belong to."""

    def read_claim(self, claim: str) -> BodyClaim:
        """Read consistently the operations with this claim."""

    def take(self, claim: str, candidate: Candidate, arrival: Arrival) -> bool:
        """Give the operation to a request; false when another request took it since `candidate` was read."""

    def count_waiting(self, operation: Operation, more: int, invited: int = 0) -> None:
        """Add to the operation's waiting callers, and to those that were told to come back."""

    def note_answer(self, operation: Operation, at: float) -> None:
        """Keep when a caller was answered with the operation's end, and count it no longer as waiting."""


class ApiKeys(Protocol):
    """API keys, each with a digest of its secret, never the secret."""

    def get(self, key_id: str) -> ApiKey | None:
        """Read one consistently; `None` when there is none."""

    def put(self, key: ApiKey) -> None:
        """Write a new key or the next version of one. Raises Conflict unless the stored version is the one before."""

    def every(self) -> Sequence[ApiKey]:
        """All keys, the oldest first."""


class UsageLedger(Protocol):
    """The usage of API keys, written together with their operations (OperationStore)."""

    def read(self, key_id: str, days: Sequence[str], shards: int = 1) -> UsageTotals:
        """The usage of a key with so many counters now, and on `days` (in UTC, as `2026-11-20`)."""


class RequestRate(Protocol):
    """How many requests a minute an API key has made."""

    def take(self, key_id: str, per_minute: int, cost: int = 1) -> Allowance:
        """Take `cost` (at most `per_minute`) of the requests that the key may make now, if there are so many.

        `key_id`: of an API key, or a bucket of domain/access/wait_pass.py.
        """


class ImageStore(Protocol):
    """Pictures by key."""

    def put(self, key: str, body: bytes, content_type: str, *, overwrite: bool = False) -> None:
        """Store under `key`; a key already there keeps its bytes, and its age.

        `overwrite`: write it in any case, which renews its age; for input pictures.
        """

    def get(self, key: str, written_at: float) -> bytes:
        """Read the bytes. Raises KeyError when they are gone, and logs it when they should still be there.

        `written_at`: when they were stored at the earliest, in seconds since the epoch.
        """

    def sign_upload(self, key: str, content_type: str, largest: int, seconds: int) -> tuple[str, Mapping[str, str]]:
        """Where to POST a form that stores one file under `key`, and its fields.

        S3 takes it for so many seconds, with that content type, and with 1 to `largest` bytes.
        """

    def presign(self, key: str) -> str:
        """A URL that works without credentials for a limited time."""

    def delete(self, keys: Sequence[str]) -> None:
        """Remove the objects; those already gone are no error."""


class Latencies(Protocol):
    """How long jobs take, per provider and model."""

    def get(self, provider: str, model: str) -> Histogram:
        """The learned histogram; before the first job its prior."""

    def observe(self, provider: str, model: str, earliest: float, latest: float) -> None:
        """A job took between `earliest` and `latest` seconds."""

    def censor(self, provider: str, model: str, seconds: float) -> None:
        """A job was not finished after `seconds`, when polling for it ended."""


class Admission(Protocol):
    """Admission of submissions: a provider's circuit breaker and rate limit."""

    def admit(self, provider: str) -> float:
        """The time from which it accepts a submission, in seconds since the epoch; not in the future: now."""

    def report(self, provider: str, failure: FailureCode | None, operation_id: str) -> None:
        """An attempt of the operation ended, with success (`None`) or a failure."""


SigningSecret = Callable[[], bytes]
"""The deployment's secret for signed links (domain/access/signed_link.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedRoutes:
    """A routes file as it was pushed to a deployment."""

    version: str
    """Sorts by time."""
    text: str
    """The file, in TOML."""
    previous: str
    """The version that was in force before; empty for none."""
    pushed_at: float
    """Seconds since the epoch."""
    pushed_by: str
    note: str


class RoutesStore(Protocol):
    """The routes files of a deployment."""

    def current(self) -> PushedRoutes | None:
        """The file in force; `None` when none was ever pushed."""

    def get(self, version: str) -> PushedRoutes | None:
        """The file that was pushed as this version."""
