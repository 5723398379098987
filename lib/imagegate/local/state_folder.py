"""The folder that holds all of the embedded stack's state (`.imagegate/`), and the lock on it.

Only its owner can read it: it holds prompts, credentials and the root key of the embedded AWS.
"""

import fcntl
import json
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from imagegate.local.root_credentials import RootCredentials

ARTIFACT_BUCKET = "imagegate-artifacts"
"""The S3 bucket that holds the packaged code; created when it is missing."""

TO_START = 64_000_000
"""Bytes that must be free at the start: for the code of every function's workers, and for what they store first."""
TO_ACCEPT = 16_000_000
"""Bytes that must be free for a request to be accepted: a worker, a picture and the state are written for it."""
_FILES_TO_ACCEPT = 1_000
"""Files for which there must be room: a worker unpacks several hundred."""
_CHUNK = 1_000_000
_LOG_LIMIT_BYTES = 10_000_000
_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600


class FolderInUse(Exception):
    """Another running process holds the folder; the message names it."""


@dataclass(frozen=True)
class StateFolder:
    """Paths inside one state folder."""

    root: Path

    @property
    def state(self) -> Path:
        """MiniStack's memory (everything but S3 objects)."""
        return self.root / "state"

    @property
    def snapshot(self) -> Path:
        """The file with that memory; not there before the first save."""
        return self.state / "snapshot.json"

    @property
    def objects(self) -> Path:
        """S3 objects."""
        return self.root / "s3"

    @property
    def workers(self) -> Path:
        """Unpacked function code of running Lambda workers; worthless when none runs."""
        return self.root / "workers"

    @property
    def log(self) -> Path:
        """What MiniStack prints."""
        return self.root / "ministack.log"

    @property
    def functions_log(self) -> Path:
        """What the functions print."""
        return self.root / "functions.log"

    @property
    def ports(self) -> Path:
        """The ports used last (see `remembered_ports`)."""
        return self.root / "ports.json"

    @property
    def lock_file(self) -> Path:
        """Locked, and holding the process id, as long as a process uses the folder."""
        return self.root / "lock"

    @property
    def root_key(self) -> Path:
        """The key of the embedded AWS's root user (see `root_credentials`)."""
        return self.root / "root_key.json"

    def shortage(self, needed: int) -> str | None:
        """What to do about the disk if it has no room for `needed` bytes or for further files; `None` if it has."""
        place = next(path for path in (self.root, *self.root.parents) if path.exists())
        free, disk = shutil.disk_usage(place).free, os.statvfs(place)
        if disk.f_files and disk.f_favail < _FILES_TO_ACCEPT:  # some file systems count no files
            return f"The disk of {self.root} takes no more files. Delete some there, or use another --state-dir."
        if free >= needed:
            return None
        return (
            f"The disk of {self.root} is full: {free // 1_000_000} MB are free, and {needed // 1_000_000} MB are "
            "needed. Free some space there, or use another --state-dir."
        )

    def create(self) -> None:
        """Make the folders and files that are not there yet, and close what an earlier version left open.

        A folder that was there before and holds other things as well keeps its mode; only what is ours is closed.

        Raises:
            OSError: it cannot be a folder, or the disk is full or refuses what a start writes; the message says what
                to do.
        """
        try:
            self._create()
        except OSError as error:
            if error.errno is None:  # the message is ours
                raise
            raise OSError(
                f"{self.root} cannot be used as the state folder: {error.strerror}. Name a folder of yours, or one "
                "that can be made, with --state-dir."
            ) from error

    def _create(self) -> None:
        if full := self.shortage(TO_START):
            raise OSError(full)
        ours = not self.root.exists() or all(path in self._parts() for path in self.root.iterdir())
        for folder in (*([self.root] if ours else []), self.state, self.objects, self.workers):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(_PRIVATE_FOLDER)
        self.log.touch()  # the handlers of two processes append to it
        for file in (self.log, self.functions_log, self.ports, self.lock_file, self.root_key):
            if file.exists():
                file.chmod(_PRIVATE_FILE)
        self._try_to_write(TO_START)

    def _try_to_write(self, needed: int) -> None:
        """Take the room for so many bytes, and give it back: a quota or a limit leaves less than the disk has free."""
        try:
            with tempfile.TemporaryFile(dir=self.state) as file:
                for _ in range(0, needed, _CHUNK):
                    file.write(bytes(_CHUNK))
        except OSError as error:
            raise OSError(
                f"{self.root} takes no {needed // 1_000_000} MB, which are needed: {error.strerror}. Make room "
                "for them (a quota of the user, or 'ulimit -f', may be in the way), or use another --state-dir."
            ) from error

    def _parts(self) -> tuple[Path, ...]:
        folders = (self.state, self.objects, self.workers, *self.root.glob("s3-without-state-*"))
        logs = (*self.root.glob("*.log"), *self.root.glob("functions.log.*"))
        return (*folders, *logs, self.ports, self.lock_file, self.root_key)

    def root_credentials(self) -> RootCredentials:
        """The key of the embedded AWS's root user; it is made when there is none."""
        return RootCredentials.of(self.root_key)

    def open_log(self) -> IO[bytes]:
        """Open the log for appending; a long one is renamed, and a new one begun."""
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".old.log"))
        return open(self.log, "ab", opener=_open_private)

    def set_aside_stray_objects(self) -> Path | None:
        """Move S3 objects away that no saved state knows, and return where to; None when there are none.

        They would prevent a bucket of the same name, and may be pictures of a user.
        """
        buckets = [path for path in self.objects.glob("*/*") if path.name != ARTIFACT_BUCKET]
        if self.snapshot.exists() or not any(path.is_file() for b in buckets for path in b.rglob("*")):
            return None
        aside = self.root / time.strftime("s3-without-state-%Y%m%d-%H%M%S")
        self.objects.rename(aside)
        self.objects.mkdir(_PRIVATE_FOLDER)
        return aside

    def lock(self) -> IO[str]:
        """Take the folder for this process until the returned file is closed (or the process ends).

        Raises:
            FolderInUse: another process has it.
        """
        file = os.fdopen(os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_APPEND, _PRIVATE_FILE), "a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read().strip() or "unknown"
            file.close()
            raise FolderInUse(
                f"{self.root} is in use by process {owner}. Stop that one, or use another --state-dir."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        return file

    def remembered_ports(self) -> dict[str, int]:
        """The ports used last time by name; empty at first, or when the note is damaged."""
        try:
            noted: dict[str, int] = json.loads(self.ports.read_text())
            return noted
        except (OSError, ValueError):
            return {}

    def remember_ports(self, ports: dict[str, int]) -> None:
        """Note the ports in use, so that the next start takes the same ones."""
        with open(self.ports, "w", opener=_open_private) as file:
            json.dump(ports, file)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, _PRIVATE_FILE)
