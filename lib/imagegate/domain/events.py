"""The announcements made about an operation (DESIGN.md §9)."""

from dataclasses import dataclass
from typing import Any

from imagegate.domain.operation import Operation, State
from imagegate.domain.representation import represent

SOURCE = "imagegate"
DETAIL_TYPES = {
    State.QUEUED: "Image Generation Queued",
    State.RUNNING: "Image Generation Started",
    State.SUCCEEDED: "Image Generation Succeeded",
    State.FAILED: "Image Generation Failed",
    State.CANCELLED: "Image Generation Cancelled",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One announcement: the operation as it stood when it reached a state."""

    operation: Operation

    @property
    def id(self) -> str:
        """Unique, and the same however often the announcement is delivered."""
        return f"{self.operation.id}.{self.operation.version}"

    @property
    def detail_type(self) -> str:
        """EventBridge's detail-type."""
        return DETAIL_TYPES[State.SUCCEEDED if self.operation.late_pictures else self.operation.state]

    def detail(self) -> dict[str, Any]:
        """EventBridge's detail: the native operation, and what puts announcements in order."""
        return {
            "event_id": self.id,
            "sequence": self.operation.version,
            "operation": represent(self.operation),
        }


def announced(old: Operation | None, new: Operation) -> Event | None:
    """The event that the change from `old` to `new` deserves, if any: one per state reached.

    A picture that comes after its operation has failed is announced as well, as Succeeded with `late`.
    """
    if old is None or old.state is not new.state or len(new.late_pictures) > len(old.late_pictures):
        return Event(new)
    return None
