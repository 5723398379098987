"""Lists of operations, newest first."""

from dataclasses import dataclass

from imagegate.domain.operation.ids import first_id
from imagegate.domain.operation.operation import Operation, State

LARGEST_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which operations, and where in the list to begin. Times are seconds since the epoch."""

    owner: str
    size: int = 20
    state: State | None = None
    model: str | None = None
    created_after: float | None = None
    """Not before this moment."""
    created_before: float | None = None
    """Before this moment."""
    before_id: str | None = None
    """The last operation of the page before this one; newer ones that came meanwhile do not shift the list."""

    @property
    def lowest_id(self) -> str:
        """No operation in the list has a smaller id."""
        return first_id(self.created_after or 0)

    @property
    def below_id(self) -> str:
        """Every operation in the list has a smaller id."""
        ends = [self.before_id, first_id(self.created_before) if self.created_before is not None else None]
        return min((end for end in ends if end is not None), default="~")


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the list."""

    operations: tuple[Operation, ...]
    next_before_id: str | None = None
    """Where the next page begins; `None` at the end."""
