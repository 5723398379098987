"""`imagegate events`: what happens on the bus."""

import json
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from imagegate.cli.sentences import hint, in_a_sentence
from imagegate.cli.target import Local, Stage, StateDir, target
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.events import DETAIL_TYPES, SOURCE
from imagegate.domain.ids import is_id

events_app = typer.Typer(help="Events: what happens, as it happens.", no_args_is_help=True)

_DEFAULT_STATE = Path(".imagegate")
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_REMEMBERED = 1_000
_COLOURS = {"Succeeded": typer.colors.GREEN, "Failed": typer.colors.RED, "Cancelled": typer.colors.YELLOW}
Event = Mapping[str, Any]


@events_app.callback()
def _group() -> None:
    """Events: what happens, as it happens."""


@events_app.command()
def tail(
    operation: Annotated[str, typer.Option(metavar="ID", help="Only this operation's.")] = "",
    json_: Annotated[bool, typer.Option("--json", help="Print whole events, as JSON, one a line.")] = False,
    stage: Stage = "dev",
    local: Local = False,
    state_dir: StateDir = _DEFAULT_STATE,
) -> None:
    """Show what is announced on the bus, and requested by it, a line each, until Ctrl-C. Prompts are left out."""
    with in_a_sentence(), _until_ended():
        where = target(stage, local, state_dir)
        with where.tail(_pattern(operation)) as listening:
            hint(f"Listening to the bus of stage '{where.stage}'. Ctrl-C ends it.")
            for event in _without_repetitions(listening.events()):
                typer.echo(json.dumps(event) if json_ else line(event))


def line(event: Event) -> str:
    """An event as a line: when, what, which operation, and how it stands."""
    moment = datetime.fromisoformat(event["time"]).astimezone().strftime("%H:%M:%S")
    kind, detail = _printable(event["detail-type"].rpartition(" ")[2]), event["detail"]
    if event["source"] != SOURCE or event["detail-type"] not in DETAIL_TYPES.values():
        told = _printable(f"{'-':20}  {event['detail-type']} from {event['source']}, event {event['id']}")
        return f"{moment}  {kind:9}  {told}"
    operation = detail["operation"]
    told = _printable(f"{operation['id']}  {operation['model']}  {_standing(operation)}".rstrip())
    return f"{moment}  {typer.style(f'{kind:9}', fg=_COLOURS.get(kind))}  {told}"


def _standing(operation: dict[str, Any]) -> str:
    if operation["images"] and operation["state"] in ("succeeded", "failed"):
        makers = ", ".join(dict.fromkeys(image["provider"] for image in operation["images"]))
        pictures = ", ".join(f"s3://{image['bucket']}/{image['key']}" for image in operation["images"])
        return f"{_seconds(operation)}{makers}{', late' if operation['late'] else ''}: {pictures}"
    if operation["error"]:
        return f"{_seconds(operation)}{operation['error']['code']}: {operation['error']['message']}"
    return _seconds(operation).rstrip()


def _seconds(operation: dict[str, Any]) -> str:
    """How long it took, once it has ended."""
    if operation["ended_at"] is None:
        return ""
    took = datetime.fromisoformat(operation["ended_at"]) - datetime.fromisoformat(operation["created_at"])
    return f"{took.total_seconds():.1f} s  "


def _printable(text: str) -> str:
    """Text from elsewhere, with nothing in it that a terminal would obey."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _pattern(operation: str) -> dict[str, Any]:
    if not operation:
        return {"source": [{"prefix": ""}]}
    if not is_id(operation):
        raise InvalidRequest("That is not the id of an operation.", remedy="It has 20 letters and digits.")
    return {"source": [SOURCE], "detail": {"operation": {"id": [operation]}}}


def _without_repetitions(events: Iterator[Event]) -> Iterator[Event]:
    """Events come at least once."""
    seen = dict[str, None]()
    for event in events:
        name = str(event["detail"].get("event_id") or event["id"])
        if name not in seen:
            seen[name] = None
            yield event
        if len(seen) > _REMEMBERED:
            del seen[next(iter(seen))]


@contextmanager
def _until_ended() -> Iterator[None]:
    """Until Ctrl-C, or until told to end: quietly, and without being cut short in tidying up."""
    before = {signum: signal.signal(signum, _end) for signum in _ENDINGS}
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _end(signum: int, frame: object) -> None:
    for ending in _ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    raise KeyboardInterrupt
