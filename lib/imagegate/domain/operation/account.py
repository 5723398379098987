"""What is written into the books of an API key for one operation (docs/adr/0007)."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Amount:
    """How much is used of a key's limits."""

    running: int = 0
    """Operations under way, where the key has a limit on them."""
    pictures: int = 0
    micro_dollars: int = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.running + other.running,
            self.pictures + other.pictures,
            self.micro_dollars + other.micro_dollars,
        )

    def __sub__(self, other: Self) -> Self:
        return self + type(self)(-other.running, -other.pictures, -other.micro_dollars)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where an operation's use is booked, and how much of it is."""

    key: str
    """The id of the API key that pays."""
    day: str
    """The day (UTC, as `2026-11-20`) that it counts for: the one on which it was started, or tried again."""
    pictures: int
    """How many it may make."""
    dearest: int
    """What one costs at most, in micro-dollars: the price of the most expensive provider that may be asked."""
    counts_running: bool
    """True when the key has a limit on operations under way."""
    budget: int | None = None
    """Micro-dollars that the key may spend on that day, as it was when the account was opened; `None`: no limit."""
    booked: Amount = Amount()
    """What stands in the books for it."""
