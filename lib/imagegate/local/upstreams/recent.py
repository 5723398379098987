"""A dictionary of bounded size, so that a stand-in can run for weeks."""

from collections import OrderedDict
from typing import Generic, TypeVar

Value = TypeVar("Value")

MOST_ENTRIES = 2000
"""Entries; what Gradio's own queue keeps (docs/protocols/gradio-spaces.md#streams)."""


class Recent(Generic[Value]):
    """Values by name; the least recently used one is dropped when there are more than `most`."""

    def __init__(self, most: int = MOST_ENTRIES) -> None:
        self.most = most
        self.values: OrderedDict[str, Value] = OrderedDict()

    def put(self, name: str, value: Value) -> Value:
        """Store the value under the name, and return it."""
        self.values[name] = value
        self.values.move_to_end(name)
        while len(self.values) > self.most:
            self.values.popitem(last=False)
        return value

    def get(self, name: str) -> Value | None:
        """The value, or None when it was never there or was dropped."""
        if name not in self.values:
            return None
        self.values.move_to_end(name)
        return self.values[name]

    def clear(self) -> None:
        """Drop everything."""
        self.values.clear()
