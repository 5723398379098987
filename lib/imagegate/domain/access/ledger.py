"""How an API key's daily and concurrent limits are kept. Pure (docs/adr/0007).

The usage ledger of a key holds the sum of the charges of its operations: while one runs the most that it may use,
after its end what it has used. A change of an operation's charge is written to the ledger in one transaction with the
operation's version, so that no crash loses or repeats it. An attempt that costs more than was reserved for its picture
raises the charge, and must fit into the budget (docs/adr/0018).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from imagegate.domain.access.api_key import ApiKey, KeyLimits
from imagegate.domain.errors import Forbidden, QuotaExhausted, RateLimited
from imagegate.domain.operation.account import Account, Amount
from imagegate.domain.operation.attempt import Attempt, charged
from imagegate.domain.operation.operation import Operation
from imagegate.domain.request.route import Route

_DAY = 86_400.0
_BUSY_SECONDS = 15.0
"""`Retry-After` in seconds when too many operations are running; when the first ends is not known."""
UNLIMITED = KeyLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """The change of a key's usage ledger that is written together with an operation."""

    key: str
    day: str
    change: Amount
    limits: KeyLimits = UNLIMITED
    """Must still hold afterwards; none when usage is settled."""
    shards: int = 1
    """Counters into which the key's usage is divided."""
    home: int = 0
    """The counter of the operation."""


@dataclass(frozen=True, slots=True)
class UsageTotals:
    """The totals in a key's usage ledger."""

    running: int = 0
    days: Mapping[str, Amount] = field(default_factory=dict)
    """By day, as `2026-11-20`; a day without use is not there."""


def day_of(now: float) -> str:
    """The day in UTC of a moment in seconds since the epoch, as `2026-11-20`."""
    return datetime.fromtimestamp(now, UTC).date().isoformat()


def end_of_day(now: float) -> float:
    """When the day in UTC of a moment ends, in seconds since the epoch."""
    return (now // _DAY + 1) * _DAY


def open_account(key: ApiKey | None, route: Route, pictures: int, now: float) -> Account | None:
    """The account of an operation that may make `pictures` on `route`; `None` when its key has nothing to be counted.

    Raises Forbidden when the key has a budget in dollars and the route a provider whose price is not known.
    """
    if key is None or not key.limits.metered:
        return None
    unpriced = [target.provider for target in route.targets if target.micro_dollars is None]
    if unpriced and key.limits.micro_dollars_per_day is not None:
        raise Forbidden(
            f"This API key has a budget in dollars, and the price of '{route.model}' at {unpriced[0]} is not known.",
            param="model",
            remedy="Use a model with prices, or ask the operator for a limit on pictures instead.",
        )
    dearest = max(target.micro_dollars or 0 for target in route.targets)
    counts_running = key.limits.concurrent is not None
    return Account(
        key=key.id,
        day=day_of(now),
        pictures=pictures,
        dearest=dearest,
        counts_running=counts_running,
        budget=key.limits.micro_dollars_per_day,
        shards=key.shards,
    )


def budget_of(account: Account | None) -> KeyLimits:
    """The limits that must hold after a further try: the budget of the operation's day."""
    return KeyLimits(micro_dollars_per_day=account.budget) if account else UNLIMITED


def charge(account: Account, operation: Operation) -> Amount:
    """What the operation uses since it was started, or tried again, on this account.

    While it runs: for each picture the dearest price, or what its tries may have cost if that is more. After its end:
    the pictures (and their prices) that an upstream has made, has perhaps made, or may still make.
    """
    # A submission from before a retry that was found again was charged then.
    already_charged = charged(operation.attempts[: operation.retried_after])
    spent = _cost_by_slot(
        attempt for number, attempt in charged(operation.counted_attempts).items() if number not in already_charged
    )
    if operation.done:
        return Amount(0, len(spent), sum(spent.values()))
    beyond = sum(max(0, cost - account.dearest) for cost in spent.values())
    return Amount(int(account.counts_running), account.pictures, account.pictures * account.dearest + beyond)


def _cost_by_slot(paid: Iterable[Attempt]) -> Mapping[int, int]:
    """Micro-dollars by slot; a slot whose tries were free is there with 0."""
    cost = Counter[int]()
    for attempt in paid:
        for slot in attempt.slots:
            cost[slot] += attempt.micro_dollars // len(attempt.slots)
    return cost


def reserve(operation: Operation, limits: KeyLimits = UNLIMITED) -> tuple[Operation, Reservation | None]:
    """The operation to write, and the reservation to write with it (`None`: nothing changes).

    `limits`: must hold afterwards, otherwise the store refuses both.
    """
    account = operation.account
    if account is None or (due := charge(account, operation)) == account.booked:
        return operation, None
    reservation = Reservation(
        key=account.key,
        day=account.day,
        change=due - account.booked,
        limits=limits,
        shards=account.shards,
        home=int.from_bytes(operation.id[-2:].encode()) % account.shards,
    )
    return replace(operation, account=replace(account, booked=due)), reservation


def would_exceed(reservation: Reservation, used: Amount) -> bool:
    """True when the reservation has no room beside what is used."""
    change, limits = reservation.change, reservation.limits
    return (
        _exceeds(used.running, change.running, limits.concurrent)
        or _exceeds(used.pictures, change.pictures, limits.pictures_per_day)
        or _exceeds(used.micro_dollars, change.micro_dollars, limits.micro_dollars_per_day)
    )


def limit_error(reservation: Reservation, used: Amount, now: float) -> RateLimited:
    """The error for a refused reservation, when the ledger had `used`."""
    limits, change = reservation.limits, reservation.change
    if _exceeds(used.pictures, change.pictures, limits.pictures_per_day):
        left = max(0, (limits.pictures_per_day or 0) - used.pictures)
        texts = f"{left} of its {limits.pictures_per_day} pictures", f"make {change.pictures}"
        return _quota_error(*texts, change.pictures > (limits.pictures_per_day or 0), now)
    if _exceeds(used.micro_dollars, change.micro_dollars, limits.micro_dollars_per_day):
        budget = limits.micro_dollars_per_day or 0
        texts = f"{_dollars(max(0, budget - used.micro_dollars))} of its {_dollars(budget)}", "cost "
        return _quota_error(texts[0], texts[1] + _dollars(change.micro_dollars), change.micro_dollars > budget, now)
    return RateLimited(
        f"This API key has {used.running} operations under way, and may have {limits.concurrent} at once.",
        retry_after=_BUSY_SECONDS,
        remedy="Try again when one of them has ended.",
    )


def _exceeds(used: int, more: int, limit: int | None) -> bool:
    """True when `more` exceeds the limit; a change that adds nothing is never refused."""
    return limit is not None and more > 0 and used + more > limit


def _quota_error(left: str, wanted: str, never: bool, now: float) -> QuotaExhausted:
    remedy = "Ask for fewer pictures" if never else "Try again after 00:00 UTC"
    return QuotaExhausted(
        f"This API key has {left} left today, and this request may {wanted}.",
        retry_after=None if never else end_of_day(now) - now,
        remedy=f"{remedy}, or ask the operator of this gateway for more.",
    )


def _dollars(micro_dollars: int) -> str:
    return f"${micro_dollars / 1_000_000:.6f}".rstrip("0").removesuffix(".")
