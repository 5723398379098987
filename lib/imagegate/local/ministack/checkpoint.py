"""Writes the running MiniStack's state to one file, in one step: a SIGKILL leaves a whole state behind.

MiniStack itself writes only at a clean stop, one file per service. The *snapshot* here holds all services as
they were at one instant, and replaces its predecessor with a rename. A forked child writes it: the fork is
the instant, and the server stands still for those few milliseconds only. S3 objects are not in it (MiniStack
writes each when it is put), nor is function code (files named by digest, there before the snapshot is).
"""

import copy
import gc
import json
import os
import signal
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import persistence

State = dict[str, Any]

_LONGEST_SAVE_SECONDS = 60.0
_MANY_FILES = 1 << 16


class UnreadableSnapshot(Exception):
    """The snapshot cannot be used; the message says which file and why."""


def read(path: Path) -> dict[str, State]:
    """Return the saved state by service; empty when nothing was saved yet.

    Raises:
        UnreadableSnapshot: the file is damaged, or a newer MiniStack wrote it.
    """
    try:
        snapshot = json.loads(path.read_text(), object_hook=persistence._json_object_hook)
        return {service: _payload(service, saved) for service, saved in snapshot.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UnreadableSnapshot(f"{path}: {error!r}") from error


def _payload(service: str, saved: State) -> State:
    if saved["format"] > persistence._state_format_version(service):
        raise ValueError(f"a newer MiniStack wrote the state of {service}")
    payload: State = saved["payload"]
    return payload


class Saver:
    """Saves the state of this process's MiniStack to one file; one save at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seconds = 0.0
        """How long the last save took."""
        self.failed = False
        """Whether the last save failed; its reason went to standard error."""
        self._child: int | None = None
        self._began = 0.0

    def begin(self) -> None:
        """Take the state of this instant and leave writing it to a child. Call it between two requests (on
        the event loop), and only when `settled`."""
        self._began = time.monotonic()
        with warnings.catch_warnings():
            # Python warns of forks beside threads: the child must not need a lock that one of them held.
            # It only reads memory and writes a file.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._child = os.fork()
        if self._child == 0:
            _write_and_exit(self.path)

    def settled(self) -> bool:
        """Whether no save is under way. Collects the child that ended and ends one that hangs."""
        if self._child is None:
            return True
        self.seconds = time.monotonic() - self._began
        if self.seconds > _LONGEST_SAVE_SECONDS:
            os.kill(self._child, signal.SIGKILL)
        ended, status = os.waitpid(self._child, os.WNOHANG)
        if not ended:
            return False
        self._child, self.failed = None, status != 0
        return True

    def save(self) -> None:
        """Save, and return when the file is there. Nothing else runs on the event loop meanwhile."""
        self._settle()
        self.begin()
        self._settle()

    def _settle(self) -> None:
        while not self.settled():
            time.sleep(0.005)


def _write_and_exit(path: Path) -> None:
    """Write the snapshot in the forked child, and end the child."""
    try:
        _travel_light()
        _write(path)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def _travel_light() -> None:
    """Drop what the child must not hold and need not do.

    The listening socket and the pipes of the Lambda workers would stay open when the server is killed. And
    the copies that MiniStack's `get_state` functions make, against changes while they are written, are most
    of the work of a save; nothing changes in the child.
    """
    gc.disable()
    os.closerange(3, _MANY_FILES)
    copy.deepcopy = _itself  # type: ignore[assignment]


def _itself(state: Any, memo: Any = None) -> Any:
    return state


def _write(path: Path) -> None:
    entries = (_entry(name, get_state) for name, get_state in app._build_persistence_save_dict().items())
    draft = path.with_suffix(".draft")
    draft.write_text("{" + ",\n".join(filter(None, entries)) + "}")
    draft.replace(path)


def _entry(service: str, get_state: Callable[[], State | None]) -> str:
    """Return a service's member of the snapshot; "" when it has no state, or (said on stderr) unusable state.

    One service that cannot be saved, most likely an unused one, must not prevent saving the others.
    """
    try:
        state = get_state()
        entry = {"format": persistence._state_format_version(service), "payload": state}
        return f"{json.dumps(service)}: {json.dumps(entry, default=persistence._json_default)}" if state else ""
    except Exception:
        traceback.print_exc()
        return ""
