"""The page of the command line, written from the commands themselves."""

from collections.abc import Iterator
from typing import Any

import typer

from imagegate.cli.client.connection import LOCAL_URL
from imagegate.cli.client.exits import MEANINGS
from imagegate.cli.markdown import table

_INTRODUCTION = f"""# The command line

`make setup` installs `imagegate` at `.venv/bin/imagegate`. `imagegate --install-completion` teaches your shell to
complete its commands and options.

## Which gateway

`generate`, `operations`, `usage`, `open`, `mcp` and `env` talk to a gateway over HTTP, wherever it runs. The first of
these names it:

1. `--url`, or `--profile` for one that `imagegate login` keeps;
2. `IMAGEGATE_URL`; `IMAGEGATE_PROFILE`;
3. the profile `default`;
4. `OPENAI_BASE_URL`;
5. `{LOCAL_URL}`, where `make run` serves.

The key is `IMAGEGATE_API_KEY`, or the profile's, or with `OPENAI_BASE_URL` the `OPENAI_API_KEY`. A profile's key is
sent to that profile's gateway only. `doctor`, `env`, `events`, `keys`, `models`, `providers`, `routes`, `secrets` and
`signing` work on a deployment in AWS with `--stage`, or on the embedded one with `--local`.

## What is printed

Results go to standard output: for people on a terminal, as JSON where they are piped or `--json` asks for it.
Everything else, the picture itself included, goes to standard error. Pictures are drawn by kitty's or iTerm2's protocol
if the terminal's variables show that it has one, and otherwise in coloured half-blocks. `IMAGEGATE_PICTURES` (`kitty`,
`iterm`, `blocks` or `none`) overrides that.

## Exit statuses

"""


def manual() -> str:
    """Every command that is not hidden, with its options."""
    from imagegate.cli.main import app

    exit_statuses = table(("status", "meaning"), [(str(int(status)), text) for status, text in MEANINGS.items()])
    commands = "".join(_commands(typer.main.get_command(app), "imagegate"))
    return f"{_INTRODUCTION}{exit_statuses}\n## Commands\n{commands}"


def _commands(command: Any, name: str) -> Iterator[str]:
    """The command's section, then those of the commands below it."""
    context = command.context_class(command, info_name=name, terminal_width=1000)
    children = getattr(command, "commands", {})
    if name != "imagegate" and (not children or command.invoke_without_command):
        yield _section(command, context, name)
    for child in children.values():
        if not child.hidden:
            yield from _commands(child, f"{name} {child.name}")


def _section(command: Any, context: Any, name: str) -> str:
    usage = command.get_usage(context).removeprefix("Usage: ").replace("\n", " ")
    text = "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n"))
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    rows = [
        (f"`{names.replace('|', chr(92) + '|')}`", _cell(meaning))
        for names, meaning in filter(None, records)
        if names != "--help"
    ]
    options = f"\n{table(('', ''), rows)}" if rows else ""
    return f"\n### `{name}`\n\n```\n{usage}\n```\n\n{_cell(text)}\n{options}"


def _cell(text: str) -> str:
    return text.strip().replace("|", "\\|").replace("<", "&lt;")
