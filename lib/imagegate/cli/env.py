"""`imagegate env`: variables for clients of a gateway, or for the AWS CLI and SDKs on the embedded AWS."""

import json
import shlex
from typing import Annotated

import typer

from imagegate.cli.client.connection import Connection, ProfileName, Url, connect
from imagegate.cli.client.exits import exit_statuses
from imagegate.cli.sentences import in_a_sentence
from imagegate.cli.target import DEFAULT_STATE, Local, StateDir, local_access

_NO_KEY = "none"
"""OpenAI's clients refuse to start without a key, also where none is asked for."""
_MISLEADING = ("AWS_PROFILE", "AWS_SESSION_TOKEN")
"""Variables that take precedence over the key when they are set."""


def env(
    local: Local = False,
    state_dir: StateDir = DEFAULT_STATE,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    url: Url = "",
    profile: ProfileName = "",
) -> None:
    """Print variables for clients, with the key.

    Use: eval "$(imagegate env)". With --local they are for the AWS CLI and SDKs, with the embedded AWS's root key.
    """
    if local:
        with in_a_sentence():
            variables = local_access(state_dir).variables()
    else:
        with exit_statuses():
            variables = client_variables(connect(url, profile))
    if json_:
        typer.echo(json.dumps(variables))
        return
    typer.echo("\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items()))
    if local:
        typer.echo(f"unset {' '.join(_MISLEADING)}")


def client_variables(where: Connection) -> dict[str, str]:
    """What OpenAI's clients, and commands of imagegate, read."""
    key = where.key or _NO_KEY
    own = {"IMAGEGATE_URL": where.url, **({"IMAGEGATE_API_KEY": where.key} if where.key else {})}
    return {**own, "OPENAI_BASE_URL": f"{where.url}/v1", "OPENAI_API_KEY": key}
