"""The ports in memory. They keep the promises written in imagegate.ports, refusals included."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, reduce
from typing import Any

from PIL import Image

from imagegate.domain.access import rate
from imagegate.domain.access.api_key import ApiKey, KeyLimits
from imagegate.domain.access.ledger import Reservation, UsageTotals, limit_error
from imagegate.domain.errors import Conflict
from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.account import Amount
from imagegate.domain.operation.attempt import Attempt
from imagegate.domain.operation.coalescing import (
    Arrival,
    BodyClaim,
    BodyClaimChanged,
    Candidate,
    Claim,
    Claimed,
    Registration,
    claim_expires_at,
)
from imagegate.domain.operation.document import dumps, loads
from imagegate.domain.operation.events import Event
from imagegate.domain.operation.listing import Page, Query
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Submission, Ticket
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.domain.request.request import ImageRequest
from imagegate.domain.request.route import Route, Target
from imagegate.domain.request.routes import Routes
from imagegate.domain.timing.circuit import Circuit
from imagegate.domain.timing.latency import Histogram
from imagegate.domain.webhooks.delivery import Delivery, DeliveryState
from imagegate.ports.upstreams import HttpRequest, HttpResponse, ServerSentEvent

ITEM_BYTES = 400 * 1024
"""DynamoDB's limit for an item."""


def no_aws(service: str, *_: object) -> Any:
    """In place of what makes AWS clients: a part of the deployment is not a fake."""
    raise AssertionError(f"a test on fakes asked for {service}")


@dataclass
class FakeClock:
    """Time that passes only in sleeps."""

    time: float = 1_800_000_000.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@dataclass
class MemoryStore:
    """Operations as the JSON the real table keeps."""

    documents: dict[str, str] = field(default_factory=dict)
    history: list[Operation] = field(default_factory=list)
    claims: dict[str, Claim | BodyClaim] = field(default_factory=dict)
    usage_ledger: dict[tuple[str, str], Amount] = field(default_factory=dict)
    """By key and day; what runs under the day `running`."""

    def create(
        self,
        operation: Operation,
        over: str | None = None,
        reservation: Reservation | None = None,
        registration: Registration | None = None,
    ) -> None:
        claim = self.claims.get(operation.claim or "")
        if isinstance(claim, Claim) and claim.operation_id != over:
            raise Claimed(claim)
        registered = self._registered(operation, registration) if registration else None
        if operation.id in self.documents:
            raise Conflict(operation.id)
        self._book(operation, reservation)
        if operation.claim:
            self.claims[operation.claim] = registered or Claim(operation.id)
        self._write(operation)

    def _registered(self, operation: Operation, registration: Registration) -> BodyClaim:
        now, arrival, seen = self.read_claim(operation.claim or ""), registration.arrival, registration.seen
        together = now.candidates and arrival.in_burst_with(now.candidates[-1].begun_at) and not arrival.retry_count
        if now.version != seen.version and (registration.unread or not together):
            raise BodyClaimChanged(operation.claim)
        left = [each for each in now.candidates if each.operation_id not in registration.superseded]
        new = Candidate(
            operation_id=operation.id, begun_at=arrival.at, taken_at=arrival.at, retry_count=arrival.retry_count
        )
        return BodyClaim([*left, new], now.version + 1, claim_expires_at(operation))

    def read_claim(self, claim: str) -> BodyClaim:
        found = self.claims.get(claim)
        return found if isinstance(found, BodyClaim) else BodyClaim()

    def take(self, claim: str, candidate: Candidate, arrival: Arrival) -> bool:
        if candidate not in self.read_claim(claim).candidates:
            return False
        taken = replace(
            candidate,
            taken_at=max(arrival.at, candidate.taken_at),
            retry_count=arrival.retry_count,
            invited=max(0, candidate.invited - 1),
        )
        self._change_candidate(claim, candidate, taken)
        return True

    def count_waiting(self, operation: Operation, more: int, invited: int = 0) -> None:
        for each in self._candidates_of(operation):
            counted = replace(each, waiting=each.waiting + more, invited=each.invited + invited)
            self._change_candidate(operation.claim or "", each, counted)

    def note_answer(self, operation: Operation, at: float) -> None:
        for each in self._candidates_of(operation):
            noted = replace(each, waiting=max(0, each.waiting - 1), answered_at=at)
            self._change_candidate(operation.claim or "", each, noted)

    def _candidates_of(self, operation: Operation) -> list[Candidate]:
        candidates = self.read_claim(operation.claim or "").candidates
        return [each for each in candidates if each.operation_id == operation.id]

    def _change_candidate(self, claim: str, before: Candidate, after: Candidate) -> None:
        found = self.read_claim(claim)
        changed = [after if each == before else each for each in found.candidates]
        self.claims[claim] = replace(found, candidates=changed)

    def get(self, operation_id: str, *, consistent: bool = False) -> Operation | None:
        text = self.documents.get(operation_id)
        return loads(Operation, text) if text else None

    def replace(self, operation: Operation, reservation: Reservation | None = None) -> None:
        stored = self.get(operation.id)
        if stored is None or stored.version != operation.version - 1:
            raise Conflict(operation.id)
        self._book(operation, reservation)
        self._write(operation)

    def read(self, key_id: str, days: Sequence[str], shards: int = 1) -> UsageTotals:
        used = {day: self.usage_ledger[key_id, day] for day in days if (key_id, day) in self.usage_ledger}
        return UsageTotals(self.usage_ledger.get((key_id, "running"), Amount()).running, used)

    def _book(self, operation: Operation, reservation: Reservation | None) -> None:
        if reservation is None:
            return
        running = Amount(running=reservation.change.running)
        changes = [(reservation.day, reservation.change - running), ("running", running)]
        for day, change in changes:
            used = self.usage_ledger.get((reservation.key, day), Amount())
            for name, limit in _limits(reservation.limits):
                more = getattr(change, name)
                if limit is not None and more > 0 and getattr(used, name) + more > limit:
                    raise limit_error(reservation, used, operation.updated_at)
        for day, change in changes:
            if change != Amount():
                self.usage_ledger[reservation.key, day] = (
                    self.usage_ledger.get((reservation.key, day), Amount()) + change
                )

    def due(self, now: float) -> list[Iterator[Operation]]:
        every = [loads(Operation, text) for text in self.documents.values()]
        due = (
            operation
            for operation in every
            if (not operation.done or operation.has_live_jobs) and operation.due_at <= now
        )
        return [due]

    def delete(self, operation: Operation) -> None:
        stored = self.get(operation.id)
        if stored is None or stored.version != operation.version:
            raise Conflict(operation.id)
        del self.documents[operation.id]

    def page(self, query: Query) -> Page:
        every = sorted(
            (loads(Operation, text) for text in self.documents.values()), key=lambda entry: entry.id, reverse=True
        )
        found = [
            operation
            for operation in every
            if operation.owner == query.owner
            and query.lowest_id <= operation.id < query.below_id
            and query.state in (None, operation.state)
            and query.model in (None, operation.model)
        ]
        more = len(found) > query.size
        return Page(tuple(found[: query.size]), found[query.size - 1].id if more else None)

    def _write(self, operation: Operation) -> None:
        if len(dumps(operation).encode()) > ITEM_BYTES:
            raise ValueError("DynamoDB takes no item of this size")
        self.documents[operation.id] = dumps(operation)
        self.history.append(operation)


def _limits(limits: KeyLimits) -> list[tuple[str, int | None]]:
    return [
        ("running", limits.concurrent),
        ("pictures", limits.pictures_per_day),
        ("micro_dollars", limits.micro_dollars_per_day),
    ]


@dataclass
class MemoryRequestRate:
    """Token buckets in a dictionary."""

    clock: FakeClock
    full_at: dict[str, int] = field(default_factory=dict)

    def take(self, key_id: str, per_minute: int, cost: int = 1) -> rate.Allowance:
        now = int(self.clock.now() * rate.MICROSECONDS)
        full_at = max(self.full_at.get(key_id, 0), now)
        if full_at > rate.latest_full_at(per_minute, now, cost):
            return rate.refuse(per_minute, full_at, now, cost)
        self.full_at[key_id] = full_at + cost * rate.interval(per_minute)
        return rate.grant(per_minute, self.full_at[key_id], now)


@dataclass
class MemoryApiKeys:
    """API keys in a dictionary; counts how often one was read."""

    keys: dict[str, ApiKey] = field(default_factory=dict)
    reads: int = 0

    def get(self, key_id: str) -> ApiKey | None:
        self.reads += 1
        return self.keys.get(key_id)

    def put(self, key: ApiKey) -> None:
        stored = self.keys.get(key.id)
        if (stored.version if stored else 0) != key.version - 1:
            raise Conflict(key.id)
        self.keys[key.id] = key

    def every(self) -> Sequence[ApiKey]:
        return sorted(self.keys.values(), key=lambda key: key.created_at)


@dataclass
class MemoryDeliveries:
    """Deliveries, and receivers that want no more, in dictionaries."""

    clock: FakeClock = field(default_factory=FakeClock)
    kept: dict[tuple[str, int], Delivery] = field(default_factory=dict)
    disabled: dict[tuple[str, str], float] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)
    redelivered: dict[str, float] = field(default_factory=dict)

    def get(self, operation_id: str, sequence: int) -> Delivery | None:
        return self.kept.get((operation_id, sequence))

    def put(self, delivery: Delivery) -> None:
        stored = self.get(delivery.operation_id, delivery.sequence)
        if (stored.version if stored else 0) != delivery.version - 1:
            raise Conflict(delivery.event_id)
        self.kept[delivery.operation_id, delivery.sequence] = delivery

    def tried(self, operation_id: str) -> set[str]:
        of_it = self.of(operation_id)
        return {
            operation.event for operation in of_it if operation.tries or operation.state is not DeliveryState.PENDING
        }

    def of(self, operation_id: str, after: int = 0) -> Sequence[Delivery]:
        return [self.kept[key] for key in sorted(self.kept) if key[0] == operation_id and key[1] > after]

    def forget(self, operation_id: str) -> None:
        for delivery in self.of(operation_id):
            del self.kept[operation_id, delivery.sequence]
        self.counted.pop(operation_id, None)

    def count_post(self, operation_id: str, most: int, expires_at: float) -> bool:
        if self.posts(operation_id) >= most:
            return False
        self.counted[operation_id] = self.posts(operation_id) + 1
        return True

    def posts(self, operation_id: str) -> int:
        return self.counted.get(operation_id, 0)

    def begin_redelivery(self, operation_id: str, pause: float, expires_at: float) -> float:
        left = self.redelivered.get(operation_id, 0.0) + pause - self.clock.now()
        if left <= 0:
            self.redelivered[operation_id] = self.clock.now()
        return max(left, 0.0)

    def disable(self, owner: str, url: str, until: float) -> None:
        self.disabled[owner, url] = until

    def enable(self, owner: str, url: str) -> None:
        self.disabled.pop((owner, url), None)

    def is_disabled(self, owner: str, url: str) -> bool:
        return (owner, url) in self.disabled


@dataclass
class MemoryReceivers:
    """Circuits of hosts, and whose turn it is, in dictionaries."""

    clock: FakeClock = field(default_factory=FakeClock)
    circuits: dict[str, Circuit] = field(default_factory=dict)
    turns: dict[str, tuple[str, float]] = field(default_factory=dict)

    def take(self, receiver: str, holder: str, until: float) -> bool:
        held_by, held_until = self.turns.get(receiver, (holder, 0.0))
        if held_by != holder and held_until > self.clock.now():
            return False
        self.turns[receiver] = (holder, until)
        return True

    def release(self, receiver: str, holder: str) -> None:
        if self.turns.get(receiver, ("", 0.0))[0] == holder:
            del self.turns[receiver]

    def admit(self, receiver: str) -> float:
        circuit = self.circuits.get(receiver, Circuit())
        self.circuits[receiver] = circuit.probing(self.clock.now()) or circuit
        return circuit.open_until

    def report(self, receiver: str, well: bool, event_id: str) -> None:
        circuit = self.circuits.get(receiver, Circuit())
        self.circuits[receiver] = Circuit() if well else circuit.failed(self.clock.now(), event_id)


@dataclass
class MemoryImages:
    """Pictures in a dictionary, the oldest first."""

    objects: dict[str, bytes] = field(default_factory=dict)
    ages: dict[str, float] = field(default_factory=dict)
    """Since when the readers of a picture took it to be there."""
    types: dict[str, str] = field(default_factory=dict)
    """The content type under which each is handed out."""

    @property
    def pictures(self) -> list[str]:
        """The keys of all but previews."""
        return [key for key in self.objects if not key.endswith(".preview.webp")]

    def put(self, key: str, body: bytes, content_type: str, *, overwrite: bool = False) -> None:
        if overwrite:
            self.objects.pop(key, None)
        self.objects.setdefault(key, body)
        self.types.setdefault(key, content_type)

    def get(self, key: str, written_at: float) -> bytes:
        self.ages[key] = written_at
        return self.objects[key]

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.objects.pop(key, None)

    def sign_upload(self, key: str, content_type: str, largest: int, seconds: int) -> tuple[str, dict[str, str]]:
        return "https://bucket.invalid/", {"key": key, "Content-Type": content_type}

    def presign(self, key: str) -> str:
        return f"https://bucket.invalid/{key}?signed"


@dataclass
class MemoryWorkflow:
    """Remembers what was started."""

    runs: list[tuple[str, str]] = field(default_factory=list)

    refuses: bool = False

    def start(self, operation_id: str, execution: str) -> bool:
        if not self.refuses and (operation_id, execution) not in self.runs:
            self.runs.append((operation_id, execution))
        return not self.refuses


@dataclass
class MemorySteps:
    """Remembers the steps that were to be taken without an execution: operation, last poll, number of polls."""

    taken: list[tuple[str, float, int]] = field(default_factory=list)

    def take(self, operation_id: str, last_poll_at: float = 0.0, poll_count: int = 0) -> None:
        self.taken.append((operation_id, last_poll_at, poll_count))


@dataclass
class MemoryLatencies:
    """Histograms in a dictionary."""

    expected_seconds: float = 20.0
    trained: bool = False
    """True when enough jobs have been seen that took as long as expected."""
    known: dict[str, Histogram] = field(default_factory=dict)
    seen: list[tuple[float, float]] = field(default_factory=list)
    censored: list[float] = field(default_factory=list)

    def get(self, provider: str, model: str) -> Histogram:
        expected = Histogram(self.expected_seconds)
        return self.known.get(provider) or (_as_expected(self.expected_seconds) if self.trained else expected)

    def observe(self, provider: str, model: str, earliest: float, latest: float) -> None:
        self.seen.append((earliest, latest))
        self.known[provider] = self.get(provider, model).observed_between(earliest, latest)

    def censor(self, provider: str, model: str, seconds: float) -> None:
        self.censored.append(seconds)


@cache
def _as_expected(seconds: float) -> Histogram:
    """The prior, confirmed: a job of which nothing is known adds no shape of its own."""
    return reduce(lambda histogram, _: histogram.censored(0), range(20), Histogram(seconds))


@dataclass
class MemoryAdmission:
    """Lets everybody in, but those in `closed_until`; remembers what was reported."""

    closed_until: dict[str, float] = field(default_factory=dict)
    reports: list[tuple[str, FailureCode | None]] = field(default_factory=list)

    def admit(self, provider: str) -> float:
        return self.closed_until.get(provider, 0.0)

    def report(self, provider: str, failure: FailureCode | None, operation_id: str) -> None:
        self.reports.append((provider, failure))


@dataclass
class MemoryTelemetry:
    """Remembers which attempts ended, after how many looks and seconds unseen, and what else it was told."""

    attempts: list[Attempt] = field(default_factory=list)
    watched: list[tuple[int, float]] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    expansions: list[tuple[float, Failure | None]] = field(default_factory=list)
    sweeps: list[tuple[int, float]] = field(default_factory=list)
    unknown: list[tuple[str, int]] = field(default_factory=list)

    def attempt(self, operation: Operation, attempt: Attempt, poll_count: int = 0, unseen: float = 0.0) -> None:
        self.attempts.append(attempt)
        self.watched.append((poll_count, unseen))

    def expansion(self, operation: Operation, seconds: float, failure: Failure | None) -> None:
        self.expansions.append((seconds, failure))

    def ended(self, operation: Operation) -> None:
        self.operations.append(operation)

    def swept(self, restarted: int, overdue: float) -> None:
        self.sweeps.append((restarted, overdue))

    def unknown_delivery(self, operation_id: str, sequence: int) -> None:
        self.unknown.append((operation_id, sequence))


@dataclass
class MemoryBus:
    """Remembers what was announced; refuses the positions in `refuse`."""

    events: list[Event] = field(default_factory=list)
    refuse: set[int] = field(default_factory=set)

    def publish(self, events: Sequence[Event]) -> list[int]:
        self.events += [event for at, event in enumerate(events) if at not in self.refuse]
        return [at for at in range(len(events)) if at in self.refuse]


@dataclass
class MemoryDeadLetters:
    """Remembers what was put aside, and why."""

    dead_letters: list[tuple[str, str, str]] = field(default_factory=list)

    def put(self, message: str, code: str, reason: str) -> None:
        self.dead_letters.append((message, code, reason))


@dataclass
class NoSecrets:
    """No secret was ever set, unless given."""

    values: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        return self.values.get(name)


@dataclass
class ScriptedHttp:
    """An upstream that answers from a script and remembers what it was asked."""

    answers: list[HttpResponse | UpstreamError] = field(default_factory=list)
    events: list[ServerSentEvent | UpstreamError] = field(default_factory=list)
    downloads: dict[str, bytes | UpstreamError] = field(default_factory=dict)
    requests: list[HttpRequest] = field(default_factory=list)

    def send(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        return _or_raise(self.answers.pop(0))

    def stream(self, request: HttpRequest, hold_until: float) -> Iterator[ServerSentEvent]:
        self.requests.append(request)
        for event in self.events:
            yield _or_raise(event)

    def download(self, url: str, trusted_base: str) -> bytes:
        return _or_raise(self.downloads[url])


def _or_raise(value: Any) -> Any:
    if isinstance(value, BaseException):
        raise value
    return value


@dataclass
class ScriptedExpander:
    """A language model that answers from a script, whose last entry repeats, after `takes` seconds."""

    answers: list[str | UpstreamError] = field(default_factory=lambda: ["A cat in the evening sun."])
    clock: FakeClock | None = None
    takes: float = 0.0
    asked: list[tuple[str, int, float]] = field(default_factory=list)

    def expand(self, prompt: str, characters: int, seconds: float, private: bool = False) -> str:
        self.asked.append((prompt, characters, seconds))
        if self.clock:
            self.clock.sleep(min(self.takes, seconds))
        answer: str = _or_raise(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
        return answer


@dataclass
class ScriptedProvider:
    """A provider that answers from two scripts; the last entry repeats."""

    name: str = "alpha"
    base_url: str = "https://alpha.invalid"
    submissions: list[Submission | UpstreamError] = field(default_factory=lambda: [Ticket({"job": 1})])
    checks: list[Check | UpstreamError] = field(default_factory=list)
    limits: Limits = field(
        default_factory=lambda: Limits(completion=CompletionMode.POLL, grid=Grid(64, 2048, 8), prompt_characters=1000)
    )
    submitted: list[ImageRequest] = field(default_factory=list)
    cancelled: list[Ticket] = field(default_factory=list)
    hooks: list[str] = field(default_factory=list)
    """The addresses that it may call."""
    held_until: list[float] = field(default_factory=list)
    """What each look was allowed, in seconds since the epoch."""

    def submit(self, upstream_request: UpstreamRequest) -> Submission:
        self.submitted.append(upstream_request.request)
        self.hooks.append(upstream_request.hook_url)
        return _or_raise(self.submissions.pop(0) if len(self.submissions) > 1 else self.submissions[0])

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        self.held_until.append(hold_until)
        return _or_raise(self.checks.pop(0) if len(self.checks) > 1 else self.checks[0])

    def cancel(self, ticket: Ticket) -> None:
        self.cancelled.append(ticket)


MICRO_DOLLARS = {"alpha": 2000, "beta": 3000}
"""What a picture costs."""


def routes(*providers: str) -> Routes:
    """One model, `flux`, over the named providers."""
    limits = Limits(
        completion=CompletionMode.POLL,
        grid=Grid(64, 2048, 8),
        prompt_characters=1000,
        capabilities=frozenset({"seed", "steps"}),
    )
    prices = {name: price / 1_000_000 for name, price in MICRO_DOLLARS.items()}
    targets = tuple(
        Target(provider=name, model="schnell", limits=limits, price_usd=prices.get(name)) for name in providers
    )
    return Routes([Route(model="flux", targets=targets, aliases=("flux-schnell", "gpt-image-*"))])


def failing(code: FailureCode, retry_after: float | None = None) -> UpstreamError:
    """An upstream's refusal."""
    return UpstreamError(Failure(code, f"said {code}", retry_after))


def picture(width: int = 64, height: int = 48, output_format: str = "png", *, blank: bool = False) -> bytes:
    """A small picture, of a gradient or of nothing."""
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    if blank:
        image = Image.new("RGB", (width, height))
    out = io.BytesIO()
    image.save(out, output_format)
    return out.getvalue()
