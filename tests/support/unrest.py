"""What comes between a driver and its next effect: its death, or another driver."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class Killed(BaseException):
    """The process is gone; nothing in it may catch this."""


@dataclass
class Unrest:
    """Strikes right before or right after the next effect but `countdown` of those it watches, once each time."""

    countdown: int = -1
    """Effects to let pass; negative for peace."""
    after: bool = False
    next_fault: Callable[[], None] = lambda: None
    names: list[str] = field(default_factory=list)
    """The effects seen, in their order."""
    _inside: bool = False
    """An effect is one: nothing comes between its parts."""

    def plan(self, countdown: int, after: bool, next_fault: Callable[[], None]) -> None:
        """Arm it."""
        self.countdown, self.after, self.next_fault = countdown, after, next_fault

    def watch(self, owner: Any, name: str) -> None:
        """Make `owner.name` an effect."""
        method: Callable[..., Any] = getattr(owner, name)

        def watched(*arguments: Any, **named: Any) -> Any:
            if self._inside:
                return method(*arguments, **named)
            self.names.append(name)
            mine = self.countdown == 0
            self.countdown -= self.countdown >= 0
            if mine and not self.after:
                self.next_fault()
            self._inside = True
            try:
                result = method(*arguments, **named)
            finally:
                self._inside = False
            if mine and self.after:
                self.next_fault()
            return result

        setattr(owner, name, watched)


def die() -> None:
    """The strike that ends a process."""
    raise Killed


def before(owner: Any, name: str, action: Callable[[], Any], *, after: bool = False) -> None:
    """Do something right before (or after) the next call of `owner.name`."""
    unrest = Unrest()
    unrest.watch(owner, name)
    unrest.plan(0, after, action)
