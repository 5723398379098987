"""`imagegate serve --routes FILE`: a file whose changes take effect while the gateway runs."""

import threading
from collections.abc import Callable
from pathlib import Path

from imagegate.adapters.dynamodb_routes import DynamoDBRoutes
from imagegate.cli.routes.options import read_text
from imagegate.cli.routes.push import push_text
from imagegate.domain.errors import Conflict, InvalidRequest, MisconfiguredError

_PAUSE = 0.5
"""Seconds between two looks at the file."""


class RoutesWatch:
    """Pushes the file to the gateway whenever it has changed; a wrong one leaves the last good one in force."""

    def __init__(self, path: Path, store: DynamoDBRoutes, say: Callable[[str], None]) -> None:
        self._path = path
        self._store = store
        self._say = say
        self._text = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="routes", daemon=True)

    def start(self) -> None:
        """Push the file and begin to watch it. Raises InvalidRequest, RoutesFileError or Conflict."""
        self._text = read_text(self._path)
        push_text(self._store, self._text, str(self._path))
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._stopping.wait(_PAUSE):
            try:
                self._check_file()
            except Exception as error:
                self._say(f"{self._path} was not read: {error!r}")

    def _check_file(self) -> None:
        try:
            text = read_text(self._path)
        except InvalidRequest:
            return  # an editor may be replacing it
        if text == self._text:
            return
        self._text = text
        try:
            pushed = push_text(self._store, text, str(self._path))
        except (MisconfiguredError, Conflict) as error:
            self._say(f"{error}\n  The routes before stay in force.")
        else:
            self._say(f"{self._path} was read again{'' if pushed else '; nothing in it has changed'}.")
