"""How the commands of a gateway's user fail: one sentence on standard error, and an exit status of its own."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import typer

from imagegate.domain.errors import ImagegateError


class Exit(IntEnum):
    """Exit statuses. Scripts depend on them; docs/cli.md lists them."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    NO_GATEWAY = 3
    NO_KEY = 4
    FAILED = 5
    CANCELLED = 6
    INTERRUPTED = 130


MEANINGS = {
    Exit.DONE: "It is done.",
    Exit.REFUSED: "The gateway refused the request, or something failed on this machine.",
    Exit.USAGE: "The command line is wrong.",
    Exit.NO_GATEWAY: "No gateway answers there.",
    Exit.NO_KEY: "The gateway wants an API key, or another one.",
    Exit.FAILED: "The operation failed.",
    Exit.CANCELLED: "The operation was cancelled.",
    Exit.INTERRUPTED: "Ctrl-C. An operation that was started goes on.",
}


class CommandError(ImagegateError):
    """A command cannot be carried out; the message says why and what to do."""

    exit = Exit.REFUSED


class GatewayUnreachable(CommandError):
    """No gateway answers at the address."""

    exit = Exit.NO_GATEWAY

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(f"{what} {remedy}".strip())
        self.what = what
        self.remedy = remedy


class KeyRefused(CommandError):
    """The gateway wants a key, or another one."""

    exit = Exit.NO_KEY


class Throttled(CommandError):
    """A limit of the key is reached."""

    def __init__(self, message: str, seconds: float) -> None:
        """`seconds`: after which it is worth asking again."""
        super().__init__(message)
        self.seconds = seconds


class OperationFailed(CommandError):
    """The operation ended without a picture."""

    exit = Exit.FAILED


class OperationCancelled(CommandError):
    """The operation was cancelled."""

    exit = Exit.CANCELLED


class Interrupted(CommandError):
    """Ctrl-C; the message says how to come back."""

    exit = Exit.INTERRUPTED


@contextmanager
def exit_statuses() -> Iterator[None]:
    """Turn errors into a sentence on standard error and the exit status of their kind."""
    try:
        yield
    except CommandError as error:
        typer.echo(f"imagegate: {error}", err=True)
        raise typer.Exit(error.exit) from None
    except KeyboardInterrupt:
        typer.echo("imagegate: interrupted.", err=True)
        raise typer.Exit(Exit.INTERRUPTED) from None


def prints_json(asked: bool | None) -> bool:
    """Whether a command prints JSON: as asked, and otherwise when its output is not read on a terminal."""
    return not sys.stdout.isatty() if asked is None else asked
