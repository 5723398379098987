"""Events of a body that is read as it comes."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

_END_OF_EVENT = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LONGEST_END = 4


@dataclass(slots=True)
class StreamedBody:
    """What is kept of a body, which may be a text/event-stream."""

    on_event: Callable[[bytes], bool] | None = None
    """Takes each event; false: it is not kept. `None`: every byte is kept."""
    kept: bytearray = field(default_factory=bytearray)
    _handled: int = 0
    """Where the first event begins that is not complete yet."""

    def add(self, chunk: bytes) -> None:
        """Take the next bytes, and tell the events that are complete now."""
        searched = max(self._handled, len(self.kept) - _LONGEST_END + 1)
        self.kept += chunk
        while self.on_event and (end := _END_OF_EVENT.search(self.kept, searched)):
            if self.on_event(bytes(self.kept[self._handled : end.end()])):
                self._handled = end.end()
            else:
                del self.kept[self._handled : end.end()]
            searched = self._handled
