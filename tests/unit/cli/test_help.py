"""`--help` of every command: it fits a screen, and nothing in it is cut short."""

import re
from collections.abc import Iterator

import pytest
import typer.main
from typer.core import TyperGroup
from typer.testing import CliRunner

from imagegate.cli.main import app
from support.terminal import ROWS


def commands(group: TyperGroup, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command and group."""
    yield words
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, (*words, name))
        else:
            yield (*words, name)


ROOT = typer.main.get_command(app)
assert isinstance(ROOT, TyperGroup)


@pytest.mark.parametrize("words", [*commands(ROOT)], ids=lambda words: " ".join(words) or "imagegate")
def test_it_fits_a_screen_and_nothing_is_cut(words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})
    assert done.exit_code == 0, done.output
    lines = done.stdout.rstrip("\n").split("\n")
    assert not [line for line in lines if re.search(r"\w\.\.\.$", line)], done.output
    if words:  # the list of all commands is longer
        assert len(lines) <= ROWS, done.output
