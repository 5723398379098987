"""Unpacks a Lambda layer once, for all workers.

MiniStack 1.5.33 unpacks every layer for each worker, in its own process: about a second of processor time for the
project's, and most of what thirty cold starts at once cost. Here it is unpacked once, and each worker gets links to
it. Workers share the files, which none of them writes: on AWS /opt is read-only too.
"""

import hashlib
import tempfile
import threading
import zipfile
from pathlib import Path
from typing import Any, ClassVar

from ministack.core import lambda_runtime

_SMALL = 100
"""Files of an archive that is unpacked for each worker: a function's own code."""


class SharedArchive(zipfile.ZipFile):
    """A zip that is unpacked once in this process, and linked from then on."""

    _unpacked: ClassVar[dict[str, Path]] = {}
    _lock = threading.Lock()

    def namelist(self) -> list[str]:
        """The names that MiniStack has yet to check for ways out of the folder: none of an archive that it knows."""
        return [] if self._digest() in self._unpacked else super().namelist()

    def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
        """Unpack it into the folder, or link what another worker's start has unpacked."""
        if len(self.filelist) < _SMALL:
            super().extractall(path, members, pwd)
            return
        with self._lock:
            digest = self._digest()
            if digest not in self._unpacked:
                folder = Path(tempfile.mkdtemp(prefix="layer-"))
                super().extractall(folder)
                self._unpacked[digest] = folder
        for entry in self._unpacked[digest].iterdir():
            (Path(path) / entry.name).symlink_to(entry)

    def _digest(self) -> str:
        assert self.filename
        return hashlib.sha256(Path(self.filename).read_bytes()).hexdigest()


class _ZipModule:
    """The module `zipfile` as MiniStack sees it."""

    ZipFile = SharedArchive

    def __getattr__(self, name: str) -> Any:
        return getattr(zipfile, name)


def mend() -> None:
    """Have MiniStack share layers from now on."""
    lambda_runtime.zipfile = _ZipModule()
