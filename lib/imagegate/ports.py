"""What the use cases need from the outside world. Small on purpose."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from imagegate.domain.api_key import ApiKey
from imagegate.domain.attempt import Attempt
from imagegate.domain.books import Booking, Used
from imagegate.domain.delivery import Delivery
from imagegate.domain.errors import Failure, FailureCode
from imagegate.domain.events import Event
from imagegate.domain.latency import Histogram
from imagegate.domain.limits import Limits
from imagegate.domain.listing import Page, Query
from imagegate.domain.operation import Operation
from imagegate.domain.order import InputBody, Order
from imagegate.domain.outcome import Check, Submission, Ticket
from imagegate.domain.request_rate import Allowance


class Clock(Protocol):
    """Time."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class OperationStore(Protocol):
    """Where operations live."""

    def create(self, operation: Operation, over: str | None = None, booking: Booking | None = None) -> None:
        """Write a new operation, make it the holder of its claim where it has one, and write `booking` in the books.

        All or nothing. Raises Conflict when the id exists, Claimed when the claim has another holder than `over`
        (whether or not the booking could be made), and RateLimited when the booking's limits would not hold.
        """

    def get(self, operation_id: str, *, consistent: bool = False) -> Operation | None:
        """Read one; `None` when there is none (or its retention ended)."""

    def replace(self, operation: Operation, booking: Booking | None = None) -> None:
        """Write the next version and, all or nothing, `booking` in the books.

        Raises Conflict unless the stored version is the one before, and RateLimited when the booking's limits would
        not hold.
        """

    def delete(self, operation: Operation) -> None:
        """Remove an operation's record. Raises Conflict unless the stored version is this one."""


class Abandoned(Protocol):
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


class Books(Protocol):
    """What API keys have used of their limits; written together with the operations (OperationStore)."""

    def read(self, key_id: str, days: Sequence[str]) -> Used:
        """What a key uses now, and has used on `days` (in UTC, as `2026-11-20`)."""


class RequestRate(Protocol):
    """How many requests a minute an API key has made."""

    def take(self, key_id: str, per_minute: int) -> Allowance:
        """Take one of the requests that the key may make now, if there is one."""


class ImageStore(Protocol):
    """Where pictures live."""

    def put(self, key: str, body: bytes, content_type: str) -> None:
        """Store under `key`; a key already there keeps its bytes."""

    def get(self, key: str) -> bytes:
        """Read the bytes back. Raises KeyError when they are gone."""

    def presign(self, key: str) -> str:
        """A URL that anybody may GET for a limited time."""

    def delete(self, keys: Sequence[str]) -> None:
        """Remove the objects; those already gone are no error."""


class Workflow(Protocol):
    """What drives an operation to its end."""

    def start(self, operation_id: str, run: str) -> None:
        """Start driving. Doing it twice with the same `run` (<= 80 characters) starts once."""


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

    def report(self, provider: str, failure: FailureCode | None) -> None:
        """An attempt ended: well (`None`) or not."""


class Telemetry(Protocol):
    """Figures for whoever runs the deployment; never a prompt."""

    def attempt(self, operation: Operation, attempt: Attempt, looks: int = 0, unseen: float = 0.0) -> None:
        """An attempt ended.

        `looks`: how often the workflow visited Poll for it; 0 when its submission stayed for it. `unseen`: how many
        seconds its picture may have been ready before it was seen (an upper bound: the time between two looks).
        """

    def expansion(self, operation: Operation, seconds: float, failure: Failure | None) -> None:
        """A prompt was expanded, or why it was not, after so many seconds; told at least once."""

    def ended(self, operation: Operation) -> None:
        """An operation has reached one of its last states; told at least once, rarely twice."""

    def swept(self, restarted: int, overdue: float) -> None:
        """A sweep restarted so many operations; somebody should have touched the worst `overdue` seconds ago."""


class EventBus(Protocol):
    """Where changes are announced."""

    def publish(self, events: Sequence[Event]) -> Sequence[int]:
        """Announce; returns the positions of the events that could not be."""


class RequestQueue(Protocol):
    """Where requests by event wait."""

    def put_back(self, message: str, seconds: float) -> None:
        """Have a message delivered again after `seconds`, a quarter of an hour at most."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was put aside."""

    message: str
    code: str
    """A word that says why; empty when it was not said."""
    reason: str
    sent_at: float
    """When, in seconds since the epoch."""


class DeadLetters(Protocol):
    """Where messages end that nobody can handle, for a person to look at."""

    def put(self, message: str, code: str, reason: str) -> None:
        """Put a message aside with a word and a sentence that say why."""


class Expander(Protocol):
    """A language model that writes prompts out."""

    def expand(self, prompt: str, characters: int, seconds: float, private: bool = False) -> str:
        """Its answer to `prompt`, of about as many characters at most; gives up after about so many seconds.

        `private`: it is told not to log the words, where it can be told so. Raises UpstreamError when it refuses,
        fails or takes too long.
        """


class Secrets(Protocol):
    """Where upstream credentials are kept."""

    def get(self, name: str) -> str | None:
        """The secret of that name, or `None` when it was never set."""


class WebhookTargets(Protocol):
    """Where webhooks may be sent to."""

    def check(self, url: str) -> None:
        """Raises WebhookRefused for a URL of which is known now that nothing is sent there."""


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """What a receiver said."""

    status: int
    retry_after: str | None = None
    """The header, as it came."""


class WebhookSender(Protocol):
    """The one way to a webhook; owns address rules, time and size caps."""

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        """POST, and follow no redirect. Raises WebhookRefused, and Unreachable when there is no answer."""


class Deliveries(Protocol):
    """The log of what was announced to webhooks."""

    def get(self, operation_id: str, sequence: int) -> Delivery | None:
        """Read one as it is now; `None` when nothing was tried yet."""

    def put(self, delivery: Delivery) -> None:
        """Write a new one or the next version. Raises Conflict unless the stored version is the one before."""

    def tried(self, operation_id: str) -> set[str]:
        """The events of an operation of which a delivery was begun; one that is a moment old may be missing."""

    def of(self, operation_id: str) -> Sequence[Delivery]:
        """All of an operation, in the order of their sequence; one that is a moment old may be missing."""

    def forget(self, operation_id: str) -> None:
        """Remove all of an operation."""


class DisabledWebhooks(Protocol):
    """Receivers that said they want no more (410)."""

    def disable(self, owner: str, url: str, until: float) -> None:
        """Send nothing of this owner's there until then (seconds since the epoch), or until it is enabled."""

    def enable(self, owner: str, url: str) -> None:
        """Send there again; one that is not disabled is no error."""

    def is_disabled(self, owner: str, url: str) -> bool:
        """True when nothing is sent there."""


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What the bytes of a picture say of themselves."""

    content_type: str
    width: int
    height: int


class Pictures(Protocol):
    """Reads and converts picture bytes."""

    def inspect(self, body: bytes) -> PictureFacts:
        """Check that `body` is a whole picture within the caps. Raises UpstreamError(bad_payload)."""

    def convert(self, body: bytes, output_format: str, quality: int | None = None) -> bytes:
        """The same picture as `png`, `jpeg` or `webp`; `quality` 0 to 100 for the latter two."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request to an upstream."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] = field(default_factory=dict)
    """Text fields of a multipart/form-data body."""
    files: Sequence[tuple[str, InputBody]] = ()
    """Files of a multipart/form-data body, by field name; a name may come more than once."""
    timeout: float = 30.0
    """Seconds without a byte after which the upstream counts as silent."""
    reading: float = 120.0
    """Seconds for which the answer is read, however steadily it drips."""
    harmless: bool = False
    """Asking twice does no harm, whatever the method: an answer that breaks off is a failure, not ambiguous."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An upstream's answer, read whole (within the size cap)."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event of a text/event-stream."""

    event: str
    data: str


class Http(Protocol):
    """The one way to an upstream; owns timeouts, size caps, redirects and address rules."""

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send and read the answer, whatever its status.

        Raises UpstreamError(upstream_timeout | upstream_failed | ambiguous) when there is no answer:
        `ambiguous` when the request may have been read.
        """

    def stream(self, request: HttpRequest, hold_until: float) -> Iterator[ServerSentEvent]:
        """Events as they come, until the stream or the time (seconds since the epoch) ends.

        Raises UpstreamError when the stream cannot be opened or breaks.
        """

    def download(self, url: str, trusted_base: str) -> bytes:
        """Fetch a picture without credentials; private addresses only on `trusted_base`'s own host."""


class Provider(Protocol):
    """An upstream that makes pictures."""

    name: str
    base_url: str
    limits: Limits

    def submit(self, order: Order) -> Submission:
        """Ask for the pictures. Raises UpstreamError when refused or unreachable."""

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        """Look for the pictures; may wait until `hold_until` (seconds since the epoch), never longer.

        Raises UpstreamError when this look failed but the job may still be alive.
        """

    def cancel(self, ticket: Ticket) -> None:
        """Ask the upstream to stop, where it can; never raises for a job already gone."""


SigningSecret = Callable[[], bytes]
"""The deployment's secret for signed links (domain/signed_link.py)."""

WebhookKey = Callable[[], bytes]
"""The deployment's key under which webhook secrets are (domain/sealing.py)."""

BeginAgain = Callable[[str, int], None]
"""Has the delivery of an operation's event (its sequence) begun anew."""

PictureLink = Callable[[Operation, int], str]
"""The path that leads to the picture in a slot."""

ProviderFor = Callable[[str], Provider]
"""Finds a provider by its name in the route table."""
