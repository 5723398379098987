"""The entry of one operation in the usage ledger of its API key (docs/adr/0007)."""

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
    """The account that an operation's usage is charged to, and the amount reserved so far."""

    key: str
    """The id of the API key that pays."""
    day: str
    """The day (UTC, as `2026-11-20`) that is charged: that of its start or of its last retry."""
    pictures: int
    """How many it may make."""
    dearest: int
    """Micro-dollars for one picture at most: the price of the most expensive provider on the route."""
    counts_running: bool
    """True when the key has a limit on operations under way."""
    budget: int | None = None
    """Micro-dollars that the key may spend on that day, as it was when the account was opened; `None`: no limit."""
    shards: int = 1
    """Counters into which the key's usage is divided."""
    booked: Amount = Amount()
    """The amount in the usage ledger for it."""
