"""`imagegate doctor`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imagegate.cli.client import options
from imagegate.cli.client.connection import connect
from imagegate.cli.client.exits import CommandError, exit_statuses, prints_json
from imagegate.cli.target import DEFAULT_STATE, StateDir

if TYPE_CHECKING:
    from imagegate.cli.doctor.finding import Check, Finding
    from imagegate.cli.doctor.subject import Subject

Local = Annotated[bool, typer.Option("--local", help="This machine, and what it serves (the default).")]
Stage = Annotated[str, typer.Option(metavar="STAGE", help="A deployment in AWS.")]
Url = Annotated[str, typer.Option("--url", metavar="URL", help="A gateway, over HTTP.")]
_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "error": ("✗", "red"), "skipped": ("-", "white")}


def doctor(
    local: Local = False,
    stage: Stage = "",
    url: Url = "",
    json_: options.Json = None,
    state_dir: StateDir = DEFAULT_STATE,
) -> None:
    """Find out what is wrong, and say what to do. The exit status is 1 if something is."""
    with exit_statuses():
        subject = _subject(local, stage, url, state_dir)
        as_json = prints_json(json_)
        found = _examine(subject, as_json)
    if as_json:
        rows = [_document(check, finding) for check, finding in found]
        typer.echo(json.dumps(rows, ensure_ascii=False))
    raise typer.Exit(int(any(finding.level == "error" for _, finding in found)))


def _subject(local: bool, stage: str, url: str, state_dir: Path) -> "Subject":
    from imagegate.cli.doctor.subject import Subject

    if sum((local, bool(stage), bool(url))) > 1:
        raise CommandError("--local, --stage and --url name different things. Give one of them.")
    return Subject(stage=stage, state_dir=state_dir, connection=connect(url) if url else None)


def _examine(subject: "Subject", as_json: bool) -> "list[tuple[Check, Finding]]":
    """The findings; for people each is shown as soon as it is known."""
    from imagegate.cli.doctor.examination import checks_of, examine

    found = []
    for check, finding in examine(subject, checks_of(subject)):
        found.append((check, finding))
        if not as_json:
            _show(check, finding)
    return found


def _show(check: "Check", finding: "Finding") -> None:
    mark, colour = _MARKS[finding.level]
    typer.echo(f"{typer.style(mark, fg=colour)} {check.name:13} {finding.text}")
    if finding.remedy:
        typer.echo(f"  {'':13} {finding.remedy}")


def _document(check: "Check", finding: "Finding") -> dict[str, str]:
    return {"check": check.name, "level": finding.level, "finding": finding.text, "remedy": finding.remedy}
