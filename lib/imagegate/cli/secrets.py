"""`imagegate secrets`: the credentials of upstreams, in SSM Parameter Store."""

import json
import re
import sys
from contextlib import suppress
from typing import Annotated

import typer

from imagegate.cli.routes.push import note_secrets
from imagegate.cli.sentences import ask_secret, command, hint, in_a_sentence
from imagegate.cli.target import DEFAULT_STAGE, DEFAULT_STATE, Local, Stage, StateDir, target
from imagegate.domain.errors import InvalidRequest, MisconfiguredError
from imagegate.settings import upstream_secrets_path

secrets_app = typer.Typer(help="Credentials of upstreams, kept in SSM.", no_args_is_help=True)

SecretName = Annotated[str, typer.Argument(metavar="NAME", help="For example OPENAI_API_KEY.")]
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")


@secrets_app.command("set")
def set_secret(
    name: SecretName, stage: Stage = DEFAULT_STAGE, local: Local = False, state_dir: StateDir = DEFAULT_STATE
) -> None:
    """Set a credential. It is asked for without echo, or read from standard input."""
    with in_a_sentence():
        if not _NAME.fullmatch(name):
            raise InvalidRequest("A name has 1 to 100 of A-Z a-z 0-9 _ . -", remedy="Choose another NAME.")
        where = target(stage, local, state_dir)
        where.secrets().put(name, _value(name))
        with suppress(MisconfiguredError):  # a credential may be set before its stage is deployed
            note_secrets(where)
    path = f"{upstream_secrets_path(where.stage)}/{name}"
    hint(f"Set {path}; functions that had read it before see it within five minutes.")


@secrets_app.command("list")
def list_secrets(
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    stage: Stage = DEFAULT_STAGE,
    local: Local = False,
    state_dir: StateDir = DEFAULT_STATE,
) -> None:
    """Show the names of the credentials that are set; never a value."""
    with in_a_sentence():
        where = target(stage, local, state_dir)
        names = where.secrets().names()
    typer.echo(json.dumps(names) if json_ else "\n".join(names), nl=json_ or bool(names))
    if not names:
        hint(f"No credential is set: {command()} secrets set NAME{where.options}")


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _value(name: str) -> str:
    value = ask_secret(f"Value of {name}") if _is_terminal() else sys.stdin.read()
    if not value.strip():
        raise InvalidRequest("The value is empty.", remedy="Type it at the prompt, or send it to standard input.")
    return value.strip()
