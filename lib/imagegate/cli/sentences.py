"""How commands fail, and how they print lists."""

import getpass
import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import typer

from imagegate.domain.errors import ImagegateError, RequestError


@contextmanager
def in_a_sentence() -> Iterator[None]:
    """Turn an error into one sentence with what to do, on standard error, and exit status 1."""
    # Imported here, so that `imagegate --help` does not wait for an AWS SDK.
    from imagegate.adapters.aws_errors import in_words

    try:
        with in_words():
            yield
    except ImagegateError as error:
        typer.echo(f"imagegate: {with_remedy(error)}", err=True)
        raise typer.Exit(1) from None


def with_remedy(error: Exception) -> str:
    """What an error says, and what to do where it says that apart."""
    remedy = error.remedy if isinstance(error, RequestError) else None
    return f"{error} {remedy}" if remedy else str(error)


def hint(text: str) -> None:
    """Print what is not the result, to standard error."""
    typer.echo(text, err=True)


def printable(text: str) -> str:
    """Text from another system, without what a terminal would interpret."""
    return "".join(character if character.isprintable() else "?" for character in text)


def ask_secret(question: str) -> str:
    """Ask for a text on the terminal, without echo: what is typed or pasted early is not shown either."""
    return getpass.getpass(f"{question}: ", sys.stderr).strip()


def command() -> str:
    """What to type for this program: its name when PATH finds it, otherwise the path it was called by."""
    called = sys.argv[0]
    if os.path.basename(called) != "imagegate":
        return "imagegate"
    found = shutil.which("imagegate")
    return "imagegate" if found and os.path.samefile(found, called) else shlex.quote(called)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows as lines, with columns below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
