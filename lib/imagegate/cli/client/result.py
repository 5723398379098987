"""What a finished operation leaves: files, and what is printed about them."""

import json
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path

import typer

from imagegate.cli.client.exits import CommandError
from imagegate.cli.client.files import Destination
from imagegate.cli.client.gateway import GatewayClient
from imagegate.cli.client.states import Operation, providers, seconds
from imagegate.cli.sentences import hint, printable


def deliver(
    client: GatewayClient, operation: Operation, where: Destination, come_back: str, *, as_json: bool, opens: bool
) -> None:
    """Save the pictures, show them, and print their paths. Raises CommandError, which says how to come back."""
    try:
        files = where.save(client, operation)
    except CommandError as error:
        raise type(error)(f"{error} The picture is kept. Come back with: {come_back}") from None
    if as_json:
        print_json({**operation, "files": [str(path) for path in files]})
    else:
        show(operation, files)
        typer.echo("\n".join(map(str, files)))
    if opens and not webbrowser.open(files[0].absolute().as_uri()):
        hint("No program here opens pictures.")


def show(operation: Operation, files: Sequence[Path]) -> None:
    """Show the pictures where standard error is a terminal, and say who made them."""
    if sys.stderr.isatty():
        from imagegate.cli.client.terminal_picture import show as show_picture

        for path in files:
            show_picture(path.read_bytes())
    hint(summary(operation))


def summary(operation: Operation) -> str:
    """Who made the pictures, in which size, from which seed, and how long it took."""
    first, took = operation["images"][0], seconds(operation)
    parts = [
        providers(operation),
        f"{first['width']}x{first['height']}",
        *([f"seed {first['seed']}"] if first["seed"] is not None else []),
        *([f"{took:.1f} s"] if took is not None else []),
        f"operation {operation['id']}",
    ]
    return printable(" · ".join(parts))


def print_json(document: object) -> None:
    """Print JSON, indented for people."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))
