"""`imagegate operations`: what was asked of a gateway, and what became of it."""

import shutil
from datetime import datetime
from itertools import islice
from typing import Annotated, Any

import typer

from imagegate.cli.client import options
from imagegate.cli.client.connection import ProfileName, Url
from imagegate.cli.client.exits import CommandError, prints_json
from imagegate.cli.client.session import gateway
from imagegate.cli.progress import live_line
from imagegate.cli.sentences import aligned, command, hint, printable
from imagegate.domain.operation.ids import is_id
from imagegate.domain.operation.operation import State

operations_app = typer.Typer(help="Operations: list, follow, cancel, repeat and delete them.", no_args_is_help=True)

StateOption = Annotated[State | None, typer.Option("--state", help="Only these.", show_default=False)]
Model = Annotated[str, typer.Option("--model", "-m", metavar="MODEL", help="Only this model's.")]
Limit = Annotated[
    int, typer.Option("--limit", "-l", metavar="N", min=1, max=100_000, help="How many, the newest first.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Event = Annotated[str, typer.Option("--event", metavar="ID", help="Only this event.", show_default=False)]


@operations_app.command("list")
def list_operations(
    state: StateOption = None,
    model: Model = "",
    limit: Limit = 20,
    json_: options.Json = None,
    url: Url = "",
    profile: ProfileName = "",
) -> None:
    """List operations, the newest first."""
    with gateway(url, profile) as client:
        pages = client.pages("/v1/operations", "operations", state=state, model=model, page_size=min(limit, 100))
        found: list[dict[str, Any]] = []
        with live_line(lambda: f"{len(found)} of at most {limit} operations"):
            found.extend(islice(pages, limit))
    if prints_json(json_):
        _print_json(found)
    elif found:
        typer.echo(aligned([("ID", "STATE", "MODEL", "CREATED", "PROMPT"), *map(_row, found)]))
    else:
        hint(f'There is none. Make a picture: {command()} generate "a red fox"')


@operations_app.command()
def show(
    operation_id: options.OperationId, json_: options.Json = None, url: Url = "", profile: ProfileName = ""
) -> None:
    """Show an operation: what was tried where, and what it made."""
    from imagegate.cli.client.details import details

    with gateway(url, profile) as client:
        operation = client.get(_path(operation_id))
    if prints_json(json_):
        _print_json(operation)
    else:
        typer.echo(details(operation))


@operations_app.command()
def wait(
    operation_id: options.OperationId,
    output: options.Output = "",
    open_: options.Open = False,
    json_: options.Json = None,
    url: Url = "",
    profile: ProfileName = "",
) -> None:
    """Wait for an operation, and save its pictures."""
    from imagegate.cli.client.files import destination
    from imagegate.cli.client.generate import finish

    with gateway(url, profile) as client:
        destination(output)
        finish(client, client.get(_path(operation_id)), output, as_json=prints_json(json_), opens=open_)


@operations_app.command()
def cancel(
    operation_id: options.OperationId, json_: options.Json = None, url: Url = "", profile: ProfileName = ""
) -> None:
    """Cancel an operation; the upstream is told where it can be."""
    with gateway(url, profile) as client:
        operation = client.post(f"{_path(operation_id)}:cancel")
    _changed(operation, json_)


@operations_app.command()
def retry(
    operation_id: options.OperationId, json_: options.Json = None, url: Url = "", profile: ProfileName = ""
) -> None:
    """Try a failed or cancelled operation again, under the same id."""
    with gateway(url, profile) as client:
        operation = client.post(f"{_path(operation_id)}:retry")
    _changed(operation, json_)
    hint(f"Fetch its pictures with: {command()} operations wait{client.connection.options} {operation_id}")


@operations_app.command()
def delete(operation_id: options.OperationId, yes: Yes = False, url: Url = "", profile: ProfileName = "") -> None:
    """Delete an operation and its pictures for good."""
    with gateway(url, profile) as client:
        path = _path(operation_id)
        if not yes:
            typer.confirm(f"Delete operation {operation_id} and its pictures for good?", abort=True, err=True)
        client.send("DELETE", path)
    hint(f"Operation {operation_id} and its pictures are deleted.")


@operations_app.command()
def deliveries(
    operation_id: options.OperationId, json_: options.Json = None, url: Url = "", profile: ProfileName = ""
) -> None:
    """List what was sent to a webhook, and each answer."""
    with gateway(url, profile) as client:
        found = list(client.pages(f"{_path(operation_id)}/deliveries", "deliveries"))
    _print_deliveries(found, json_)


@operations_app.command()
def redeliver(
    operation_id: options.OperationId,
    event: Event = "",
    json_: options.Json = None,
    url: Url = "",
    profile: ProfileName = "",
) -> None:
    """Send again what has not reached a webhook, or one event."""
    with gateway(url, profile) as client:
        body = {"event_id": event} if event else {}
        found = client.post(f"{_path(operation_id)}:redeliver", json=body)["deliveries"]
    _print_deliveries(found, json_)


def _path(operation_id: str) -> str:
    if not is_id(operation_id):
        raise CommandError(f"'{operation_id}' is not an operation's id. '{command()} operations list' shows the ids.")
    return f"/v1/operations/{operation_id}"


def _print_json(document: object) -> None:
    from imagegate.cli.client.result import print_json

    print_json(document)


def _changed(operation: dict[str, Any], as_json: bool | None) -> None:
    if prints_json(as_json):
        _print_json(operation)
    else:
        typer.echo(f"{operation['id']}  {operation['state']}")


def _row(operation: dict[str, Any]) -> tuple[str, ...]:
    columns = shutil.get_terminal_size().columns
    prompt = printable(" ".join((operation["prompt"] or "").split()))
    cells = (operation["id"], operation["state"], printable(operation["model"]), local_time(operation["created_at"]))
    width = max(columns - sum(map(len, cells)) - 2 * len(cells) - 4, 20)
    return *cells, prompt if len(prompt) <= width else prompt[: width - 1] + "…"


def local_time(text: str) -> str:
    """RFC 3339 as this machine's time."""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _print_deliveries(found: list[dict[str, Any]], as_json: bool | None) -> None:
    if prints_json(as_json):
        _print_json(found)
    elif found:
        typer.echo(aligned([("EVENT", "TYPE", "STATE", "SENT", "ANSWER"), *map(_delivery, found)]))
    else:
        hint("Nothing was sent: the operation has no webhook, or none of its events was announced yet.")


def _delivery(delivery: dict[str, Any]) -> tuple[str, ...]:
    attempts = delivery["attempts"]
    last = attempts[-1] if attempts else {"status": None, "error": "not sent yet"}
    answer = f"HTTP {last['status']}" if last["status"] else printable(last["error"] or "")
    times = f"{len(attempts)} time{'' if len(attempts) == 1 else 's'}"
    return delivery["event_id"], delivery["type"].partition(".")[2], delivery["state"], times, answer
