"""The folder that holds all of the embedded stack's state (`.imagegate/`), and the lock on it."""

import fcntl
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ARTIFACT_BUCKET = "imagegate-artifacts"
"""The S3 bucket that holds the packaged code; made anew when it is missing."""

_LOG_LIMIT_BYTES = 10_000_000


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

    def create(self) -> None:
        """Make the folders that are not there yet."""
        for folder in (self.state, self.objects):
            folder.mkdir(parents=True, exist_ok=True)

    def open_log(self) -> IO[bytes]:
        """Open the log for appending; a long one begins anew, its predecessor is kept beside it."""
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".old.log"))
        return self.log.open("ab")

    def set_aside_stray_objects(self) -> Path | None:
        """Move S3 objects away that no saved state knows, and return where to; None when there are none.

        They would stand in the way of a bucket of the same name, and are somebody's pictures.
        """
        buckets = [path for path in self.objects.glob("*/*") if path.name != ARTIFACT_BUCKET]
        if self.snapshot.exists() or not any(path.is_file() for b in buckets for path in b.rglob("*")):
            return None
        aside = self.root / time.strftime("s3-without-state-%Y%m%d-%H%M%S")
        self.objects.rename(aside)
        self.objects.mkdir()
        return aside

    def lock(self) -> IO[str]:
        """Take the folder for this process until the returned file is closed (or the process ends).

        Raises:
            FolderInUse: another process has it.
        """
        file = self.lock_file.open("a+")
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
        self.ports.write_text(json.dumps(ports))
