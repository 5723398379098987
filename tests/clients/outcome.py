"""What every client is asked, and what it tells."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Ask:
    """One picture from one gateway."""

    prompt: str
    base_url: str = ""
    """Without `/v1` and without a final slash."""
    model: str = "flux"
    size: str = "512x320"
    response_format: str | None = None
    deadline: int = 90
    """Seconds after which a client has to give up."""

    def given(self) -> dict[str, Any]:
        """Everything but what was left open, as the scripts take it."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def body(self) -> dict[str, Any]:
        """The body of the POST."""
        return {name: value for name, value in self.given().items() if name not in ("base_url", "deadline")}


@dataclass(frozen=True, slots=True)
class Problem:
    """A client's error as its user sees it."""

    name: str
    """The exception's class."""
    status: int | None
    code: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went: a picture, or a problem. The names are those of the scripts' JSON."""

    ok: bool
    bytes: int = 0
    """How long the picture's file is."""
    magic: str = ""
    """The first four bytes in hex."""
    sha256: str = ""
    url: str | None = None
    """Where the file was fetched, when the answer named a URL."""
    error: Problem | None = None
    retries: int | None = None
    """Times it posted again, of clients that tell."""


def got(image: bytes, url: str | None = None) -> Outcome:
    """The client has this file."""
    return Outcome(True, len(image), image[:4].hex(), hashlib.sha256(image).hexdigest(), url)


def told(line: Mapping[str, Any]) -> Outcome:
    """What a script's line of JSON says."""
    error = line.get("error")
    return Outcome(**{**line, "error": Problem(**error) if error else None})
