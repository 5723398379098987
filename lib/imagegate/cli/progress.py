"""What is being done and for how long, on standard error; only a terminal shows it."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text


@contextmanager
def live_line(text: Callable[[], str]) -> Iterator[None]:
    """Show a line that changes as `text` does, until the `with` block ends."""
    if not sys.stderr.isatty():
        yield
        return
    # Imported here, so that `imagegate --help` does not wait for it.
    from rich.console import Console
    from rich.live import Live
    from rich.spinner import Spinner

    spinner = Spinner("dots")

    def line() -> Spinner:
        spinner.update(text=_one_line(text()))
        return spinner

    console = Console(stderr=True)
    with Live(get_renderable=line, console=console, transient=True, refresh_per_second=8, redirect_stdout=False):
        yield


def working(name: str) -> AbstractContextManager[None]:
    """Show what is being done, and its seconds."""
    began = time.monotonic()
    return live_line(lambda: f"{name} · {time.monotonic() - began:.0f} s")


def _one_line(text: str) -> "Text":
    from rich.text import Text

    return Text(text, no_wrap=True, overflow="ellipsis")
