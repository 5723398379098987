"""Find the operation that a request without an Idempotency-Key repeats."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from imagegate.domain.operation.coalescing import Arrival, Candidate, Registration, answers_body
from imagegate.domain.operation.operation import Operation
from imagegate.ports.runtime import Clock
from imagegate.ports.storage import Claims, OperationStore


@dataclass(frozen=True, slots=True, kw_only=True)
class FindRepeated:
    """Gives each repetition an operation of its own, if there are several."""

    store: OperationStore
    claims: Claims
    clock: Clock

    def __call__(self, claim: str, arrival: Arrival) -> tuple[Operation | None, Registration | None]:
        """The operation that the request repeats; if it repeats none, how to register the new operation."""
        seen, search = self.claims.read_claim(claim), _Search()
        for candidate, existing in self._answering(seen.choose(arrival), arrival, search):
            if self.claims.take(claim, candidate, arrival):
                return existing, None
        return None, Registration(arrival=arrival, seen=seen, superseded=search.superseded)

    def _answering(
        self, candidates: Iterable[Candidate], arrival: Arrival, search: "_Search"
    ) -> Iterator[tuple[Candidate, Operation]]:
        """The operations that can answer. Those whose end every caller has seen come last.

        Of these an operation that no sibling of the retry has taken comes first, and then the one whose caller waited
        for longest: a client gives up on that.
        """
        for candidate in candidates:
            existing = self.store.get(candidate.operation_id, consistent=True)
            if existing is None or not answers_body(existing, candidate, arrival, self.clock.now()):
                search.superseded.append(candidate.operation_id)
            elif existing.done and not candidate.owed:
                search.delivered.append((candidate, existing))
            else:
                yield candidate, existing
        yield from sorted(
            search.delivered,
            key=lambda pair: (
                pair[0].retry_count >= arrival.retry_count,
                -pair[0].unanswered_until(pair[1].ended_at or 0),
            ),
        )


@dataclass(slots=True)
class _Search:
    superseded: list[str] = field(default_factory=list)
    delivered: list[tuple[Candidate, Operation]] = field(default_factory=list)
