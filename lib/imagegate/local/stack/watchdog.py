"""Restarts MiniStack when it dies."""

import threading
import time
from collections.abc import Callable

from imagegate.local.ministack.process import MiniStackError, MiniStackProcess
from imagegate.local.stack.deployment import DeploymentError
from imagegate.local.stack.packaging import PackagingError

TRIES_IN_A_ROW = 5
"""Restarts without `CALM_SECONDS` of life in between, before it gives up."""
CALM_SECONDS = 30.0

_INTERVAL = 0.2


class Watchdog:
    """Watches one MiniStack from a thread, from `start` to `stop`."""

    def __init__(
        self, process: MiniStackProcess, after_restart: Callable[[], None], say: Callable[[str], None]
    ) -> None:
        self.gave_up = threading.Event()
        """Set when MiniStack does not stay alive; nothing is served then."""
        self._process = process
        self._after_restart = after_restart
        self._say = say
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; a restart under way ends first."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        tries, since = 0, time.monotonic()
        while not self._stopping.wait(_INTERVAL):
            if (status := self._process.died()) is None:
                continue
            tries = 1 if time.monotonic() - since > CALM_SECONDS else tries + 1
            if tries > TRIES_IN_A_ROW or not self._restart(status):
                self._say(f"MiniStack cannot be kept running; its log is {self._process.folder.log}")
                self.gave_up.set()
                return
            since = time.monotonic()

    def _restart(self, status: int) -> bool:
        how = f"signal {-status}" if status < 0 else f"status {status}"
        self._say(f"MiniStack ended ({how}); starting it again on the saved state")
        self._process.stop()  # collects it, and ends the Lambda workers it left
        try:
            self._process.start()
        except MiniStackError as error:
            self._say(str(error))
            return False
        try:
            self._after_restart()
        except (DeploymentError, PackagingError) as error:
            self._say(f"the template could not be brought up to date: {error}")
        return True
