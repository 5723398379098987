"""Announcements to the bus and to webhooks, and dead letters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from imagegate.domain.operation.events import Event
from imagegate.domain.webhooks.delivery import Delivery


class EventBus(Protocol):
    """Where changes are announced."""

    def publish(self, events: Sequence[Event]) -> Sequence[int]:
        """Announce; returns the positions of the events that could not be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that was put aside."""

    message: str
    code: str
    """The error code; empty when there is none."""
    reason: str
    sent_at: float
    """When, in seconds since the epoch."""


class DeadLetters(Protocol):
    """The queue of messages that cannot be handled, for a person to inspect."""

    def put(self, message: str, code: str, reason: str) -> None:
        """Put a message there with an error code and a reason in one sentence."""


class WebhookPolicy(Protocol):
    """Where webhooks may be sent to."""

    def check(self, url: str) -> None:
        """Raises WebhookRefused for a URL of which is known now that nothing is sent there."""


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """A receiver's response."""

    status: int
    retry_after: str | None = None
    """The header, as it came."""


class WebhookSender(Protocol):
    """The one way to a webhook; owns address rules, time and size caps."""

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        """POST, and follow no redirect. Raises WebhookRefused, and Unreachable when there is no answer."""


class Deliveries(Protocol):
    """The recorded webhook deliveries."""

    def get(self, operation_id: str, sequence: int) -> Delivery | None:
        """Read one consistently; `None` when there is none."""

    def put(self, delivery: Delivery) -> None:
        """Write a new one or the next version. Raises Conflict unless the stored version is the one before."""

    def tried(self, operation_id: str) -> set[str]:
        """The events of an operation that were attempted at least once; very recent ones may be missing."""

    def of(self, operation_id: str, after: int = 0) -> Sequence[Delivery]:
        """Those of an operation after a sequence, in order of sequence; very recent ones may be missing."""

    def count_post(self, operation_id: str, most: int, expires_at: float) -> bool:
        """Count one more POST of an operation before it is made; False, and nothing counted, beyond `most`."""

    def posts(self, operation_id: str) -> int:
        """How many POSTs an operation has made."""

    def begin_redelivery(self, operation_id: str, pause: float, expires_at: float) -> float:
        """Note that an operation is redelivered now; or seconds until it may be, `pause` after the last time."""

    def forget(self, operation_id: str) -> None:
        """Remove all of an operation."""


class Receivers(Protocol):
    """Hosts that deliveries go to, each apart for every owner (`Webhook.receiver`)."""

    def take(self, receiver: str, owner: str, until: float) -> bool:
        """Keep the others from delivering there until then (seconds since the epoch); False: another one does."""

    def release(self, receiver: str, owner: str) -> None:
        """Let the next one deliver; that the time is over is no error."""

    def admit(self, receiver: str) -> float:
        """When it may be sent to, in seconds since the epoch; a moment that is not in the future means now."""

    def report(self, receiver: str, well: bool, event_id: str) -> None:
        """A delivery of that event ended: well or not."""


class DisabledWebhooks(Protocol):
    """Receivers that said they want no more (410)."""

    def disable(self, owner: str, url: str, until: float) -> None:
        """Send nothing of this owner's there until then (seconds since the epoch), or until it is enabled."""

    def enable(self, owner: str, url: str) -> None:
        """Send there again; enabling one that is not disabled is no error."""

    def is_disabled(self, owner: str, url: str) -> bool:
        """True when nothing is sent there."""


WebhookKey = Callable[[], bytes]
"""The deployment's key under which webhook secrets are (domain/access/encryption.py)."""
