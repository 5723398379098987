"""Durations and sums as people write them."""

import re
from decimal import Decimal, InvalidOperation

import typer

_DURATION = re.compile(r"(\d{1,6})([smhd])")
MOST = 1_000_000_000
"""The largest amount of anything: sums of it stay exact everywhere."""
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def duration(text: str | float) -> float:
    """Seconds in `45s`, `30m`, `12h`, `90d` or `0`. Raises typer.BadParameter."""
    if isinstance(text, float):  # an option's default, which typer hands through its parser
        return text
    matched = _DURATION.fullmatch(text)
    if matched:
        return float(int(matched[1]) * _SECONDS[matched[2]])
    if text == "0":
        return 0.0
    raise typer.BadParameter(f"{text!r} is not a duration; write 45s, 30m, 12h or 90d.")


def lifetime(text: str) -> float:
    """A duration above zero. Raises typer.BadParameter."""
    seconds = duration(text)
    if not seconds:
        raise typer.BadParameter(f"{text!r} is too short; write 45s, 30m, 12h or 90d.")
    return seconds


def micro_dollars(text: str) -> int:
    """Millionths of a dollar in an amount of dollars such as `2.50`. Raises typer.BadParameter."""
    try:
        amount = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or amount < 0:
        raise typer.BadParameter(f"{text!r} is not an amount; write dollars, such as 2.50.")
    if amount > MOST:
        raise typer.BadParameter(f"{text!r} is more than a billion dollars; write less, or leave the limit out.")
    return int(amount * 1_000_000)


def dollars(micro_dollars: int) -> str:
    """An amount as people write it, such as `0.02`."""
    return f"{(Decimal(micro_dollars) / 1_000_000).normalize():f}"
