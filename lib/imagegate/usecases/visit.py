"""Who is at work on an operation, and for how long."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Visit:
    """One invocation of a workflow's step."""

    run: str
    """The workflow execution's name; it holds the leases taken here."""
    ends_at: float
    """When the function is stopped, whatever it is doing, in seconds since the epoch."""
