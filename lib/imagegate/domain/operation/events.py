"""The announcements made about an operation (docs/events.md)."""

from dataclasses import dataclass
from typing import Any

from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.representation import represent

SOURCE = "imagegate"
DETAIL_TYPES = {
    State.QUEUED: "Image Generation Queued",
    State.RUNNING: "Image Generation Started",
    State.SUCCEEDED: "Image Generation Succeeded",
    State.FAILED: "Image Generation Failed",
    State.CANCELLED: "Image Generation Cancelled",
}


LONGEST_TEXT = 3_000
"""Characters of a prompt, or any other text, that an announcement carries."""
LONGEST_PART = 300
"""Characters of a text in one of its pictures or attempts."""
MOST_ATTEMPTS = 20
"""How many attempts an announcement carries, the last ones."""


@dataclass(frozen=True, slots=True)
class Event:
    """One announcement: the operation as it stood when it reached a state."""

    operation: Operation
    late: bool = False
    """True for the announcement of a picture that came after the operation had failed."""

    @property
    def id(self) -> str:
        """Unique, and the same however often the announcement is delivered."""
        return f"{self.operation.id}.{self.operation.version}"

    @property
    def detail_type(self) -> str:
        """EventBridge's detail-type."""
        return DETAIL_TYPES[State.SUCCEEDED if self.late else self.operation.state]

    @property
    def name(self) -> str:
        """The event as webhooks name it: a word of `webhook.EVENTS`."""
        return self.detail_type.rpartition(" ")[2].lower()

    @property
    def for_webhook(self) -> bool:
        """True when the operation has a webhook that asks for this event."""
        webhook = self.operation.webhook
        return webhook is not None and self.name in webhook.events

    def detail(self) -> dict[str, Any]:
        """EventBridge's detail: the native operation, its owner, and the sequence.

        It stays below 160 KB (EventBridge takes 256), whatever was asked for and however often it was tried.
        """
        whole = represent(self.operation)
        parts = {"images": whole["images"], "attempts": whole["attempts"][-MOST_ATTEMPTS:]}
        operation = truncate_texts(whole, LONGEST_TEXT) | truncate_texts(parts, LONGEST_PART)
        return {
            "event_id": self.id,
            "sequence": self.operation.version,
            "owner": self.operation.owner,
            "abridged": operation != whole,
            "operation": operation,
        }


def event_for(old: Operation | None, new: Operation) -> Event | None:
    """The event for the change from `old` to `new`, if there is one: one for each state reached.

    A picture that comes after its operation has failed is announced as well, as Succeeded with `late`.
    """
    if old is None or old.state is not new.state:
        return Event(new)
    return Event(new, late=True) if len(new.late_pictures) > len(old.late_pictures) else None


def truncate_texts(value: Any, longest: int) -> Any:
    """A JSON document with no text longer than `longest` characters."""
    if isinstance(value, dict):
        return {name: truncate_texts(content, longest) for name, content in value.items()}
    if isinstance(value, list):
        return [truncate_texts(content, longest) for content in value]
    return value[:longest] if isinstance(value, str) else value
