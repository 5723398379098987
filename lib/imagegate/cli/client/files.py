"""Where pictures are written."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, count
from pathlib import Path

from imagegate.cli.client.exits import CommandError
from imagegate.cli.client.gateway import GatewayClient
from imagegate.cli.client.states import Operation

FORMATS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}
"""The format that a file's name asks for."""
_EXTENSIONS = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/avif": ".avif",
    "image/svg+xml": ".svg",
}
_LONGEST = 40
"""Characters of a file's name that come from the prompt."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A file or a folder for pictures."""

    path: Path
    is_folder: bool

    @property
    def format(self) -> str | None:
        """The format that the file's name asks for."""
        return None if self.is_folder else FORMATS.get(self.path.suffix.lower())

    def save(self, client: GatewayClient, operation: Operation) -> list[Path]:
        """Fetch the pictures and write them; their paths. Raises CommandError.

        A file that was named is replaced, as cp does. In a folder nothing is overwritten.
        """
        try:
            return [self._save(client, operation, image) for image in operation["images"]]
        except OSError as error:
            raise CommandError(f"{error.filename} cannot be written: {error.strerror}.") from None

    def _save(self, client: GatewayClient, operation: Operation, image: Operation) -> Path:
        body = client.download(image["url"])
        if sha256(body).hexdigest() != image["sha256"]:
            raise CommandError(f"Picture {image['id']} did not arrive as it is kept. Fetch it again.")
        extension = _EXTENSIONS.get(image["content_type"], "")
        if self.is_folder:
            self.path.mkdir(parents=True, exist_ok=True)
            return _write_new(self.path, _slug(operation), extension, body)
        path = self.path if self.path.suffix else self.path.with_name(self.path.name + extension)
        if operation["n"] > 1:
            path = path.with_stem(f"{path.stem}-{image['slot'] + 1}")
        return _replace(path, body)


def destination(output: str) -> Destination:
    """What the option says: a file, a folder, or nothing for the current folder. Raises CommandError.

    What is wrong is found before a picture is paid for.
    """
    path = Path(os.path.expanduser(output or "."))
    is_folder = path.is_dir() or output.endswith(("/", os.sep))
    if not is_folder and path.suffix and path.suffix.lower() not in FORMATS:
        raise CommandError(f"'{path.suffix}' is not a format. Use one of {', '.join(FORMATS)}, or name a folder.")
    folder = path if is_folder else path.parent
    parent = next(entry for entry in (folder, *folder.absolute().parents) if entry.exists())
    if (not is_folder and not folder.exists()) or not parent.is_dir():
        raise CommandError(f"There is no folder {folder}. Make it, or name another with -o.")
    if not os.access(parent, os.W_OK):
        raise CommandError(f"{parent} cannot be written to. Name another file or folder with -o.")
    return Destination(path, is_folder)


def _slug(operation: Operation) -> str:
    """A file's name from the prompt, or from the id of an operation that keeps its prompt private."""
    words = "".join(character if character.isalnum() else " " for character in operation["prompt"] or "").split()
    return "-".join(words).lower()[:_LONGEST].rstrip("-") or str(operation["id"])


def _write_new(folder: Path, stem: str, extension: str, body: bytes) -> Path:
    for number in _numbers():
        path = folder / f"{stem}{number}{extension}"
        try:
            file = path.open("xb")
        except FileExistsError:
            continue
        with file:
            file.write(body)
        return path
    raise AssertionError


def _numbers() -> Iterator[str]:
    return chain([""], (f"-{number}" for number in count(2)))


def _replace(path: Path, body: bytes) -> Path:
    """Write a file whole or not at all."""
    if path.exists() and not path.is_file():  # a device, such as /dev/null
        path.write_bytes(body)
        return path
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            file.write(body)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    umask = os.umask(0)
    os.umask(umask)
    os.chmod(file.name, 0o666 & ~umask)
    os.replace(file.name, path)
    return path
