"""What checks find."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imagegate.cli.doctor.subject import Subject


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found."""

    level: Level
    text: str
    remedy: str = ""
    """What to do; empty where nothing has to be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Something that is looked at."""

    name: str
    run: "Callable[[Subject], Iterable[Finding]]"
    """May raise ImagegateError or what botocore raises: that is an error with `remedy`."""
    needs: tuple[str, ...] = ()
    """Names of earlier checks without which this one says nothing."""
    remedy: str = ""


def ok(text: str) -> Finding:
    """It is as it should be."""
    return Finding(Level.OK, text)


def warning(text: str, remedy: str) -> Finding:
    """It works, but will cause trouble."""
    return Finding(Level.WARNING, text, remedy)


def error(text: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(Level.ERROR, text, remedy)


def skipped(text: str, remedy: str = "") -> Finding:
    """It was not looked at."""
    return Finding(Level.SKIPPED, text, remedy)
