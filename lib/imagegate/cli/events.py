"""`imagegate events`: what happens on the bus."""

import json
import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from imagegate.cli.sentences import aligned, hint, in_a_sentence, printable
from imagegate.cli.target import DEFAULT_STAGE, DEFAULT_STATE, Local, Stage, StateDir, target
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.operation.events import DETAIL_TYPES, SOURCE
from imagegate.domain.operation.ids import is_id
from imagegate.ports.messaging import DeadLetter

events_app = typer.Typer(help="Events: what happens, as it happens.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print each event whole, as JSON, one on a line.")]
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_REMEMBERED = 1_000
_COLOURS = {"Succeeded": typer.colors.GREEN, "Failed": typer.colors.RED, "Cancelled": typer.colors.YELLOW}
Event = Mapping[str, Any]


@events_app.command()
def tail(
    operation: Annotated[str, typer.Option(metavar="ID", help="Only this operation's.")] = "",
    json_: Json = False,
    stage: Stage = DEFAULT_STAGE,
    local: Local = False,
    state_dir: StateDir = DEFAULT_STATE,
) -> None:
    """Show events as they happen, until Ctrl-C.

    Announcements on the bus and requests by it are a line each. Prompts are left out.
    """
    with in_a_sentence(), _until_ended():
        where = target(stage, local, state_dir)
        with where.tail(_pattern(operation)) as listening:
            hint(f"Listening to the bus of stage '{where.stage}'. Ctrl-C ends it.")
            for event in _without_repetitions(listening.events()):
                typer.echo(json.dumps(event) if json_ else line(event))


@events_app.command()
def refused(
    json_: Json = False, stage: Stage = DEFAULT_STAGE, local: Local = False, state_dir: StateDir = DEFAULT_STATE
) -> None:
    """Show requests by event that were put aside, and why. They stay where they are."""
    with in_a_sentence():
        dead_letters = list(target(stage, local, state_dir).refused().every())
    if json_:
        typer.echo("\n".join(json.dumps(asdict(letter)) for letter in dead_letters), nl=bool(dead_letters))
    elif dead_letters:
        typer.echo(aligned([("WHEN", "CODE", "EVENT", "REASON"), *map(_row, dead_letters)]))
    else:
        hint("None was refused.")


def _row(letter: DeadLetter) -> tuple[str, ...]:
    moment = datetime.fromtimestamp(letter.sent_at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    found = re.search(r'"id": ?"([^"]+)"', letter.message)
    cells = (letter.code or "-", found[1] if found else "-", letter.reason or "It broke down each time; see the log.")
    return moment, *map(printable, cells)


def line(event: Event) -> str:
    """An event as a line: when, what, which operation, and how it stands."""
    moment = datetime.fromisoformat(event["time"]).astimezone().strftime("%H:%M:%S")
    kind = printable(event["detail-type"].rpartition(" ")[2])
    try:
        text = _describe(event)
    except (KeyError, TypeError, ValueError):  # another producer's event, with imagegate's source
        text = _foreign(event)
    name = f"{kind:9}"
    return f"{moment}  {typer.style(name, fg=_COLOURS[kind]) if kind in _COLOURS else name}  {printable(text)}"


def _describe(event: Event) -> str:
    if event["source"] != SOURCE or event["detail-type"] not in DETAIL_TYPES.values():
        return _foreign(event)
    operation = event["detail"]["operation"]
    return f"{operation['id']}  {operation['model']}  {_standing(operation)}".rstrip()


def _foreign(event: Event) -> str:
    return f"{'-':20}  {event['detail-type']} from {event['source']}, event {event['id']}"


def _standing(operation: dict[str, Any]) -> str:
    if operation["images"] and operation["state"] in ("succeeded", "failed"):
        makers = ", ".join(dict.fromkeys(image["provider"] for image in operation["images"]))
        pictures = ", ".join(f"s3://{image['bucket']}/{image['key']}" for image in operation["images"])
        return f"{_seconds(operation)}{makers}{', late' if operation['late'] else ''}: {pictures}"
    if operation["error"]:
        return f"{_seconds(operation)}{operation['error']['code']}: {operation['error']['message']}"
    return _seconds(operation).rstrip()


def _seconds(operation: dict[str, Any]) -> str:
    """How long the operation took; empty until its end."""
    if operation["ended_at"] is None:
        return ""
    took = datetime.fromisoformat(operation["ended_at"]) - datetime.fromisoformat(operation["created_at"])
    return f"{took.total_seconds():.1f} s  "


def _pattern(operation: str) -> dict[str, Any]:
    if not operation:
        return {"source": [{"prefix": ""}]}
    if not is_id(operation):
        raise InvalidRequest("That is not the id of an operation.", remedy="It has 20 letters and digits.")
    return {"source": [SOURCE], "detail": {"operation": {"id": [operation]}}}


def _without_repetitions(events: Iterator[Event]) -> Iterator[Event]:
    """Each event once: the bus delivers at least once."""
    seen = dict[str, None]()
    for event in events:
        name = str(event["detail"].get("event_id", event["id"])) if event["source"] == SOURCE else event["id"]
        if name not in seen:
            seen[name] = None
            yield event
        if len(seen) > _REMEMBERED:
            del seen[next(iter(seen))]


@contextmanager
def _until_ended() -> Iterator[None]:
    """Run until Ctrl-C or SIGTERM, end quietly, and let no second signal interrupt the cleaning up."""
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
