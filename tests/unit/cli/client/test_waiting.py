"""How often a waiting command looks: often enough at first that each state is seen, and later seldom."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from imagegate.cli.client import waiting


@dataclass
class Gateway:
    """A gateway's client with an operation that changes, and advises to come back when it may have ended."""

    states: tuple[tuple[float, str, tuple[str, ...]], ...]
    """Since when it has each state, with its attempts' states."""
    now: float = 0.0
    asked_at: list[float] = field(default_factory=list)

    def send(self, method: str, path: str) -> Any:
        self.asked_at.append(self.now)
        return self

    @property
    def headers(self) -> dict[str, str]:
        return {"retry-after": "30"}

    def json(self) -> dict[str, Any]:
        _, state, attempts = [entry for entry in self.states if entry[0] <= self.now][-1]
        return {
            "id": "1",
            "state": state,
            "done": state == "succeeded",
            "attempts": [{"provider": "acme", "state": each, "error": None} for each in attempts],
            "images": [],
            "n": 1,
            "created_at": "1970-01-01T00:00:00Z",
            "estimated_ready_at": None,
        }


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Gateway], list[str]]:
    """Waits for a gateway's operation, and tells every line that it showed."""

    def follow(gateway: Gateway) -> list[str]:
        lines: list[str] = []
        show: list[Callable[[], str]] = []

        @contextlib.contextmanager
        def live_line(line: Callable[[], str]) -> Iterator[None]:
            show.append(line)
            yield

        def sleep(seconds: float) -> None:
            lines.append(show[0]())
            gateway.now += seconds

        monkeypatch.setattr(waiting, "live_line", live_line)

        def now() -> float:
            return gateway.now

        # Not `time.sleep` itself: servers of other tests run in this process.
        monkeypatch.setattr(waiting, "time", SimpleNamespace(sleep=sleep, monotonic=now, time=now))
        waiting.wait(gateway, gateway.json(), "imagegate operations wait 1")  # type: ignore[arg-type]
        return lines

    return follow


def test_what_a_quick_provider_does_is_seen(followed: Callable[[Gateway], list[str]]) -> None:
    """It answers with the picture, so all of the time it is only asked."""
    states = ((0.0, "queued", ()), (0.3, "running", ("submitting",)), (2.5, "succeeded", ("done",)))
    lines = followed(Gateway(states))
    assert lines[0].startswith("queued")
    assert {line.partition(" · ")[0] for line in lines[1:]} == {"waiting for acme to answer"}


def test_a_long_wait_asks_seldom(followed: Callable[[Gateway], list[str]]) -> None:
    gateway = Gateway(((0.0, "queued", ()), (1.0, "running", ("submitted",)), (300.0, "succeeded", ("done",))))
    followed(gateway)
    gaps = [later - earlier for earlier, later in zip(gateway.asked_at, gateway.asked_at[1:], strict=False)]
    assert max(gaps) == pytest.approx(3.0)
    assert len(gaps) < 115
