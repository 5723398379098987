"""`imagegate events tail`: what it shows of events."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Self

import pytest
from typer.testing import CliRunner

from imagegate.cli import events
from imagegate.cli.main import app
from imagegate.cli.target import DeploymentTarget
from imagegate.domain.errors import MisconfiguredError
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.events import Event
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.picture import Picture
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.messaging import DeadLetter
from support.deployed import Formation

ID = "06gzj55vfn0ajhf9kn2m"
NOW = 1_800_000_000.0
MADE = Operation(
    id=ID,
    owner="me",
    dialect="operations",
    request=ImageRequest(model="flux", messages=(Message("a cat"),)),
    created_at=NOW,
    deadline=NOW + 900,
    due_at=NOW,
    model="flux",
)
PICTURE = Picture(
    slot=0,
    key="images/2m/x/0.webp",
    sha256="0" * 64,
    content_type="image/webp",
    width=64,
    height=48,
    bytes=100,
    provider="voodoohop",
)


def envelope(operation: Operation, late: bool = False) -> dict[str, Any]:
    """As EventBridge delivers an announcement."""
    event = Event(operation, late)
    detail = event.detail()
    for image in detail["operation"]["images"]:
        image["bucket"] = "pictures"
    kind = {"detail-type": event.detail_type, "source": "imagegate", "time": "2027-01-15T08:00:00Z"}
    return {**kind, "id": "e-1", "detail": detail}


def test_a_line_says_how_an_operation_stands() -> None:
    failure = Failure(FailureCode.DEADLINE_EXCEEDED, "No picture within\x1b[2J the deadline.")
    ended = replace(MADE, ended_at=NOW + 3.4)
    lines = [
        events.line(envelope(entry))[10:]
        for entry in (
            MADE,
            replace(MADE, state=State.RUNNING),
            replace(ended, state=State.SUCCEEDED, pictures=(PICTURE,)),
            replace(ended, state=State.FAILED, failure=failure),
            replace(ended, state=State.CANCELLED),
        )
    ]
    plain = [_without_colours(line) for line in lines]
    assert plain == [
        f"Queued     {ID}  flux",
        f"Started    {ID}  flux",
        f"Succeeded  {ID}  flux  3.4 s  voodoohop: s3://pictures/images/2m/x/0.webp",
        f"Failed     {ID}  flux  3.4 s  deadline_exceeded: No picture within?[2J the deadline.",
        f"Cancelled  {ID}  flux  3.4 s",
    ]


def _without_colours(text: str) -> str:
    return "".join(part.partition("m")[2] if at else part for at, part in enumerate(text.split("\x1b[")))


def test_a_late_picture_is_called_late() -> None:
    late = replace(MADE, state=State.FAILED, ended_at=NOW, pictures=(replace(PICTURE, late=True),))
    assert "voodoohop, late: s3://" in events.line(envelope(late, late=True))


def test_foreign_events_are_shown_with_where_they_come_from_and_obeyed_by_no_terminal() -> None:
    foreign = {"detail-type": "Image Generation Requested", "source": "sh\x1bop", "time": "2027-01-15T08:00:00Z"}
    reported = events.line({**foreign, "id": "e-1", "detail": {"prompt": "a cat"}})
    assert reported[10:] == f"Requested  {'-':20}  Image Generation Requested from sh?op, event e-1"


@pytest.mark.parametrize("detail", [{}, {"operation": None}, {"operation": {"id": 1}}])
def test_who_speaks_in_our_name_ends_nothing(detail: dict[str, Any]) -> None:
    reported = events.line(envelope(MADE) | {"detail": detail})
    assert "Image Generation Queued from imagegate, event e-1" in reported


class Listening:
    """A tail that hears what it is given, then Ctrl-C."""

    def __init__(self, heard: list[dict[str, Any]]) -> None:
        self.heard, self.left = heard, False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)  # a second one does not keep it from tidying up
        self.left = True

    def events(self) -> Iterator[dict[str, Any]]:
        yield from self.heard
        os.kill(os.getpid(), signal.SIGTERM)
        yield self.heard[0]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    def command(heard: list[dict[str, Any]], *text: str) -> Any:
        listening = Listening(heard)
        monkeypatch.setattr(DeploymentTarget, "tail", lambda self, pattern: listening)
        result = CliRunner().invoke(app, ["events", "tail", *text])
        assert listening.left or result.exit_code
        return result

    return command


def test_an_event_that_comes_twice_is_shown_once(run: Callable[..., Any]) -> None:
    result = run([envelope(MADE), envelope(MADE), envelope(replace(MADE, version=2, state=State.RUNNING))])
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 2
    assert "Ctrl-C" in result.stderr


def test_json_is_the_event_whole(run: Callable[..., Any]) -> None:
    result = run([envelope(MADE)], "--json")
    assert json.loads(result.stdout) == envelope(MADE)


def test_refused_requests_are_shown_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    dead_letters = [
        DeadLetter(
            message='{"id": "e-1", "detail": {"prompt": "a cat"}}',
            code="model_not_found",
            reason="No\x1b such model.",
            sent_at=NOW,
        ),
        DeadLetter(message="{", code="", reason="", sent_at=NOW),
    ]
    monkeypatch.setattr(DeploymentTarget, "refused", lambda self: SimpleNamespace(every=lambda: iter(dead_letters)))
    head, first, second = CliRunner().invoke(app, ["events", "refused"]).stdout.splitlines()
    assert head.split() == ["WHEN", "CODE", "EVENT", "REASON"]
    assert first.split()[2:] == ["model_not_found", "e-1", "No?", "such", "model."]
    assert second.endswith("-                -      It broke down each time; see the log.")
    lines = CliRunner().invoke(app, ["events", "refused", "--json"]).stdout.splitlines()
    assert [DeadLetter(**json.loads(line)) for line in lines] == dead_letters
    dead_letters.clear()
    nothing = CliRunner().invoke(app, ["events", "refused"])
    assert (nothing.exit_code, nothing.stdout, nothing.stderr) == (0, "", "None was refused.\n")


def test_a_deployment_that_takes_no_requests_says_so() -> None:
    formation = Formation({"imagegate-dev": {}})
    with pytest.raises(MisconfiguredError, match="IntakeKey"):
        DeploymentTarget(stage="dev", client=lambda service: formation).refused()


def test_what_is_no_id_is_refused(run: Callable[..., Any]) -> None:
    result = run([], "--operation", "7")
    assert result.exit_code == 1
    assert "20 letters" in result.stderr
