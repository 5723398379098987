"""What a vendor's unmodified client must do at our stand-in; a test class per client says which, and what it raises."""

import base64
import io
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import httpx
from PIL import Image

from imagegate.local.upstreams.app import BASE_PATHS

SLOW = 3.0
"""Seconds a slow job takes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a client made of one request. The names are those of the scripts' JSON."""

    ok: bool
    pictures: list[str] = field(default_factory=list)
    """In base64."""
    error: Mapping[str, Any] = field(default_factory=dict)
    """`name` of the class, HTTP `status` if the client tells it, `message`."""

    def opened(self) -> list[Image.Image]:
        """The pictures, decoded; an error fails the test."""
        assert self.ok, self.error
        opened = [Image.open(io.BytesIO(base64.b64decode(picture))) for picture in self.pictures]
        for picture in opened:
            picture.load()
        return opened


@dataclass(frozen=True, slots=True)
class Raised:
    """An error as the client's user sees it."""

    name: str
    """The class."""
    status: int | None = None
    """HTTP status, where the client tells it."""
    words: str = ""
    """Some of the message."""

    def check(self, outcome: Outcome) -> None:
        """Fail unless that is how it ended."""
        assert not outcome.ok
        assert (outcome.error["name"], outcome.error["status"]) == (self.name, self.status), outcome.error
        assert self.words in outcome.error["message"]


Client = Callable[..., Outcome]
"""Runs a script: its name, and what it is asked."""


class FourCases:
    """A plain call, a refusal, a throttle and a slow job. Subclasses set the class attributes."""

    script: ClassVar[str]
    """A file of `python/` or `node/`."""
    provider: ClassVar[str]
    """Whose stand-in is asked: a name of `[providers]` in models.toml."""
    base_path: ClassVar[str | None] = None
    """Of the client's base URL, where it is not the one of models.toml."""
    asked: ClassVar[Mapping[str, Any]] = {}
    """What the script gets beside base_url and prompt."""
    pictures: ClassVar[int] = 1
    size: ClassVar[tuple[int, int] | None] = None
    """Pixels of the picture that `asked` makes; `None`: any."""
    refusal: ClassVar[Raised]
    throttle: ClassVar[Raised]

    def ask(self, client: Client, prompt: str) -> Outcome:
        """Let the client ask for the prompt's picture."""
        path = BASE_PATHS[self.provider] if self.base_path is None else self.base_path
        return client(self.script, path, prompt=prompt, **self.asked)

    def test_its_plain_call(self, client: Client, stand_ins: str) -> None:
        """The pictures arrive, of the size asked for, and one submission is counted."""
        prompt = f"a fox for {type(self).__name__}"
        opened = self.ask(client, prompt).opened()
        assert len(opened) == self.pictures
        assert self.size is None or {picture.size for picture in opened} == {self.size}
        [submission] = submissions(stand_ins, prompt)
        assert submission["upstream"] == self.provider

    def test_a_refusal(self, client: Client) -> None:
        """The client tells that the content was refused."""
        self.refusal.check(self.ask(client, f"[fault refuse] a fox for {type(self).__name__}"))

    def test_a_throttle(self, client: Client, stand_ins: str) -> None:
        """The client tells, after all its tries, that it was throttled; nothing was accepted."""
        prompt = f"[fault http-429] a fox for {type(self).__name__}"
        self.throttle.check(self.ask(client, prompt))
        assert not submissions(stand_ins, prompt)

    def test_a_slow_job(self, client: Client) -> None:
        """The client waits until the picture is there."""
        began = time.monotonic()
        opened = self.ask(client, f"[delay {SLOW:g}s] a fox for {type(self).__name__}").opened()
        assert len(opened) == self.pictures
        assert time.monotonic() - began >= SLOW


def submissions(stand_ins: str, prompt: str) -> list[dict[str, Any]]:
    """What the stand-ins accepted of that prompt."""
    answer = httpx.get(f"{stand_ins}/_standin/submissions", params={"prompt": prompt})
    found: list[dict[str, Any]] = answer.json()["submissions"]
    return found
